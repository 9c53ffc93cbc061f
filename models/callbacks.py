"""What the WeChat platform pushes to us: stored before it is answered, each event once, worked off afterwards.

An event is applied in the transaction that ends it, so it counts exactly once. One about a phone that is bound to
nobody waits for the binding, and is dropped after a week.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import PartialIndex
from tortoise.models import Model

from models.base import clock, database
from models.base.ids import new_id

LEASE = timedelta(seconds=30)
PATIENCE = timedelta(days=7)
LONGEST_PAUSE = timedelta(hours=1)


class CallbackState(StrEnum):
    """`dropped`: nobody's, or of a kind that the product does not use."""

    WAITING = "waiting"
    DONE = "done"
    DROPPED = "dropped"


class Callback(Model):
    """One event as the platform sent it. It belongs to no zone until it is read: an openid says nothing of zones."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    key = fields.CharField(max_length=200, unique=True)
    event: dict[str, Any] = fields.JSONField()
    state = fields.CharEnumField(CallbackState, max_length=16, default=CallbackState.WAITING)
    attempts = fields.IntField(default=0)
    received_at = fields.DatetimeField()
    next_at = fields.DatetimeField()

    class Meta:
        table = "callback"
        indexes = [PartialIndex(fields=("next_at",), name="callback_due", condition={"state": "waiting"})]


async def store(key: str, event: dict[str, Any]) -> bool:
    """Keep an event under the sender's own id for it; False if it is kept already (the platform repeats itself)."""
    rows = await database.fetch(
        "insert into callback (id, key, event, state, attempts, received_at, next_at)"
        " values ($1, $2, $3, 'waiting', 0, $4, $4) on conflict (key) do nothing returning id",
        new_id(),
        key[:200],
        database.as_json(event),
        clock.now(),
    )
    return bool(rows)


async def take(limit: int) -> list[Callback]:
    """Lease up to `limit` events that wait, oldest first; those whose worker dies come up again."""
    now = clock.now()
    rows = await database.fetch(
        "update callback set next_at = $2, attempts = attempts + 1 where id in ("
        " select id from callback where state = 'waiting' and next_at <= $1 order by next_at limit $3"
        " for update skip locked) returning id",
        now,
        now + LEASE,
        limit,
    )
    return await Callback.filter(id__in=[row["id"] for row in rows]).order_by("id")


async def finish(callback_id: UUID, state: CallbackState = CallbackState.DONE) -> bool:
    """End an event within the transaction that applies it. False if it has ended already: then apply nothing."""
    rows = await database.fetch(
        "update callback set state = $2 where id = $1 and state = 'waiting' returning id", callback_id, state.value
    )
    return bool(rows)


async def postpone(callback: Callback) -> None:
    """Nobody to apply it to, or the attempt failed: come back later and later, drop it after a week."""
    now = clock.now()
    if now - callback.received_at > PATIENCE:
        await finish(callback.id, CallbackState.DROPPED)
        return
    pause = min(LONGEST_PAUSE, timedelta(seconds=2 ** min(callback.attempts, 12)))
    await Callback.filter(id=callback.id, state=CallbackState.WAITING).update(next_at=now + pause)
