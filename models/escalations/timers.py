"""Arming and disarming the steps of an item's policies.

Whoever takes away a step's cause (receiving, asking for close-out) disarms it in the same transaction. Both sides lock
the step's row, so of a disarming and a firing at the same instant exactly one happens.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from uuid import UUID

from models.base import calendar, clock, database
from models.base.calendar import Calendar
from models.base.database import atomic
from models.base.scope import Scope
from models.escalations.policies import Step, named_policies, policy_in_version
from models.escalations.tables import Condition, Policy, Timer, TimerState, Watch
from models.organization import Chain

MORNING = 9
"""Steps counted in days come due at nine in the morning, Shanghai."""
BY_DEADLINE = (Condition.DAYS_TO_DUE, Condition.OVERDUE)


@atomic()
async def arm(
    by: Scope,
    item_id: UUID,
    cycle: int,
    policy_codes: Sequence[str],
    *,
    issued_at: datetime,
    due_on: date,
    chain: Chain,
    summary: str,
    urgent: bool,
) -> None:
    """Watch one cycle of an item by these policies (none: all of the zone's); again changes nothing.

    `chain` is the snapshot made at issue, `summary` (≤ 200 characters) names the item in the app. Steps whose time is
    over already say nothing: the assignment itself was just told. Raises Invalid (`unknown_policy`).
    """
    policies = await named_policies(by.zone_id, policy_codes)
    if await Watch.exists(zone_id=by.zone_id, item_id=item_id, cycle=cycle):
        return
    watch = await Watch.create(
        zone_id=by.zone_id,
        item_id=item_id,
        cycle=cycle,
        chain=chain.model_dump(mode="json"),
        summary=summary[:200],
        urgent=urgent,
        policy_codes=[policy.code for policy in policies],
        issued_at=issued_at,
        due_on=due_on,
    )
    days = await calendar.calendar_of(by.zone_id)
    await Timer.bulk_create([timer for policy in policies for timer in timers_of(watch, policy, days)])


def timers_of(watch: Watch, policy: Policy, days: Calendar) -> Iterator[Timer]:
    """The policy's steps on the watch, not stored; those whose time was over when it was issued are `merged`."""
    for number, raw in enumerate(policy.steps, 1):
        step = Step.model_validate(raw)
        due_at = _due_at(watch, step.condition, step.amount, days)
        yield Timer(
            zone_id=watch.zone_id,
            watch_id=watch.id,
            item_id=watch.item_id,
            policy_code=policy.code,
            policy_version=policy.version,
            step=number,
            condition=step.condition,
            amount=step.amount,
            level=step.level,
            tell=[audience.value for audience in step.tell],
            action=step.action,
            counted_on=_counted_on(watch, step.condition),
            due_at=due_at,
            state=TimerState.MERGED if due_at and due_at <= watch.issued_at else TimerState.WAITING,
        )


def _counted_on(watch: Watch, condition: Condition) -> date:
    return watch.due_on if condition in BY_DEADLINE else clock.local(watch.issued_at).date()


def _due_at(watch: Watch, condition: Condition, amount: int, days: Calendar) -> datetime | None:
    """When the step comes due, hold or not; None for one that waits for an event."""
    match condition:
        case Condition.UNACKNOWLEDGED:
            return days.add_working_hours(watch.issued_at, amount)
        case Condition.DAYS_TO_DUE:
            return clock.at(days.add_working_days(watch.due_on, -amount), MORNING)
        case Condition.OVERDUE:
            return clock.at(days.add_working_days(watch.due_on, amount), MORNING)
        case Condition.RETURNED:
            return None


def _not_before_hold(watch: Watch, due_at: datetime | None) -> datetime | None:
    return max(due_at, watch.held_until) if due_at and watch.held_until else due_at


@atomic()
async def disarm(zone_id: UUID, item_id: UUID, conditions: Collection[Condition] | None = None) -> int:
    """The steps of these conditions (default: all) have lost their cause; how many were still waiting.

    A step that is firing at this instant is waited for: then it has fired. So disarm before settling reminders.
    """
    rows = await database.fetch(
        "update escalation_timer set state = 'disarmed', ended_at = $4 where id in ("
        " select id from escalation_timer where zone_id = $1 and item_id = $2 and state = 'waiting'"
        "  and condition = any($3::text[]) order by id for update) returning id",
        zone_id,
        item_id,
        [condition.value for condition in (Condition if conditions is None else conditions)],
        clock.now(),
    )
    return len(rows)


@atomic()
async def rearm(zone_id: UUID, item_id: UUID, due_on: date) -> None:
    """The newest cycle counts towards `due_on` (extended, returned, resumed): its deadline's steps wait again.

    A new deadline has steps of its own; the old one's are disarmed. What lies in the past of a deadline not yet reached
    (`days_to_due`) stays silent; an overdue matter goes on where it would be by now, told once.
    """
    watch = await _newest(zone_id, item_id)
    if watch is None:
        return
    await disarm(zone_id, item_id, BY_DEADLINE)
    watch.due_on = due_on
    await watch.save(update_fields=["due_on"])
    await _set_again(watch, BY_DEADLINE)


@atomic()
async def await_receipt(zone_id: UUID, item_id: UUID) -> None:
    """The newest cycle is to be received, and that is counted from now (it was suspended before it was received)."""
    watch = await _newest(zone_id, item_id)
    if watch is None:
        return
    watch.issued_at = clock.now()
    await watch.save(update_fields=["issued_at"])
    await _set_again(watch, (Condition.UNACKNOWLEDGED,))


@atomic()
async def recount(zone_id: UUID, item_id: UUID) -> None:
    """The calendar, or the item's hold, has changed: what still waits comes due anew."""
    watch = await _newest(zone_id, item_id)
    if watch is None:
        return
    days = await calendar.calendar_of(zone_id)
    waiting = Timer.filter(zone_id=zone_id, watch_id=watch.id, state=TimerState.WAITING, due_at__isnull=False)
    timers = await waiting.order_by("id").select_for_update()
    for timer in timers:
        counted = _due_at(watch, timer.condition, timer.amount, days) or timer.due_at
        timer.due_at = _not_before_hold(watch, counted)
    if timers:
        await Timer.bulk_update(timers, fields=["due_at"])


async def _set_again(watch: Watch, conditions: Collection[Condition]) -> None:
    now, days = clock.now(), await calendar.calendar_of(watch.zone_id)
    for policy in await _armed_policies(watch):
        for timer in timers_of(watch, policy, days):
            if timer.condition in conditions:
                if timer.condition is Condition.DAYS_TO_DUE and timer.due_at and timer.due_at <= now:
                    timer.state = TimerState.MERGED
                timer.due_at = _not_before_hold(watch, timer.due_at)
                await _wait_again(timer)


async def _newest(zone_id: UUID, item_id: UUID) -> Watch | None:
    return await Watch.filter(zone_id=zone_id, item_id=item_id).order_by("-cycle").select_for_update().first()


async def _armed_policies(watch: Watch) -> list[Policy]:
    """The policies in the versions with which the watch was armed."""
    rows = await Timer.filter(zone_id=watch.zone_id, watch_id=watch.id).values_list("policy_code", "policy_version")
    return [await policy_in_version(watch.zone_id, code, version) for code, version in sorted(set(rows))]


async def _wait_again(timer: Timer) -> None:
    """A step that has fired for this deadline does not fire for it again."""
    await database.execute(
        "insert into escalation_timer (id, zone_id, watch_id, item_id, policy_code, policy_version, step, condition,"
        " amount, level, tell, action, counted_on, due_at, state)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        " on conflict (zone_id, watch_id, policy_code, step, counted_on) do update"
        " set state = excluded.state, due_at = excluded.due_at, ended_at = null"
        " where escalation_timer.state = 'disarmed'",
        [
            timer.id,
            timer.zone_id,
            timer.watch_id,
            timer.item_id,
            timer.policy_code,
            timer.policy_version,
            timer.step,
            timer.condition.value,
            timer.amount,
            timer.level,
            database.as_json(timer.tell),
            timer.action.value,
            timer.counted_on,
            timer.due_at,
            timer.state.value,
        ],
    )


@atomic()
async def returned(zone_id: UUID, item_id: UUID, times: int) -> None:
    """The newest cycle was returned for the `times`-th time: steps for that come due, the deadline's wait again."""
    watch = await _newest(zone_id, item_id)
    if watch is None:
        return
    await rearm(zone_id, item_id, watch.due_on)
    await database.execute(
        "update escalation_timer set state = 'waiting', ended_at = null,"
        " due_at = case when amount <= $3 then greatest($4::timestamptz, $5) end where id in ("
        " select id from escalation_timer where zone_id = $1 and watch_id = $2 and condition = 'returned'"
        "  and state in ('waiting', 'disarmed') and due_at is null order by id for update)",
        [zone_id, watch.id, times, clock.now(), watch.held_until],
    )
