"""Promises that failed too often: each waits for a person, who lets it be tried again or discards it with a reason."""

from collections.abc import Sequence
from uuid import UUID

from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Conflict, Invalid
from models.base.outbox import Promise, PromiseState
from models.base.scope import Role, Scope


async def quarantined(*, by: Scope, after: UUID | None = None, limit: int = 50) -> Sequence[Promise]:
    """The zone's promises in quarantine, oldest first, keyset by id; `last_error` says why. Raises Forbidden."""
    by.require(Role.ADMIN, Role.AUDITOR)
    found = Promise.filter(zone_id=by.zone_id, state=PromiseState.QUARANTINED)
    if after:
        found = found.filter(id__gt=after)
    return await found.order_by("id").limit(limit)


@atomic()
async def release(promise_id: UUID, *, by: Scope) -> Promise:
    """Try it again, as often as a new one. Raises Forbidden, NotFound, Conflict (`not_in_quarantine`)."""
    promise = await _locked(promise_id, by)
    promise.state, promise.next_at, promise.attempts = PromiseState.WAITING, clock.now(), 0
    await promise.save(update_fields=["state", "next_at", "attempts"])
    await audit.record(by, "promise.released", ("promise", promise.id), job=promise.job)
    return promise


@atomic()
async def discard(promise_id: UUID, reason: str, *, by: Scope) -> Promise:
    """Never try it again; the row stays, with the reason.

    Raises Forbidden, NotFound, Conflict (`not_in_quarantine`), Invalid (`reason_missing`).
    """
    if not reason.strip():
        raise Invalid("reason_missing", "请填写原因。")
    promise = await _locked(promise_id, by)
    promise.state, promise.discard_reason = PromiseState.DISCARDED, reason.strip()[:300]
    await promise.save(update_fields=["state", "discard_reason"])
    await audit.record(by, "promise.discarded", ("promise", promise.id), job=promise.job)
    return promise


async def _locked(promise_id: UUID, by: Scope) -> Promise:
    by.require(Role.ADMIN)
    promise = await database.locked(Promise.filter(zone_id=by.zone_id), promise_id)
    if promise.state is not PromiseState.QUARANTINED:
        raise Conflict("not_in_quarantine", "这项任务已不在隔离中，可能已有人处理。请刷新后查看。")
    return promise
