"""Owing a delivery, and withdrawing it while nothing has left."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from models.base import clock, database
from models.base.ids import new_id

GATHER = timedelta(seconds=2)
"""How long a delivery waits for others to the same person: whoever is given five items at once gets one message."""


async def owe(
    zone_id: UUID,
    person_id: UUID,
    reminder_id: UUID,
    *,
    urgent: bool,
    escalation: bool,
    key: str,
    gather: timedelta = GATHER,
) -> None:
    """A reminder is to reach its person's phone, with the running transaction; the same `key` is owed once."""
    now = clock.now()
    await database.execute(
        "insert into delivery (id, zone_id, person_id, reminder_id, key, urgent, escalation, state, attempts,"
        " not_before, made_at) values ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, $8, $9)"
        " on conflict (zone_id, key) do nothing",
        [new_id(), zone_id, person_id, reminder_id, key, urgent, escalation, now + gather, now],
    )


async def withdraw(zone_id: UUID, reminder_ids: Collection[UUID]) -> None:
    """These reminders have ended: what has not left to tell of them never does, with the running transaction."""
    if reminder_ids:
        await database.execute(
            "update delivery set state = 'superseded', settled_at = $3 where id in ("
            " select id from delivery where zone_id = $1 and reminder_id = any($2::uuid[])"
            " and state = 'queued' order by id for update)",
            [zone_id, list(reminder_ids), clock.now()],
        )
