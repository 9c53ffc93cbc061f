"""Who is asking. Each audience knows its callers in its own way; all end as a `Caller`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from sanic import Request

from models.base.scope import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """`permits` are what a route's `roles` ask for: roles of a person, feeds of a service token.

    `key` names the caller to the rate limits; `session_id` is what signing out ends.
    """

    scope: Scope
    permits: frozenset[str]
    key: str
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Audience:
    """One kind of caller: where its routes stand and how OpenAPI names what proves who calls (None: nobody signs in).

    `idempotent`: its writes carry an `Idempotency-Key`.
    """

    prefix: str
    proof: str | None = None
    idempotent: bool = False


Identify = Callable[[Request], Awaitable[Caller]]
"""Reads the proof that a request carries. Raises Unauthenticated; Forbidden for a write that another site forged."""

AUDIENCES: dict[str, Audience] = {
    "mini": Audience("/api/mini", proof="mini", idempotent=True),
    "console": Audience("/api/console", proof="console"),
    "platform": Audience("/api/platform", proof="platform"),
    "wechat": Audience("/wechat"),
    "operations": Audience(""),
}
