"""What is foretold is what then happens: told by the clock's walk, counted from the pushes that really leave."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from models import deliveries, escalations, ledger, organization
from models.base import clock
from models.base.calendar import calendar_of
from models.base.errors import Conflict, Forbidden, Invalid, NotFound
from models.base.scope import Grant, Role, Scope
from models.deliveries import Conclusion, DeliveryState
from models.escalations import Draft, Timer, TimerState
from models.ledger import Foretold, Item
from models.organization import Binding, Zone
from models.reminders import Reminder
from tests.counting import statements
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")
Moves = Callable[..., None]
HOUR = timedelta(hours=1)


@pytest.fixture
async def office(zone: Zone, clock_moves: Moves) -> Office:
    """At half past nine in the morning of a working day, everybody's phone ready for messages."""
    day = (await calendar_of(zone.id)).add_working_days(clock.today(), 1)
    clock_moves(seconds=(clock.at(day, 9, 30) - clock.now()).total_seconds())
    office = await open_office(zone)
    for part, person in office.people.items():
        await Binding.create(zone_id=zone.id, person_id=person.id, openid=part, bound_at=clock.now())
        for _ in range(20):
            await deliveries.credit(zone.id, part, "T")
    return office


async def budget(office: Office, messages: int) -> None:
    admin = Scope(office.zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    await organization.change_settings(by=admin, changes={"daily_budget": messages})


def spoken(foretold: list[Foretold]) -> list[tuple[object, str, int, str]]:
    return [(one.told.person_id, one.told.policy_code, one.told.step, one.name) for one in foretold if one.told.at]


async def fired_of(item: Item, clock_moves: Moves, office: Office) -> list[tuple[datetime, object]]:
    """When whom the machine really told, as the clock walks from step to step."""
    told: list[tuple[datetime, object]] = []
    while (
        timer := await Timer.filter(item_id=item.id, state=TimerState.WAITING, due_at__isnull=False)
        .order_by("due_at")
        .first()
    ):
        assert timer.due_at is not None
        clock_moves(seconds=(timer.due_at - clock.now()).total_seconds() + 1)
        await office.fire()
        since = timer.due_at - HOUR / 60
        fresh = await Reminder.filter(subject_id=item.id, made_at__gte=since).values_list("person_id", flat=True)
        drafted = await Draft.filter(item_id=item.id, drafted_at__gte=since).values_list("addressee_id", flat=True)
        told += [(timer.due_at, person) for person in (*fresh, *drafted)]
    return told


async def test_the_simulation_says_whom_the_machine_then_tells_and_when(office: Office, clock_moves: Moves) -> None:
    today, colleague = clock.today(), office.people["colleague"].id
    long = {"from_on": today, "until_on": today + timedelta(days=60)}
    await organization.delegate(by=office.leader, delegate_id=colleague, **long)
    draft = await office.draft(due_days=3)
    foretold = [(one.told.at, one.told.person_id) for one in await ledger.simulate(draft.id, by=office.overseer)]
    item = await ledger.issue(draft.id, by=office.overseer, although_similar=True)
    after = [(one.told.at, one.told.person_id) for one in await ledger.simulate(item.id, by=office.overseer)]
    assert [person for _, person in after] == [person for _, person in foretold]
    happened = await fired_of(item, clock_moves, office)
    timed = [(at, person) for at, person in after if at is not None]
    assert Counter(happened) == Counter(timed)
    assert len(timed) > 5


async def test_a_policy_is_tried_on_an_item_before_it_is_set(office: Office) -> None:
    item = await office.received(policy_codes=["near_due"])
    step = {"condition": "overdue", "amount": 1, "level": 2, "tell": ["unit_leader", "oversight"], "action": "remind"}
    form = escalations.policy_form("trial", "试行", [step, {**step, "amount": 2, "action": "interview"}])
    foretold = await ledger.simulate(item.id, by=office.overseer, policy=form)
    at = [clock.at((await calendar_of(office.zone.id)).add_working_days(item.due_on, n), 9) for n in (1, 2)]
    above = [office.people[part] for part in ("leader", "overseer", "second_overseer")]
    assert {(one.told.at, one.name) for one in foretold} == {(when, person.name) for when in at for person in above}
    assert not await escalations.Policy.exists()
    with pytest.raises(Invalid):
        await ledger.simulate(item.id, by=office.overseer, policy="nowhere")
    with pytest.raises(NotFound):
        await ledger.simulate(item.id, by=office.leader, policy=form)


async def test_what_waits_for_a_return_comes_last_and_has_no_time(office: Office) -> None:
    item = await office.received(policy_codes=["overdue"])
    *_, last = await ledger.simulate(item.id, by=office.overseer)
    assert (last.told.at, last.told.amount, last.told.person_id) == (None, 3, office.people["leader"].id)


async def walk(office: Office, clock_moves: Moves, until: datetime) -> Counter[object]:
    """An hour at a time: fire, push; how many messages each got."""
    messages = Counter[object]()
    while clock.now() < until:
        await office.fire()
        clock_moves(seconds=deliveries.GATHER.total_seconds())
        pushes = await deliveries.begin(office.zone.id, "T")
        await deliveries.conclude([Conclusion(push, DeliveryState.SENT) for push in pushes], "T")
        messages += Counter(push.person_id for push in pushes)
        clock_moves(seconds=(HOUR / 2 - deliveries.GATHER).total_seconds())
    return messages


async def test_the_preview_counts_the_messages_that_then_leave(office: Office, clock_moves: Moves) -> None:
    for days in (1, 2, 3, 5, 8):
        await office.draft(due_days=days)
    await office.draft(owner_id=office.people["colleague"].id, due_days=2)
    await office.issued(due_days=2, owner_id=office.people["colleague"].id)
    clock_moves(minutes=1)
    await walk(office, clock_moves, clock.now() + HOUR / 60)
    preview = await ledger.preview_campaign(office.campaign.id, by=office.overseer)
    assert (preview.items, preview.past_due, preview.whole) == (6, 0, True)
    until = clock.at(clock.today() + timedelta(days=7))
    await ledger.issue_campaign(office.campaign.id, by=office.overseer, although_similar=True)
    messages = await walk(office, clock_moves, until)
    assert preview.messages == messages.total()
    assert preview.by_messages == dict(Counter(messages.values()))
    assert 0 < preview.already < preview.messages
    assert sum(day.messages for day in preview.days) == preview.messages


async def test_a_budget_that_would_be_exceeded_is_said_before_issuing(office: Office) -> None:
    draft = await office.draft(due_days=5)
    assert (await ledger.preview_item(draft.id, by=office.overseer)).warning is None
    await budget(office, 1)
    step = {"condition": "unacknowledged", "amount": 1, "level": 1, "tell": ["owner"], "action": "urge"}
    await escalations.put_policy(
        escalations.policy_form("hourly", "催", [step, {**step, "amount": 2}]), by=office.overseer
    )
    draft = await office.draft(due_days=5, policy_codes=["hourly"])
    preview = await ledger.preview_item(draft.id, by=office.overseer)
    assert (preview.people, preview.messages, preview.by_messages) == (1, 3, {3: 1})
    assert [day.over_budget for day in preview.days][:2] == [1, 0]
    today = clock.today()
    assert preview.warning is not None
    assert f"{today.month}月{today.day}日将有1人收到超过1条消息" in preview.warning


async def test_only_the_office_previews_and_only_drafts(office: Office) -> None:
    with pytest.raises(Forbidden):
        await ledger.preview_campaign(office.campaign.id, by=office.leader)
    with pytest.raises(NotFound):
        await ledger.preview_item((await office.draft()).id, by=office.leader)
    with pytest.raises(Conflict):
        await ledger.preview_item((await office.issued()).id, by=office.overseer)


async def test_a_preview_costs_the_same_however_many_drafts_there_are(office: Office) -> None:
    async def cost() -> int:
        with statements() as heard:
            await ledger.preview_campaign(office.campaign.id, by=office.overseer)
        return len(heard)

    await office.draft()
    few = await cost()
    for _ in range(20):
        await office.draft(due_days=1 + office.drafted % 9)
    assert await cost() == few
    assert not await Reminder.exists()
