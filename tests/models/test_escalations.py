"""Escalations: each step exactly once, to whoever holds the post today, and never in a burst."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from tortoise.transactions import in_transaction

from models import escalations, organization, reminders
from models.base import clock
from models.base import database as postgres
from models.base.calendar import calendar_of
from models.base.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from models.base.ids import new_id
from models.base.scope import Grant, Role, Scope
from models.escalations import Action, Condition, Draft, DraftState, Policy, Timer, TimerState
from models.organization import Chain, Person, Zone
from models.reminders import Reminder, ReminderKind

pytestmark = pytest.mark.usefixtures("database")

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample" / "items.xlsx"


async def move_to(moment: object, clock_moves: Callable[..., None]) -> None:
    clock_moves(seconds=(moment - clock.now()).total_seconds() + 1)  # type: ignore[operator]


@pytest.fixture(autouse=True)
async def working_hours(zone: Zone, clock_moves: Callable[..., None]) -> None:
    """Nine in the morning of a working day."""
    day = (await calendar_of(zone.id)).add_working_days(clock.today(), 1)
    await move_to(clock.at(day, 9), clock_moves)


@pytest.fixture
async def chain(zone: Zone) -> Chain:
    """Somebody on every rung."""
    people = [
        await Person.create(zone_id=zone.id, staff_no=f"P{n}", name=f"人员{n}", phone=f"1540000{n:04d}")
        for n in range(5)
    ]
    owner, leader, up, top, oversight = (person.id for person in people)
    return Chain(owner=owner, unit_leader=leader, upward=[up, top], oversight=[oversight])


async def arm(zone: Zone, chain: Chain, *codes: str, working_days: int = 10) -> UUID:
    item = new_id()
    due_on = (await calendar_of(zone.id)).add_working_days(clock.today(), working_days)
    await escalations.arm(
        Scope.system(zone.id),
        item,
        1,
        codes,
        issued_at=clock.now(),
        due_on=due_on,
        chain=chain,
        summary="河道清淤",
        urgent=False,
    )
    return item


async def fire_all(zone: Zone) -> int:
    fired = 0
    while late := await escalations.fire(zone.id):
        fired += len(late)
    return fired


async def told() -> list[tuple[UUID, ReminderKind]]:
    return [(row.person_id, row.kind) for row in await Reminder.all().order_by("id")]


async def due_of(item: UUID, code: str, step: int) -> object:
    timer = await Timer.filter(item_id=item, policy_code=code, step=step).order_by("-counted_on").first()
    assert timer is not None
    return timer.due_at


async def test_what_is_not_received_climbs_rung_by_rung_each_told_once(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain, "unacknowledged")
    expected = []
    for step, who, kind in (
        (1, chain.owner, ReminderKind.URGE),
        (2, chain.unit_leader, ReminderKind.ESCALATED),
        (3, chain.upward[0], ReminderKind.ESCALATED),
    ):
        await move_to(await due_of(item, "unacknowledged", step), clock_moves)
        assert await fire_all(zone) == 1
        assert await fire_all(zone) == 0
        expected.append((who, kind))
        assert await told() == expected


async def test_receiving_before_a_step_is_due_keeps_everybody_undisturbed(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain, "unacknowledged", "near_due", "overdue")
    assert await escalations.disarm(zone.id, item, [Condition.UNACKNOWLEDGED]) == 3
    clock_moves(days=5)
    await fire_all(zone)
    assert await told() == []
    assert await Timer.filter(item_id=item, state=TimerState.WAITING).exclude(condition="unacknowledged").count() == 6


async def test_of_a_disarming_and_a_firing_at_the_same_instant_the_firing_wins_if_it_came_first(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain, "unacknowledged")
    await move_to(await due_of(item, "unacknowledged", 1), clock_moves)

    async def receive() -> int:
        async with in_transaction():
            disarmed = await escalations.disarm(zone.id, item)
            await reminders.settle(zone.id, ("item", item))
            return disarmed

    async with in_transaction():
        assert len(await escalations.fire(zone.id)) == 1
        receiving = asyncio.get_running_loop().create_task(receive(), context=_outside())
        await _until_somebody_waits_for_a_lock()
    assert await receiving == 2
    assert await told() == [(chain.owner, ReminderKind.URGE)]
    assert await Reminder.filter(state="open").count() == 0


async def test_of_a_disarming_and_a_firing_at_the_same_instant_the_disarming_wins_if_it_came_first(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain, "unacknowledged")
    await move_to(await due_of(item, "unacknowledged", 1), clock_moves)
    async with in_transaction():
        assert await escalations.disarm(zone.id, item) == 3
        firing = asyncio.get_running_loop().create_task(escalations.fire(zone.id), context=_outside())
        assert await firing == []
    assert await fire_all(zone) == 0
    assert await told() == []


def _outside() -> Context:
    """A context without this test's transaction, as another worker's."""
    return Context()


async def _until_somebody_waits_for_a_lock() -> None:
    async with asyncio.timeout(10):
        while not (await postgres.fetch("select count(*) as n from pg_locks where not granted"))[0]["n"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_two_workers_fire_each_step_once(zone: Zone, chain: Chain, clock_moves: Callable[..., None]) -> None:
    for _ in range(10):
        item = await arm(zone, chain, "unacknowledged")
    await move_to(await due_of(item, "unacknowledged", 1), clock_moves)
    rounds = await asyncio.gather(*(escalations.fire(zone.id) for _ in range(4)))
    assert sum(map(len, rounds)) + await fire_all(zone) == 10
    assert await Reminder.all().count() == 10


async def test_after_a_stop_of_the_workers_each_person_hears_once_of_an_item(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain)
    clock_moves(days=60)
    assert await fire_all(zone) == 8
    reminded = await told()
    assert len(reminded) == len({person for person, _ in reminded})
    assert {person for person, _ in reminded} == {
        chain.owner,
        chain.unit_leader,
        chain.upward[0],
        *chain.oversight,
    }
    assert dict(reminded)[chain.owner] is ReminderKind.OVERDUE
    assert await Draft.filter(item_id=item).count() == 1
    assert await Timer.filter(state=TimerState.WAITING).exclude(condition="returned").count() == 0


async def test_a_later_reminder_of_an_item_takes_the_place_of_an_earlier_one(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain, "near_due", working_days=5)
    for step in (1, 2):
        await move_to(await due_of(item, "near_due", step), clock_moves)
        await fire_all(zone)
    (last,) = await Reminder.filter(state="open")
    assert "距期限还有1个工作日" in last.summary
    assert await Reminder.all().count() == 2


async def test_steps_whose_time_is_over_at_issue_say_nothing(zone: Zone, chain: Chain) -> None:
    item = await arm(zone, chain, "near_due", working_days=2)
    states = {row.step: row.state for row in await Timer.filter(item_id=item)}
    assert states == {1: TimerState.MERGED, 2: TimerState.WAITING}


async def test_a_new_deadline_has_its_own_steps(zone: Zone, chain: Chain, clock_moves: Callable[..., None]) -> None:
    item = await arm(zone, chain, "near_due", working_days=5)
    await move_to(await due_of(item, "near_due", 1), clock_moves)
    await fire_all(zone)
    later = (await calendar_of(zone.id)).add_working_days(clock.today(), 20)
    await escalations.rearm(zone.id, item, later)
    await escalations.rearm(zone.id, item, later)
    assert await fire_all(zone) == 0
    await move_to(await due_of(item, "near_due", 1), clock_moves)
    assert await fire_all(zone) == 1
    assert await Reminder.all().count() == 2


async def test_what_has_fired_for_a_deadline_does_not_fire_for_it_again_after_a_return(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain, "overdue", working_days=1)
    await move_to(await due_of(item, "overdue", 1), clock_moves)
    await fire_all(zone)
    before = await Reminder.all().count()
    await escalations.disarm(zone.id, item)
    await escalations.returned(zone.id, item, 1)
    assert await fire_all(zone) == 0
    assert await Reminder.all().count() == before
    await move_to(await due_of(item, "overdue", 2), clock_moves)
    assert await fire_all(zone) == 1


async def test_the_third_return_is_told_to_the_leader(zone: Zone, chain: Chain) -> None:
    item = await arm(zone, chain, "overdue")
    for times in (1, 2, 3, 3):
        await escalations.disarm(zone.id, item)
        await escalations.returned(zone.id, item, times)
        await fire_all(zone)
    assert await told() == [(chain.unit_leader, ReminderKind.ESCALATED)]


async def test_who_has_left_office_is_passed_over_and_who_is_absent_is_stood_in_for(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain, "unacknowledged")
    await Person.filter(id=chain.unit_leader).update(active=False)
    deputy = await Person.create(zone_id=zone.id, staff_no="D", name="代办", phone="15400009999")
    today = clock.today()
    await organization.delegate(
        by=Scope(zone.id, "person", person_id=chain.upward[0]),
        delegate_id=deputy.id,
        from_on=today,
        until_on=date(today.year + 1, today.month, 1),
    )
    await move_to(await due_of(item, "unacknowledged", 2), clock_moves)
    await fire_all(zone)
    assert (deputy.id, ReminderKind.ESCALATED) in await told()
    await move_to(await due_of(item, "unacknowledged", 3), clock_moves)
    await fire_all(zone)
    assert (chain.upward[1], ReminderKind.ESCALATED) in await told()


async def test_arming_again_changes_nothing(zone: Zone, chain: Chain) -> None:
    item = await arm(zone, chain, "near_due")
    await escalations.arm(
        Scope.system(zone.id),
        item,
        1,
        ["near_due", "overdue"],
        issued_at=clock.now(),
        due_on=clock.today(),
        chain=chain,
        summary="",
        urgent=False,
    )
    assert await Timer.filter(item_id=item).count() == 2


async def test_a_letter_waits_for_a_person_who_oversees_the_addressee(zone: Zone, chain: Chain) -> None:
    root = await organization.Unit.create(zone_id=zone.id, code="R", name="管委会", kind="work_committee", path="/R/")
    post = await organization.Post.create(zone_id=zone.id, unit=root, title="主任", rank="principal")
    await organization.Appointment.create(
        zone_id=zone.id, person_id=chain.unit_leader, post=post, from_on=clock.today()
    )
    draft = await Draft.create(
        zone_id=zone.id,
        item_id=new_id(),
        cycle=1,
        timer_id=new_id(),
        action=Action.REMINDER_LETTER,
        addressee_id=chain.unit_leader,
        level=4,
        reason="河道清淤：已逾期5个工作日",
        drafted_at=clock.now(),
    )
    overseer = Scope(zone.id, "person:x", person_id=new_id(), grants=(Grant(Role.OVERSIGHT, "/R/"),))
    assert await told() == []
    with pytest.raises(Forbidden):
        await escalations.decide(draft.id, by=Scope(zone.id, "person"), approve=True)
    with pytest.raises(NotFound):
        elsewhere = Scope(zone.id, "person:y", grants=(Grant(Role.OVERSIGHT, "/R/other/"),))
        await escalations.decide(draft.id, by=elsewhere, approve=True)
    for _ in range(2):
        assert (await escalations.decide(draft.id, by=overseer, approve=True)).state is DraftState.APPROVED
    with pytest.raises(Conflict):
        await escalations.decide(draft.id, by=overseer, approve=False)
    assert await told() == [(chain.unit_leader, ReminderKind.MEASURE_TO_REPLY)]


async def test_urging_keeps_its_interval_and_is_for_those_above(
    zone: Zone, chain: Chain, clock_moves: Callable[..., None]
) -> None:
    item = await arm(zone, chain, "near_due")
    leader = Scope(zone.id, "person", person_id=chain.unit_leader)
    with pytest.raises(NotFound):
        await escalations.urge(item, by=Scope(zone.id, "person", person_id=chain.owner))
    with pytest.raises(NotFound):
        await escalations.urge(item, by=Scope(new_id(), "person", person_id=chain.unit_leader))
    await escalations.urge(item, by=leader, note="本周内办结")
    with pytest.raises(TooMany) as refused:
        await escalations.urge(item, by=Scope(zone.id, "person", person_id=chain.oversight[0]))
    assert 23 * 3600 < refused.value.retry_after <= 24 * 3600
    clock_moves(hours=25)
    await escalations.urge(item, by=leader)
    assert await told() == [(chain.owner, ReminderKind.URGE)] * 2
    assert await Reminder.filter(state="open").count() == 1


async def test_a_changed_policy_is_a_new_version_and_armed_items_keep_theirs(zone: Zone, chain: Chain) -> None:
    admin = Scope(zone.id, "person", grants=(Grant(Role.ADMIN, "/"),))
    step = {"condition": "days_to_due", "amount": 3, "level": 0, "tell": ["owner"], "action": "remind"}
    for _ in range(2):
        await escalations.put_policy(escalations.policy_form("soon", "临期", [step]), by=admin)
    item = await arm(zone, chain, "soon")
    await escalations.put_policy(escalations.policy_form("soon", "临期", [{**step, "amount": 5}]), by=admin)
    assert await Policy.filter(code="soon").count() == 2
    await escalations.rearm(zone.id, item, (await calendar_of(zone.id)).add_working_days(clock.today(), 30))
    assert {row.amount for row in await Timer.filter(item_id=item)} == {3}
    await escalations.retire_policy("soon", by=admin)
    with pytest.raises(NotFound):
        await escalations.retire_policy("x" * 40, by=admin)
    with pytest.raises(Invalid):
        await arm(zone, chain, "soon")


async def test_a_bad_policy_is_refused_with_every_faults_place(zone: Zone) -> None:
    bad = {"condition": "overdue", "amount": 0, "level": 7, "tell": [], "action": "dismissal"}
    with pytest.raises(Invalid) as refused:
        escalations.policy_form("x", "x", [bad])
    assert {fault.pointer for fault in refused.value.faults} >= {"/steps/0/level", "/steps/0/tell", "/steps/0/action"}


async def test_the_sample_zones_policies_are_imported_once(zone: Zone) -> None:
    by = Scope(zone.id, "person", grants=(Grant(Role.OVERSIGHT, "/"),))
    codes = await escalations.import_policies(by=by, workbook=SAMPLE)
    assert len(codes) == 3
    assert await escalations.import_policies(by=by, workbook=SAMPLE) == codes
    assert await Policy.filter(zone_id=zone.id).count() == 3
