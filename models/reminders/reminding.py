"""Reminding, settling, and what follows an acknowledgement."""

from collections.abc import Collection
from datetime import date, timedelta
from uuid import UUID

from models import deliveries, organization
from models.base import audit, calendar, clock, database, outbox
from models.base.database import atomic
from models.base.ids import new_id
from models.base.scope import Scope
from models.reminders.tables import Reminder, ReminderKind, ReminderState

ACKNOWLEDGED = outbox.job("reminders.acknowledged")
EXPIRE = outbox.job("reminders.expire")

HOLDS_WORKING_DAYS = {
    ReminderKind.OVERDUE: 5,
    ReminderKind.RETURNED: 5,
    ReminderKind.REVIEW_WAITING: 3,
    ReminderKind.EXTENSION_WAITING: 3,
    ReminderKind.VISIT_ASSIGNED: 5,
    ReminderKind.MEASURE_TO_REPLY: 5,
    ReminderKind.ALERT_TO_CHECK: 5,
}
"""For how long an acknowledgement keeps a reminder silent while the matter does not move; others for good."""
MOST_ALERTS = 3


async def remind(
    zone_id: UUID,
    person_id: UUID,
    kind: ReminderKind,
    subject: tuple[str, UUID],
    summary: str,
    *,
    due_on: date | None = None,
    urgent: bool = False,
    escalation: bool = False,
    key: str,
    alerts: int = 1,
    gather: timedelta = deliveries.GATHER,
) -> UUID | None:
    """Put a reminder into the person's inbox and owe its delivery, with the running transaction.

    `summary` (≤ 300 characters) is shown in the app only and may name the matter. `gather`: how long its message waits
    for others to the same person. Returns the reminder's id; None where this obligation (`key`, ≤ 140 characters,
    unique in the zone) has been reminded of already.
    """
    rows = await database.fetch(
        "insert into reminder (id, zone_id, person_id, kind, subject_type, subject_id, summary, due_on, urgent,"
        " escalation, key, alerts, state, made_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', $13)"
        " on conflict (zone_id, key, alerts) do nothing returning id",
        new_id(),
        zone_id,
        person_id,
        kind.value,
        subject[0],
        subject[1],
        summary[:300],
        due_on,
        urgent,
        escalation,
        key,
        alerts,
        clock.now(),
    )
    if not rows:
        return None
    reminder_id: UUID = rows[0]["id"]
    key = f"reminder:{reminder_id}"
    await deliveries.owe(zone_id, person_id, reminder_id, urgent=urgent, escalation=escalation, key=key, gather=gather)
    return reminder_id


@atomic()
async def settle(
    zone_id: UUID,
    subject: tuple[str, UUID],
    *,
    kinds: Collection[ReminderKind] | None = None,
    person_id: UUID | None = None,
    acknowledged_by: UUID | None = None,
) -> int:
    """The matter moved on: its reminders (of some `kinds`, to one person, or all) end; how many did.

    For `acknowledged_by`, doing the thing was the acknowledgement. Messages that have not left never do. Where the
    escalation of the matter is to stop too, disarm it first: a step that fires at this instant is then settled with it.
    """
    rows = await database.fetch(
        "update reminder set ended_at = $6, state = 'settled',"
        " acknowledged_at = case when person_id = $5 then coalesce(acknowledged_at, $6) else acknowledged_at end"
        " where id in (select id from reminder where zone_id = $1 and subject_id = $2 and subject_type = $3"
        "  and state in ('open', 'acknowledged') and kind = any(coalesce($7::text[], array[kind]::text[]))"
        "  and person_id = coalesce($4, person_id) order by id for update) returning id",
        zone_id,
        subject[1],
        subject[0],
        person_id,
        acknowledged_by,
        clock.now(),
        [kind.value for kind in kinds] if kinds is not None else None,
    )
    await deliveries.withdraw(zone_id, [row["id"] for row in rows])
    return len(rows)


@atomic()
async def after_acknowledgement(zone_id: UUID, reminder_id: UUID) -> None:
    """Nothing more need reach the phone; and if the matter does not move, the acknowledgement expires one day."""
    reminder = await Reminder.filter(zone_id=zone_id, id=reminder_id).select_for_update().get()
    await deliveries.withdraw(zone_id, [reminder_id])
    holds = HOLDS_WORKING_DAYS.get(reminder.kind)
    if reminder.state is not ReminderState.ACKNOWLEDGED or holds is None or reminder.alerts >= MOST_ALERTS:
        return
    acknowledged_at = reminder.acknowledged_at or clock.now()
    days, settings = await calendar.calendar_of(zone_id), await organization.settings_of(zone_id)
    last = clock.at(days.add_working_days(clock.local(acknowledged_at).date(), holds))
    reminder.expires_at = days.next_loud(last + timedelta(days=1), settings.quiet_from, settings.quiet_until)
    await reminder.save(update_fields=["expires_at"])
    await outbox.promise(
        zone_id, EXPIRE, due_at=reminder.expires_at, key=f"expire:{reminder_id}", reminder_id=str(reminder_id)
    )


@atomic()
async def expire(zone_id: UUID, reminder_id: UUID) -> UUID | None:
    """An acknowledgement has held long enough and the matter did not move: remind again, at most three times in all.

    Whoever stands in for the person by now is reminded in their place.
    """
    reminder = await Reminder.filter(zone_id=zone_id, id=reminder_id).select_for_update().get()
    if reminder.state is not ReminderState.ACKNOWLEDGED:
        return None
    reminder.state, reminder.ended_at = ReminderState.EXPIRED, clock.now()
    await reminder.save(update_fields=["state", "ended_at"])
    await audit.record(Scope.system(zone_id), "reminder.expired", ("reminder", reminder_id))
    person = await organization.stand_in(zone_id, reminder.person_id, clock.today()) or reminder.person_id
    return await remind(
        zone_id,
        person,
        reminder.kind,
        (reminder.subject_type, reminder.subject_id),
        reminder.summary,
        due_on=reminder.due_on,
        urgent=reminder.urgent,
        escalation=reminder.escalation,
        key=reminder.key,
        alerts=reminder.alerts + 1,
    )
