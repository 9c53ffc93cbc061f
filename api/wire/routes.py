"""Declaring routes: each names its audience, its roles, what it reads and what it answers, or is refused at import."""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from limits import RateLimitItem, parse
from pydantic import BaseModel

from api.wire.callers import AUDIENCES
from api.wire.reading import JSON_LIMIT

Handler = Callable[..., Awaitable[Any]]
Idempotency = Literal["kept", "by_rule", "by_itself"]
RAW_BODY = ("application/octet-stream", "multipart/form-data")
PUBLIC: frozenset[StrEnum] = frozenset()
"""No sign-in at all."""


class _SignedIn(StrEnum):
    SIGNED_IN = "signed_in"


SIGNED_IN: frozenset[StrEnum] = frozenset({_SignedIn.SIGNED_IN})
"""Whoever is signed in, whatever their roles."""
ANYONE_BOUND = SIGNED_IN
PROVIDED = frozenset({"request", "scope", "caller", "body", "query"})
_PARAMETER = re.compile(r"<(\w+)(?::[^>]+)?>")


@dataclass(frozen=True, slots=True)
class Header:
    """A request's header that a route reads, for its documentation."""

    name: str
    description: str
    example: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One declared route; what OpenAPI, the architecture tests and the server are made from."""

    audience: str
    method: str
    path: str
    handler: Handler
    roles: Set[StrEnum]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    reply: Any
    status: int
    summary: str
    errors: tuple[str, ...]
    stream: bool
    limit: RateLimitItem | None
    idempotent: Idempotency | None
    max_body: int
    media_type: str
    tag: str
    documented: bool
    takes: tuple[str, ...]
    asks: tuple[Header, ...]
    always: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """`mini.reminders.acknowledge`: also OpenAPI's operationId."""
        concept = self.handler.__module__.rpartition(".")[2]
        return f"{self.audience}.{concept}.{self.handler.__name__}"

    @property
    def writes(self) -> bool:
        """Whether an answered request may have changed something."""
        return self.method not in ("GET", "OPTIONS")

    @property
    def keyed(self) -> bool:
        """Whether a write names itself by an `Idempotency-Key`."""
        return self.idempotent in ("kept", "by_rule")

    @property
    def wants(self) -> frozenset[str]:
        """The handler's parameters."""
        return frozenset(inspect.signature(self.handler).parameters)


class Routes:
    """The routes of one concept for one audience, in order of declaration."""

    def __init__(self, audience: str, prefix: str = "", *, tag: str) -> None:
        """`audience` is a key of `AUDIENCES`; `prefix` follows the audience's own; `tag` is Chinese, for the docs."""
        if audience not in AUDIENCES:
            raise ValueError(f"audience {audience!r} is not one of {sorted(AUDIENCES)}")
        self.audience, self.tag = audience, tag
        self._prefix = AUDIENCES[audience].prefix + prefix
        self._declared: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._declared)

    def get(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a read; see `route`."""
        return self.route("GET", path, **declared)

    def post(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a write; see `route`."""
        return self.route("POST", path, **declared)

    def put(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a write; see `route`."""
        return self.route("PUT", path, **declared)

    def patch(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a write; see `route`."""
        return self.route("PATCH", path, **declared)

    def delete(self, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declare a write; see `route`."""
        return self.route("DELETE", path, **declared)

    def route(
        self,
        method: str,
        path: str,
        *,
        roles: Set[StrEnum],
        summary: str,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        reply: Any = None,
        status: int = 200,
        errors: tuple[str, ...] = (),
        stream: bool = False,
        limit: str | None = "240/minute",
        idempotent: Idempotency | bool | None = None,
        max_body: int = JSON_LIMIT,
        media_type: str = "application/json",
        documented: bool = True,
        takes: tuple[str, ...] = RAW_BODY,
        asks: tuple[Header, ...] = (),
        always: tuple[tuple[str, str], ...] = (),
    ) -> Callable[[Handler], Handler]:
        """Declare a route.

        `roles`: a set of Role (platform: of Feed), `SIGNED_IN` or `PUBLIC`. `errors`: stable codes beyond those every
        route has. `stream`: the handler reads `request.stream` itself. `limit`: per caller and route ("60/minute"),
        None for none. `idempotent`: "kept" (the default of mini writes: the answer is kept for a repeat of the same
        key), "by_rule" (the key is asked for, but the rule itself answers a repeat alike, so nothing is kept),
        "by_itself" (so it does, and what is sent names itself: no key is asked for), False. `takes`: types of a
        streamed body. `asks`: headers that the handler reads. `always`: headers of every reply, refusals included.
        Raises TypeError or ValueError for a declaration that does not add up.
        """

        def declare(handler: Handler) -> Handler:
            declared = Route(
                audience=self.audience,
                method=method,
                path=self._prefix + path,
                handler=handler,
                roles=roles,
                body=body,
                query=query,
                reply=reply,
                status=status,
                summary=summary,
                errors=errors,
                stream=stream,
                limit=parse(limit) if limit else None,
                idempotent=self._idempotency(method, roles, stream, idempotent),
                max_body=max_body,
                media_type=media_type,
                tag=self.tag,
                documented=documented,
                takes=takes,
                asks=asks,
                always=always,
            )
            _check(declared)
            self._declared.append(declared)
            return handler

        return declare

    def _idempotency(
        self, method: str, roles: Set[StrEnum], stream: bool, asked: Idempotency | bool | None
    ) -> Idempotency | None:
        if asked is None:
            asked = AUDIENCES[self.audience].idempotent and method not in ("GET", "OPTIONS") and bool(roles)
        if asked is True:
            return "by_rule" if stream else "kept"
        return asked or None


def _check(route: Route) -> None:
    """Raises TypeError or ValueError when `route` does not add up."""
    if not inspect.iscoroutinefunction(route.handler):
        raise TypeError(f"{route.name}: a handler is a coroutine function")
    if not isinstance(route.roles, (set, frozenset)) or not all(isinstance(role, StrEnum) for role in route.roles):
        raise TypeError(f"{route.name}: roles is a set of roles, SIGNED_IN or PUBLIC")
    if route.roles and AUDIENCES[route.audience].proof is None:
        raise ValueError(f"{route.name}: nobody signs in on {route.audience}")
    if not route.summary:
        raise ValueError(f"{route.name}: a summary is missing")
    if route.body and (route.method == "GET" or route.stream):
        raise ValueError(f"{route.name}: a read or a streamed request has no body schema")
    _check_parameters(route)


def _check_parameters(route: Route) -> None:
    in_path = set(_PARAMETER.findall(route.path))
    unknown = route.wants - PROVIDED - in_path
    if unknown or in_path - route.wants:
        raise TypeError(f"{route.name}: parameters do not match {route.path}: {unknown or in_path - route.wants}")
    for name, schema in (("body", route.body), ("query", route.query)):
        if (name in route.wants) != (schema is not None):
            raise TypeError(f"{route.name}: `{name}` must be both declared and taken")
    if not route.roles and route.wants & {"scope", "caller"}:
        raise TypeError(f"{route.name}: a public route has no caller")
