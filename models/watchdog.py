"""The watchdog: looks again and again whether everything due has an outcome, and says so where it has not.

Over a window it holds what is owed (promises, timers, reminders' messages) against what became of it. What it safely
can it repairs: a message that was lost is owed again under its own key, what dead workers held is recovered. The rest
is an open alarm, until it is over. It costs what is due or recent, not what exists.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from models import deliveries, evidence, organization
from models.base import alarms, audit, calendar, clock, database, ids
from models.base.alarms import AlarmKind
from models.base.database import atomic
from models.base.scope import Scope
from models.deliveries import Pause, Resolution
from models.reminders import Reminder, ReminderState

WINDOW = timedelta(days=1)
LATE = timedelta(minutes=5)
"""A promise or a timer that nobody has kept for so long."""
PUSH_LATE = timedelta(minutes=15)
LONGEST_RETRY = timedelta(minutes=10)
TRIES_UNNOTICED = 3
STUCK = timedelta(minutes=2)
PAUSED_TOO_LONG = timedelta(days=1)
UNSEALED_SECONDS = 60
CONSENTS_AT_ODDS = 10
"""So many messages a day for which we had a consent and the platform had none: single phones are switched off daily."""
AT_A_TIME = 500

Found = dict[str, str]
"""What is wrong of one kind: subject → detail, in Chinese."""


@atomic()
async def look(zone_id: UUID) -> None:
    """Repair what can be, raise alarms for the rest, end those that are over. One worker looks at a zone at a time."""
    (lock,) = await database.fetch("select pg_try_advisory_xact_lock(hashtextextended($1, 0)) got", f"watch:{zone_id}")
    if lock["got"]:
        await repair(zone_id)
        for kind, found in (await find(zone_id)).items():
            await alarms.settle(zone_id, kind, found)


async def find(zone_id: UUID) -> dict[AlarmKind, Found]:
    """Everything that is wrong now, by kind (a kind of which nothing is wrong is empty); changes nothing."""
    now = clock.now()
    return {kind: await check(zone_id, now) for kind, check in CHECKS.items()}


LOST = """
select r.id, r.person_id, r.urgent, r.escalation from reminder r
where r.id >= $2 and r.zone_id = $1 and r.state = 'open'
  and not exists (select from delivery d where d.zone_id = $1 and d.key = 'reminder:' || r.id)
order by r.id limit $3
"""
UNFOLLOWED = """
select d.id from delivery d
where d.zone_id = $1 and d.state = any('{unknown,failed}') and d.id >= $2 and d.channel <> 'in_app'
  and not exists (select from delivery n where n.zone_id = $1 and n.key = 'after:' || d.id)
