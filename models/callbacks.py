"""What the WeChat platform pushes to us: stored before it is answered, each event once, worked off afterwards.

An event is applied in the transaction that ends it, so it counts exactly once. One about a phone that is bound to
nobody waits for the binding, and is dropped after a week.
"""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import PartialIndex
from tortoise.models import Model

from models import deliveries, organization
from models.base import clock, database
from models.base.database import atomic
from models.base.ids import new_id
from models.deliveries import News

LEASE = timedelta(seconds=30)
PATIENCE = timedelta(days=7)
LONGEST_PAUSE = timedelta(hours=1)
CLOCKS_APART = timedelta(minutes=1)
"""How far the platform's clock, which tells whole seconds, may lag behind ours."""


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


class Nobody(LookupError):
    """The event is about a phone that is bound to nobody (yet)."""


@atomic()
async def apply(callback: Callback) -> None:
    """Apply one event and end it.

    Raises Nobody, deliveries.OutcomeNotWritten; KeyError, TypeError or ValueError for one that is misshapen.
    """
    applying = APPLIED.get(str(callback.event.get("Event")))
    if applying is None:
        await finish(callback.id, CallbackState.DROPPED)
    elif await finish(callback.id):
        await applying(callback)


@atomic()
async def apply_following(callback: Callback, unionid: str | None) -> None:
    """Somebody follows the service account; by the unionid we know whose phone it is. Raises Nobody."""
    zone_id = await deliveries.zone_of_unionid(unionid) if unionid else None
    if zone_id is None or unionid is None:
        raise Nobody
    if await finish(callback.id):
        await deliveries.follow(zone_id, str(callback.event["FromUserName"]), unionid)


async def _zone_and_phone(callback: Callback) -> tuple[UUID, str]:
    openid = str(callback.event["FromUserName"])
    binding = await organization.binding_by_openid(openid)
    if binding is None:
        raise Nobody
    return binding.zone_id, openid


def _happened_at(callback: Callback) -> datetime:
    """When it happened by the platform's clock (seconds, as a number or a text); not after we heard of it."""
    created = callback.event.get("CreateTime")
    received = callback.received_at.timestamp()
    return datetime.fromtimestamp(min(int(created), received) if created else received, UTC)


def _listed(callback: Callback) -> Iterator[dict[str, Any]]:
    """The event's entries: the platform sends a bare object for one, an array for several."""
    entries = callback.event["List"]
    yield from entries if isinstance(entries, list) else [entries]


async def _popup(callback: Callback) -> None:
    zone_id, openid = await _zone_and_phone(callback)
    for entry in _listed(callback):
        if entry["SubscribeStatusString"] == "accept":
            await deliveries.credit(zone_id, openid, str(entry["TemplateId"]), _happened_at(callback))


async def _change(callback: Callback) -> None:
    zone_id, openid = await _zone_and_phone(callback)
    for entry in _listed(callback):
        if entry["SubscribeStatusString"] == "reject":
            await deliveries.revoke(zone_id, openid, str(entry["TemplateId"]), _happened_at(callback))


async def _sent(callback: Callback) -> None:
    """News may come a day late: it is of a message that had left when it happened, not when it came."""
    zone_id, openid = await _zone_and_phone(callback)
    at = min(callback.received_at, _happened_at(callback) + CLOCKS_APART)
    for entry in _listed(callback):
        errcode = int(entry["ErrorCode"])
        msgid = str(entry["MsgID"]) if "MsgID" in entry else None
        await deliveries.settle_unknown(News(zone_id, openid, at, errcode == 0, errcode or None, msgid))


async def _unfollow(callback: Callback) -> None:
    await deliveries.unfollow(str(callback.event["FromUserName"]))


APPLIED: dict[str, Callable[[Callback], Awaitable[None]]] = {
    "subscribe_msg_popup_event": _popup,
    "subscribe_msg_change_event": _change,
    "subscribe_msg_sent_event": _sent,
    "unsubscribe": _unfollow,
}
"""Events that the product uses; `subscribe` needs a question to the platform first (`apply_following`)."""
