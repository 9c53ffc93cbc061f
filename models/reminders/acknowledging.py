"""Acknowledging: the hot path, twice.

`acknowledge_alone` is the ordinary rule; `acknowledge` does the same for up to 64 callers in one statement (group
commit) and falls back to it. A test keeps the two in agreement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.exceptions import BaseORMException

from models.base import audit, clock, database, outbox
from models.base.database import atomic
from models.base.errors import Conflict
from models.base.ids import new_id
from models.base.scope import Scope
from models.base.together import Together
from models.reminders.reminding import ACKNOWLEDGED
from models.reminders.tables import Reminder, ReminderKind, ReminderState

ACTION = "reminder.acknowledged"


@dataclass(frozen=True)
class Acknowledgement:
    """Where the reminder stands now: `acknowledged`, or ended before it could be (`settled`, `expired`)."""

    id: UUID
    state: ReminderState
    acknowledged_at: datetime | None


@dataclass(frozen=True)
class _Ask:
    reminder_id: UUID
    by: Scope
    note: str | None


async def acknowledge(reminder_id: UUID, *, by: Scope, note: str | None = None) -> Acknowledgement:
    """The caller has taken note of their reminder; again answers the same. Not within a transaction.

    What must be received (签收) is received, not acknowledged. Raises NotFound, Conflict (`receive_the_item`).
    """
    ask = _Ask(reminder_id, by, note)
    answer = await _together.ask(ask)
    return answer or await acknowledge_alone(reminder_id, by=by, note=note)


@atomic()
async def acknowledge_alone(reminder_id: UUID, *, by: Scope, note: str | None = None) -> Acknowledgement:
    """`acknowledge`, for one caller in a transaction of its own (or within the caller's)."""
    reminder = await database.locked(Reminder.filter(zone_id=by.zone_id, person_id=by.person_id), reminder_id)
    if reminder.state is not ReminderState.OPEN:
        return Acknowledgement(reminder.id, reminder.state, reminder.acknowledged_at)
    if reminder.kind is ReminderKind.TO_RECEIVE:
        raise Conflict("receive_the_item", "这是一项新交办的事项，请打开事项后签收。")
    reminder.state, reminder.acknowledged_at, reminder.note = ReminderState.ACKNOWLEDGED, clock.now(), note
    await reminder.save(update_fields=["state", "acknowledged_at", "note"])
    await audit.record(by, ACTION, ("reminder", reminder_id), noted=note is not None)
    await outbox.promise(by.zone_id, ACKNOWLEDGED, key=f"acknowledged:{reminder_id}", reminder_id=str(reminder_id))
    return Acknowledgement(reminder.id, reminder.state, reminder.acknowledged_at)


STATEMENT = f"""
with asked as (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::bytea[],
    $9::uuid[], $10::text[], $11::text[])
    with ordinality as a(id, zone_id, person_id, note, actor, row_id, data, hash, promise_id, key, payload, place)
), locked as (
  select a.* from reminder r join asked a on r.id = a.id and r.zone_id = a.zone_id and r.person_id = a.person_id
  where r.state = 'open' and r.kind <> 'to_receive' order by r.id for update of r
), changed as (
  update reminder r set state = 'acknowledged', acknowledged_at = $12, note = l.note from locked l where r.id = l.id
  returning r.id
), logged as (
  insert into audit (id, zone_id, tx, at, actor, action, subject_type, subject_id, data, hash)
  select row_id, zone_id, audit_tx(), $12, actor, '{ACTION}', 'reminder', id, data::jsonb, hash
  from locked
), promised as (
  insert into outbox (id, zone_id, job, payload, key, state, due_at, next_at, attempts, made_at)
  select promise_id, zone_id, '{ACKNOWLEDGED}', payload::jsonb, key, 'waiting', $12, $12, 0, $12 from locked
  on conflict (zone_id, key) do nothing
)
select c.id is not null as changed from asked a left join changed c on c.id = a.id order by a.place
"""  # noqa: S608 — constants only; the lock order is by id, so that two batches cannot deadlock


async def _acknowledge_together(asks: Sequence[_Ask]) -> list[Acknowledgement | None]:
    """None for what this statement could not do: absent, ended, to be received, asked twice, or all of it failed."""
    now = clock.now()
    unique = list({ask.reminder_id: ask for ask in asks}.values())
    try:
        rows = await database.fetch(STATEMENT, *_columns(unique, now), now)
    except BaseORMException:  # one caller's fault must not be everybody's: each tries alone and gets their own answer
        return [None] * len(asks)
    changed = {id(ask) for ask, row in zip(unique, rows, strict=True) if row["changed"]}
    return [
        Acknowledgement(ask.reminder_id, ReminderState.ACKNOWLEDGED, now) if id(ask) in changed else None
        for ask in asks
    ]


def _columns(asks: Sequence[_Ask], now: datetime) -> list[list[Any]]:
    rows = [_audit_row(ask, now) for ask in asks]
    return [
        [ask.reminder_id for ask in asks],
        [ask.by.zone_id for ask in asks],
        [ask.by.person_id for ask in asks],
        [ask.note for ask in asks],
        [ask.by.actor for ask in asks],
        [row["id"] for row in rows],
        [database.as_json(row["data"]) for row in rows],
        [audit.row_hash(row) for row in rows],
        [new_id() for _ in asks],
        [f"acknowledged:{ask.reminder_id}" for ask in asks],
        [database.as_json({"reminder_id": str(ask.reminder_id)}) for ask in asks],
    ]


def _audit_row(ask: _Ask, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "zone_id": ask.by.zone_id,
        "at": now,
        "actor": ask.by.actor,
        "action": ACTION,
        "subject_type": "reminder",
        "subject_id": ask.reminder_id,
        "data": {"noted": ask.note is not None},
    }


_together = Together(_acknowledge_together)
