"""`Idempotency-Key`: a phone may send a write again, offline queues do; it happens once and is answered alike."""

import hashlib
from collections.abc import Awaitable, Callable
from uuid import UUID

from sanic import HTTPResponse, Request

from api.wire.callers import Caller
from models.accounts import idempotency
from models.base.database import in_transaction
from models.base.errors import Fault, Invalid

HEADER = "idempotency-key"
REPLAYED = "idempotency-replayed"


def key_of(request: Request) -> UUID:
    """The client's UUID for this write. Raises Invalid."""
    try:
        return UUID(request.headers.get(HEADER, ""))
    except ValueError:
        detail = "每次提交需要带一个 UUID 作为 Idempotency-Key。"
        fault = Fault("/headers/Idempotency-Key", "uuid_parsing", detail)
        raise Invalid("idempotency_key_missing", detail, faults=(fault,)) from None


async def answered_once(
    request: Request, caller: Caller, key: UUID, call: Callable[[], Awaitable[HTTPResponse]]
) -> HTTPResponse:
    """The answer of `call`, kept in the same transaction as its effects; or the kept one of an earlier same request.

    Raises Conflict: `idempotency_key_reused` for another request under the same key, `in_progress` for one at work.
    """
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.body).digest()
    async with in_transaction():
        kept = await idempotency.begin(caller.scope, key, digest)
        if kept is not None:
            return HTTPResponse(kept.body, kept.status, {REPLAYED: "true"}, "application/json")
        response = await call()
        # A refusal changed nothing and raised: asking again asks anew, so only what succeeded is kept.
        await idempotency.keep(caller.scope, key, digest, response.status, (response.body or b"").decode())
    return response