order by d.id limit $3
"""


@atomic()
async def repair(zone_id: UUID) -> int:
    """Owe again what was lost (a restored database, a hand in the tables), recover what was held; how many were lost.

    A key is owed once, so nothing is ever owed twice.
    """
    since, by = ids.since(WINDOW.total_seconds()), Scope.system(zone_id)
    lost = await database.fetch(LOST, zone_id, since, AT_A_TIME)
    for row in lost:
        key = f"reminder:{row['id']}"
        owed = {"urgent": row["urgent"], "escalation": row["escalation"], "key": key}
        await deliveries.owe(zone_id, row["person_id"], row["id"], **owed)
        await audit.record(by, "delivery.owed_again", ("reminder", row["id"]))
    unfollowed = [row["id"] for row in await database.fetch(UNFOLLOWED, zone_id, since, AT_A_TIME)]
    await deliveries.owe_next(unfollowed, clock.now())
    await deliveries.recover(zone_id)
    return len(lost) + len(unfollowed)


async def _promises_late(zone_id: UUID, now: datetime) -> Found:
    """Due and not even tried, or tried and tried again; by job. A replayed one is due anew."""
    rows = await database.fetch(
        "select job, count(*) as promises, min(due_at) as oldest from outbox where zone_id = $1 and state = 'waiting'"
        " and next_at <= $2 and due_at < $3 and (next_at < $3 or attempts >= $4) group by job order by job",
        zone_id,
        now + LONGEST_RETRY,
        now - LATE,
        TRIES_UNNOTICED,
    )
    return {row["job"]: f"{row['promises']}项到期未办，最早的已等{_minutes(now - row['oldest'])}" for row in rows}


async def _in_quarantine(zone_id: UUID, now: datetime) -> Found:
    rows = await database.fetch(
        "select id, job, last_error from outbox where zone_id = $1 and state = 'quarantined' order by id limit $2",
        zone_id,
        AT_A_TIME,
    )
    return {str(row["id"]): f"{row['job']}：{row['last_error']}" for row in rows}


async def _timers_late(zone_id: UUID, now: datetime) -> Found:
    (row,) = await database.fetch(
        "select count(*) as timers, min(due_at) as oldest from escalation_timer"
        " where zone_id = $1 and state = 'waiting' and due_at < $2",
        zone_id,
        now - LATE,
    )
    return {"escalations": _counted(row["timers"], "步预警到期未触发", now, row["oldest"])} if row["timers"] else {}


async def _deliveries_late(zone_id: UUID, now: datetime) -> Found:
    """In quiet hours, and as long after them as a push may take, only the urgent is due."""
    settings, days = await organization.settings_of(zone_id), await calendar.calendar_of(zone_id)
    quiet = any(days.quiet(at, settings.quiet_from, settings.quiet_until) for at in (now, now - PUSH_LATE))
    (row,) = await database.fetch(
        "select count(*) as messages, min(not_before) as oldest from delivery"
        " where zone_id = $1 and state = 'queued' and not_before < $2 and (urgent or not $3)",
        zone_id,
        now - PUSH_LATE,
        quiet,
    )
    return {"deliveries": _counted(row["messages"], "条消息到期未发", now, row["oldest"])} if row["messages"] else {}


async def _deliveries_stuck(zone_id: UUID, now: datetime) -> Found:
    (row,) = await database.fetch(
        "select count(*) as messages, min(leased_until) as oldest from delivery where zone_id = $1"
        " and leased_until < $2 and state = 'sending'",
        zone_id,
        now - STUCK,
    )
    return {"deliveries": _counted(row["messages"], "条消息发送中断", now, row["oldest"])} if row["messages"] else {}


async def _unknown_unresolved(zone_id: UUID, now: datetime) -> Found:
    """No other channel was left, and whoever it is for has not acted on it since."""
    found = await deliveries.unknown_since(now - WINDOW, zone_id)
    in_inbox = [delivery for delivery, resolution in found.items() if resolution is Resolution.INBOX]
    of = await deliveries.Delivery.filter(zone_id=zone_id, id__in=in_inbox).values_list("reminder_id", flat=True)
    left = await Reminder.filter(zone_id=zone_id, id__in=list(of), state=ReminderState.OPEN).count() if of else 0
    return {"deliveries": f"{left}条消息不知是否送达，也没有其他渠道"} if left else {}


async def _consents_at_odds(zone_id: UUID, now: datetime) -> Found:
    (row,) = await database.fetch(
        "select count(*) as messages from delivery"
        " where zone_id = $1 and state = 'failed' and id >= $2 and errcode = 43101",
        zone_id,
        ids.since(WINDOW.total_seconds()),
    )
    at_odds = row["messages"] >= CONSENTS_AT_ODDS
    return {"subscribe": f"一天内{row['messages']}条消息台账有授权、平台无授权"} if at_odds else {}


async def _channels_paused(zone_id: UUID, now: datetime) -> Found:
    long = await Pause.filter(zone_id=zone_id, resumed_at__isnull=True, paused_at__lt=now - PAUSED_TOO_LONG)
    return {pause.channel.value: f"已停用{(now - pause.paused_at).days}天：{pause.reason}" for pause in long}


async def _unsealed(zone_id: UUID, now: datetime) -> Found:
    age = await audit.unsealed_age(zone_id)
    return {"audit": f"最早一条日志已{_minutes(timedelta(seconds=age))}未封存"} if age > UNSEALED_SECONDS else {}


async def _evidence_damaged(zone_id: UUID, now: datetime) -> Found:
    return {sha256: damage.label for sha256, damage in (await evidence.damaged(zone_id, AT_A_TIME)).items()}


CHECKS: dict[AlarmKind, Callable[[UUID, datetime], Awaitable[Found]]] = {
    AlarmKind.PROMISES_LATE: _promises_late,
    AlarmKind.PROMISE_QUARANTINED: _in_quarantine,
    AlarmKind.TIMERS_LATE: _timers_late,
    AlarmKind.DELIVERIES_LATE: _deliveries_late,
    AlarmKind.DELIVERY_STUCK: _deliveries_stuck,
    AlarmKind.UNKNOWN_UNRESOLVED: _unknown_unresolved,
    AlarmKind.CONSENTS_AT_ODDS: _consents_at_odds,
    AlarmKind.CHANNEL_PAUSED: _channels_paused,
    AlarmKind.AUDIT_UNSEALED: _unsealed,
    AlarmKind.EVIDENCE_DAMAGED: _evidence_damaged,
}


def _counted(count: int, what: str, now: datetime, oldest: datetime) -> str:
    return f"{count}{what}，最早的已等{_minutes(now - oldest)}"


def _minutes(waited: timedelta) -> str:
    minutes = int(waited.total_seconds() // 60)
    return f"{minutes}分钟" if minutes < 120 else f"{minutes // 60}小时"
