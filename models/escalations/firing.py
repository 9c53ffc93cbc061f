"""Firing the steps whose time has come: who is told is read off the chain, as it is staffed today.

One transaction per batch; a step's row stays locked from the look at it to what it caused, so it fires exactly once.
Steps of an item that are due together (of several policies, or after a stop) speak once to each person.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from models import deliveries, organization, reminders
from models.base import audit, calendar, clock, database
from models.base.calendar import Calendar
from models.base.database import atomic
from models.base.scope import Scope
from models.escalations.audiences import hear
from models.escalations.tables import Action, Condition, Draft, Timer, TimerState, Watch
from models.organization import Chain, Staffed
from models.reminders import ReminderKind

ITEMS_A_BATCH = 50
CROWD_GATHERS = timedelta(minutes=1)
"""How long messages of a full batch wait for those of the next: who leads many gets one, not one every two seconds."""
REPEATING = (ReminderKind.DUE_SOON, ReminderKind.OVERDUE, ReminderKind.URGE, ReminderKind.ESCALATED)
"""A later reminder of the same matter takes the place of an earlier one of these."""
KINDS = {
    Condition.UNACKNOWLEDGED: ReminderKind.URGE,
    Condition.DAYS_TO_DUE: ReminderKind.DUE_SOON,
    Condition.OVERDUE: ReminderKind.OVERDUE,
    Condition.RETURNED: ReminderKind.RETURNED,
}


@atomic()
async def fire(zone_id: UUID) -> list[float]:
    """Fire what is due, up to 50 items; for each step, how many seconds late it was. Empty: nothing was due."""
    timers = await _lock_due(zone_id)
    if not timers:
        return []
    now, days = clock.now(), await calendar.calendar_of(zone_id)
    watches = await Watch.filter(zone_id=zone_id, id__in={timer.watch_id for timer in timers}).order_by("id")
    chains = [Chain.model_validate(watch.chain) for watch in watches]
    gather = CROWD_GATHERS if len(watches) == ITEMS_A_BATCH else deliveries.GATHER
    for watch, staffed in zip(watches, await organization.staffed(zone_id, chains, clock.today()), strict=True):
        steps = [timer for timer in timers if timer.watch_id == watch.id]
        await _fire_steps(watch, steps, staffed, days, gather)
    return [(now - timer.due_at).total_seconds() for timer in timers if timer.due_at]


LOCK_DUE = """
with due as (
  select watch_id from escalation_timer where zone_id = $1 and state = 'waiting' and due_at <= $2
  order by due_at limit $3
), watches as (
  select id from escalation_watch where zone_id = $1 and id in (select watch_id from due)
  order by id for update skip locked
)
select step.id from watches cross join lateral (
  select id from escalation_timer
  where zone_id = $1 and watch_id = watches.id and state = 'waiting' and due_at <= $2
  offset 0 for update skip locked) step
order by step.id
"""
"""The watch is locked first, so that of one item's steps all that are due go to one worker, who merges them. What a
disarming holds is passed by. `offset 0`: what is asked for one watch stays asked for one watch, however many wait."""


async def _lock_due(zone_id: UUID) -> list[Timer]:
    """Every due step of up to 50 items, locked with their watches."""
    rows = await database.fetch(LOCK_DUE, zone_id, clock.now(), ITEMS_A_BATCH)
    return await Timer.filter(id__in=[row["id"] for row in rows]).order_by("id") if rows else []


async def _fire_steps(
    watch: Watch, steps: Sequence[Timer], staffed: Staffed, days: Calendar, gather: timedelta
) -> None:
    heard = hear(steps, staffed)
    for (_, person), timer in heard.drafted.items():
        await _draft(watch, timer, person, days)
    owner = staffed.answerable.acting if staffed.answerable else None
    for person, timer in heard.told.items():
        kind = KINDS[timer.condition] if person == owner else ReminderKind.ESCALATED
        await _tell(watch, timer, person, days, kind=kind, gather=gather)
    if owner in heard.told and heard.told[owner].action is Action.URGE:
        watch.urged_at = clock.now()  # a person urges no sooner after the machine than after another person
        await watch.save(update_fields=["urged_at"])
    await _end(watch, steps, heard.spoke)


async def _tell(
    watch: Watch, timer: Timer, person: UUID, days: Calendar, *, kind: ReminderKind, gather: timedelta
) -> None:
    item = ("item", watch.item_id)
    await reminders.settle(watch.zone_id, item, kinds=REPEATING, person_id=person)
    await reminders.remind(
        watch.zone_id,
        person,
        kind,
        item,
        f"{watch.summary}：{phrase(timer, watch.due_on, days)}",
        due_on=watch.due_on,
        urgent=watch.urgent,
        escalation=timer.condition is not Condition.DAYS_TO_DUE,
        key=f"escalation:{timer.id}:{person}",
        gather=gather,
    )


def phrase(timer: Timer, due_on: date, days: Calendar) -> str:
    """What has come to pass, in Chinese; days are counted as of today, however late the step fires."""
    match timer.condition:
        case Condition.UNACKNOWLEDGED:
            return f"交办已满{timer.amount}个工作小时，尚未签收"
        case Condition.RETURNED:
            return f"本轮已退回{timer.amount}次"
    left = days.working_days_between(clock.today(), due_on)
    if clock.today() > due_on:
        return f"已逾期{max(1, -left)}个工作日"
    return f"距期限还有{left}个工作日" if left else "今天到期"


async def _draft(watch: Watch, timer: Timer, person: UUID, days: Calendar) -> None:
    """Nothing is sent and nobody reminded: it waits on the console for a person."""
    await Draft.create(
        zone_id=watch.zone_id,
        item_id=watch.item_id,
        cycle=watch.cycle,
        timer_id=timer.id,
        action=timer.action,
        addressee_id=person,
        level=timer.level,
        reason=f"{watch.summary}：{phrase(timer, watch.due_on, days)}",
        drafted_at=clock.now(),
    )


async def _end(watch: Watch, steps: Sequence[Timer], spoke: set[UUID]) -> None:
    by = Scope.system(watch.zone_id)
    for timer in steps:
        timer.state = TimerState.FIRED if timer.id in spoke else TimerState.MERGED
        timer.ended_at = clock.now()
        await audit.record(
            by,
            f"escalation.{timer.state.value}",
            ("item", watch.item_id),
            policy=timer.policy_code,
            version=timer.policy_version,
            step=timer.step,
            level=timer.level,
        )
    await Timer.bulk_update(list(steps), fields=["state", "ended_at"])


LATE = """
select coalesce(extract(epoch from $1::timestamptz - min(oldest.due_at)), 0)::float8 as age from zone z
cross join lateral (
  select due_at from escalation_timer where zone_id = z.id and state = 'waiting' and due_at <= $1
  order by due_at limit 1) oldest
"""


async def late_by() -> float:
    """Seconds that the oldest due step of any zone has waited to be fired; 0 where none is due."""
    (row,) = await database.fetch(LATE, clock.now())
    return float(row["age"])
