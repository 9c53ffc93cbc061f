"""Firing the steps whose time has come: who is told is read off the chain, as it is staffed today.

One transaction per batch; a step's row stays locked from the look at it to what it caused, so it fires exactly once.
Steps of an item that are due together (after a stop of the workers) speak once to each person, the strongest of them.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from models import organization, reminders
from models.base import audit, calendar, clock, database
from models.base.calendar import Calendar
from models.base.database import atomic
from models.base.scope import Scope
from models.escalations.policies import DRAFTS
from models.escalations.tables import Audience, Condition, Draft, Timer, TimerState, Watch
from models.organization import Chain
from models.reminders import ReminderKind

ITEMS_A_BATCH = 50
REPEATING = (ReminderKind.DUE_SOON, ReminderKind.OVERDUE, ReminderKind.URGE, ReminderKind.ESCALATED)
"""A later reminder of the same matter takes the place of an earlier one of these."""
KINDS = {
    Condition.UNACKNOWLEDGED: ReminderKind.URGE,
    Condition.DAYS_TO_DUE: ReminderKind.DUE_SOON,
    Condition.OVERDUE: ReminderKind.OVERDUE,
    Condition.RETURNED: ReminderKind.RETURNED,
}


class Roster:
    """Who stands in for whom today, each looked up once."""

    def __init__(self, zone_id: UUID) -> None:
        self._zone_id, self._today = zone_id, clock.today()
        self._known: dict[UUID, UUID | None] = {}

    async def in_place_of(self, person_id: UUID) -> UUID | None:
        """The person, their delegate while they are absent, or None where they have left office."""
        if person_id not in self._known:
            self._known[person_id] = await organization.stand_in(self._zone_id, person_id, self._today)
        return self._known[person_id]

    async def first(self, people: Sequence[UUID | None], besides: set[UUID]) -> UUID | None:
        """The first of these that is staffed, by somebody not in `besides`."""
        for person in people:
            found = await self.in_place_of(person) if person else None
            if found and found not in besides:
                return found
        return None

    async def staffed(self, people: Sequence[UUID]) -> list[UUID]:
        """Everybody of these who is in office, or their delegates."""
        found = [await self.in_place_of(person) for person in people]
        return list(dict.fromkeys(person for person in found if person))


async def audience_of(chain: Chain, audience: Audience, roster: Roster) -> list[UUID]:
    """Who `audience` is today. A rung that is vacant passes to the next one up, the top to oversight (domain.md §2)."""
    if audience is Audience.OVERSIGHT:
        return await roster.staffed(chain.oversight)
    owner = await roster.in_place_of(chain.owner)
    besides = {owner} if owner else set()
    leader = await roster.first([chain.unit_leader, *chain.upward], besides)
    match audience:
        case Audience.OWNER:
            found = owner or leader
        case Audience.UNIT_LEADER:
            found = leader
        case Audience.ONE_LEVEL_UP:
            found = await roster.first(chain.upward, besides | ({leader} if leader else set()))
    return [found] if found else await roster.staffed(chain.oversight)


@atomic()
async def fire(zone_id: UUID) -> list[float]:
    """Fire what is due, up to 50 items; for each step, how many seconds late it was. Empty: nothing was due."""
    timers = await _lock_due(zone_id)
    if not timers:
        return []
    now, days, roster = clock.now(), await calendar.calendar_of(zone_id), Roster(zone_id)
    for watch in await Watch.filter(zone_id=zone_id, id__in={timer.watch_id for timer in timers}).order_by("id"):
        steps = sorted((t for t in timers if t.watch_id == watch.id), key=lambda t: (t.level, t.due_at, t.step))
        await _fire_steps(watch, steps, days, roster)
    return [(now - timer.due_at).total_seconds() for timer in timers if timer.due_at]


async def _lock_due(zone_id: UUID) -> list[Timer]:
    """Every due step of up to 50 items, locked; what somebody else holds (another worker, a disarming) is passed by."""
    rows = await database.fetch(
        "select id from escalation_timer where zone_id = $1 and state = 'waiting' and due_at <= $2 and item_id in ("
        " select item_id from escalation_timer where zone_id = $1 and state = 'waiting' and due_at <= $2"
        "  order by due_at limit $3) order by id for update skip locked",
        zone_id,
        clock.now(),
        ITEMS_A_BATCH,
    )
    return await Timer.filter(id__in=[row["id"] for row in rows]).order_by("id") if rows else []


async def _fire_steps(watch: Watch, steps: Sequence[Timer], days: Calendar, roster: Roster) -> None:
    """`steps` of one item, the strongest last: each person hears the strongest that is meant for them."""
    chain = Chain.model_validate(watch.chain)
    told: dict[UUID, Timer] = {}
    drafted: set[UUID] = set()
    for timer in steps:
        for audience in timer.tell:
            for person in await audience_of(chain, Audience(audience), roster):
                if timer.action in DRAFTS:
                    await _draft(watch, timer, person, days)
                    drafted.add(timer.id)
                else:
                    told[person] = timer
    owner = await roster.in_place_of(chain.owner)
    for person, timer in told.items():
        await _tell(watch, timer, person, days, is_owner=person == owner)
    await _end(watch, steps, drafted | {timer.id for timer in told.values()})


async def _tell(watch: Watch, timer: Timer, person: UUID, days: Calendar, *, is_owner: bool) -> None:
    item = ("item", watch.item_id)
    await reminders.settle(watch.zone_id, item, kinds=REPEATING, person_id=person)
    await reminders.remind(
        watch.zone_id,
        person,
        KINDS[timer.condition] if is_owner else ReminderKind.ESCALATED,
        item,
        f"{watch.summary}：{phrase(timer, watch.due_on, days)}",
        due_on=watch.due_on,
        urgent=watch.urgent,
        escalation=timer.condition is not Condition.DAYS_TO_DUE,
        key=f"escalation:{timer.id}:{person}",
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
