"""What comes due together — after a stop, of several policies, when a hold ends — is told once to each person."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from datetime import datetime, timedelta

import pytest
from tortoise.transactions import in_transaction

from models import deliveries, escalations, ledger
from models.base import clock
from models.base.audit import AuditRow
from models.base.calendar import calendar_of
from models.base.errors import Conflict, Invalid, NotFound, TooMany
from models.deliveries import Conclusion, DeliveryState
from models.escalations import Draft, Timer, TimerState
from models.ledger import Item
from models.organization import Zone
from models.reminders import Reminder, ReminderKind, ReminderState
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")
Moves = Callable[..., None]


@pytest.fixture
async def office(zone: Zone, clock_moves: Moves) -> Office:
    """At nine in the morning of a working day."""
    day = (await calendar_of(zone.id)).add_working_days(clock.today(), 1)
    await move_to(clock.at(day, 9), clock_moves)
    return await open_office(zone)


async def move_to(moment: datetime | None, clock_moves: Moves) -> None:
    assert moment is not None
    clock_moves(seconds=(moment - clock.now()).total_seconds() + 1)


async def due(item: Item, code: str, step: int) -> datetime | None:
    return (await Timer.get(item_id=item.id, policy_code=code, step=step, state=TimerState.WAITING)).due_at


async def policy(office: Office, code: str, *steps: tuple[str, int, int, str, str]) -> str:
    """Steps as (condition, amount, level, who, action)."""
    names = ("condition", "amount", "level", "tell", "action")
    listed = [dict(zip(names, (c, amount, level, [who], do), strict=True)) for c, amount, level, who, do in steps]
    return (await escalations.put_policy(escalations.policy_form(code, code, listed), by=office.overseer)).code


async def test_workers_who_catch_up_together_leave_each_item_to_one_of_them(office: Office, clock_moves: Moves) -> None:
    for _ in range(30):
        await office.received()
    await Reminder.all().delete()
    clock_moves(days=60)
    await asyncio.gather(*(office.fire() for _ in range(4)))
    await office.fire()
    heard = Counter([(row.subject_id, row.person_id) for row in await Reminder.all()])
    assert set(heard.values()) == {1}
    assert len({item for item, _ in heard}) == 30


async def test_a_step_that_comes_due_while_another_of_its_item_is_fired_waits_for_it(
    office: Office, clock_moves: Moves
) -> None:
    steps = [("overdue", days, 2, "owner", "urge") for days in (1, 2)]
    await policy(office, "twice", *steps)  # type: ignore[arg-type]
    item = await office.received(policy_codes=["twice"])
    await move_to(await due(item, "twice", 1), clock_moves)
    async with in_transaction():
        assert len(await escalations.fire(office.zone.id)) == 1
        await move_to(await due(item, "twice", 2), clock_moves)
        another = asyncio.get_running_loop().create_task(escalations.fire(office.zone.id), context=Context())
        assert await another == []
    assert await office.fire() == 1
    assert await Reminder.filter(subject_id=item.id, state=ReminderState.OPEN).count() == 1


async def test_whoever_leads_many_overdue_matters_gets_one_message(office: Office, clock_moves: Moves) -> None:
    """More items than a batch holds, and a worker that sends while another still catches up."""
    for _ in range(120):
        await office.received(policy_codes=["overdue"])
    clock_moves(days=60)
    day = (await calendar_of(office.zone.id)).add_working_days(clock.today(), 1)
    await move_to(clock.at(day, 10), clock_moves)
    messages = Counter[object]()
    while await escalations.fire(office.zone.id):
        clock_moves(seconds=3)
        messages += await _sent(office)
    clock_moves(minutes=2)
    messages += await _sent(office)
    assert messages[office.people["leader"].id] == 1
    assert set(messages.values()) == {1}
    assert await Reminder.filter(person_id=office.people["leader"].id, state=ReminderState.OPEN).count() == 120


async def _sent(office: Office) -> Counter[object]:
    pushes = await deliveries.begin(office.zone.id, "T")
    await deliveries.conclude([Conclusion(push, DeliveryState.SENT) for push in pushes], "T")
    return Counter(push.person_id for push in pushes)


async def test_several_policies_of_an_item_speak_and_draft_once(office: Office, clock_moves: Moves) -> None:
    letter = ("overdue", 1, 3, "unit_leader", "reminder_letter")
    for code, level in (("one", 1), ("two", 2)):
        await policy(office, code, ("overdue", 1, level, "owner", "urge"), letter)
    item = await office.received(policy_codes=["one", "two"])
    await move_to(await due(item, "one", 1), clock_moves)
    assert await office.fire() == 4
    assert await office.told(item) == {"owner": [ReminderKind.TO_RECEIVE, ReminderKind.OVERDUE]}
    assert await Draft.filter(item_id=item.id).count() == 1
    spoke = await Timer.filter(item_id=item.id, state=TimerState.FIRED).values_list("policy_code", "step")
    assert sorted(spoke) == [("two", 1), ("two", 2)]


@pytest.mark.parametrize("action", ["reminder_letter", "interview", "consultation", "circular"])
async def test_beyond_the_urge_the_machine_only_drafts(office: Office, clock_moves: Moves, action: str) -> None:
    await policy(office, "hard", ("overdue", 1, 4, "unit_leader", action))
    item = await office.received(policy_codes=["hard"])
    await move_to(await due(item, "hard", 1), clock_moves)
    await office.fire()
    assert await office.told(item, "leader") == {}
    (draft,) = await Draft.filter(item_id=item.id)
    await escalations.decide(draft.id, by=office.overseer, approve=True)
    assert await office.told(item, "leader") == {"leader": [ReminderKind.MEASURE_TO_REPLY]}


async def test_a_person_does_not_urge_right_after_the_machine_did(office: Office, clock_moves: Moves) -> None:
    item = await office.issued(policy_codes=["unacknowledged"], due_days=60)
    await move_to(await due(item, "unacknowledged", 1), clock_moves)
    await office.fire()
    with pytest.raises(TooMany) as refused:
        await ledger.urge(item.id, by=office.leader)
    assert refused.value.code == "urged_recently"
    clock_moves(hours=25)
    await ledger.urge(item.id, by=office.leader)
    assert await office.told(item, "owner") == {
        "owner": [ReminderKind.TO_RECEIVE, ReminderKind.URGE, ReminderKind.URGE]
    }


async def test_what_is_not_with_its_owner_is_not_urged(office: Office) -> None:
    for item in (await office.requested(), await office.closed()):
        with pytest.raises(Conflict) as refused:
            await ledger.urge(item.id, by=office.leader)
        assert refused.value.code == "wrong_state"


async def test_during_a_hold_nothing_climbs_and_at_its_end_each_hears_once(office: Office, clock_moves: Moves) -> None:
    item = await office.received(policy_codes=["near_due", "overdue"], due_days=5)
    until = clock.now() + timedelta(days=21)
    await ledger.hold(item.id, by=office.leader, until=until, why="已当面约定分期完成")
    clock_moves(days=20)
    assert await office.fire() == 0
    await move_to(until, clock_moves)
    await office.fire()
    assert await office.fire() == 0
    heard = await office.told(item)
    assert heard.pop("owner") == [ReminderKind.TO_RECEIVE, ReminderKind.OVERDUE]
    assert all(kinds == [ReminderKind.ESCALATED] for kinds in heard.values())
    assert {"leader", "upper"} <= set(heard)
    labels = [moment.label for moment in await ledger.timeline(item.id, by=office.owner)]
    assert labels[0] == "暂缓提醒"


async def test_a_hold_that_is_released_leaves_everything_as_it_was(office: Office, clock_moves: Moves) -> None:
    item = await office.received(policy_codes=["near_due", "overdue"])
    before = await Timer.filter(item_id=item.id).order_by("id").values("id", "due_at", "state")
    until = clock.now() + timedelta(days=40)
    await ledger.hold(item.id, by=office.overseer, until=until, why="等待上级批复")
    assert await Timer.filter(item_id=item.id, due_at__gt=clock.now(), due_at__lt=until).count() == 0
    for _ in range(2):
        await ledger.release(item.id, by=office.overseer)
    assert await Timer.filter(item_id=item.id).order_by("id").values("id", "due_at", "state") == before
    assert await AuditRow.filter(subject_id=item.id, action="escalation.released").count() == 1


async def test_a_new_deadline_does_not_end_a_hold(office: Office) -> None:
    item = await office.received(policy_codes=["near_due", "overdue"], due_days=5)
    until = clock.now() + timedelta(days=21)
    await ledger.hold(item.id, by=office.leader, until=until, why="延期审批中")
    later = item.due_on + timedelta(days=9)
    await ledger.ask_extension(item.id, by=office.owner, reason="汛期停工", new_due_on=later)
    await ledger.decide_extension(item.id, by=office.leader, granted=True)
    await ledger.decide_extension(item.id, by=office.overseer, granted=True)
    waiting = await Timer.filter(item_id=item.id, state=TimerState.WAITING, due_at__isnull=False)
    assert waiting
    assert all(timer.due_at and timer.due_at >= until for timer in waiting)


async def test_only_those_above_hold_and_say_why_and_until_when(office: Office) -> None:
    item = await office.received()
    soon = clock.now() + timedelta(days=3)
    for part in ("owner", "colleague", "stranger"):
        with pytest.raises(NotFound):
            await ledger.hold(item.id, by=office.scopes[part], until=soon, why="有事")
    for wrong in ({"why": " "}, {"until": clock.now()}, {"until": clock.now() + timedelta(days=61)}):
        with pytest.raises(Invalid):
            await ledger.hold(item.id, by=office.leader, **{"until": soon, "why": "有事", **wrong})  # type: ignore[arg-type]
