"""Lists and timelines: who sees which items, in parts, at a cost that does not grow with them."""

from datetime import timedelta

import pytest

from models import ledger
from models.base.errors import NotFound
from models.base.scope import Scope
from models.ledger import Filters, Item, Line, ListKind, State
from models.organization import Zone
from tests.counting import statements
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


def ids(found: list[Line]) -> list[object]:
    return [item.id for item in found]


async def test_a_list_comes_in_parts_newest_first(office: Office) -> None:
    made = [(await office.issued()).id for _ in range(5)]
    first = await ledger.items(by=office.overseer, filters=Filters(), limit=3)
    rest = await ledger.items(by=office.overseer, filters=Filters(), after=first[-1].id, limit=3)
    assert ids(first) + ids(rest) == made[::-1]


async def test_a_list_costs_the_same_however_long_it_is(office: Office) -> None:
    async def cost() -> int:
        with statements() as heard:
            for item in await ledger.items(by=office.overseer, filters=Filters(), limit=50):
                assert item.owner and item.unit
            await ledger.mine(by=office.owner)
            await ledger.to_review(by=office.leader)
        return len(heard)

    await office.requested()
    short = await cost()
    for _ in range(8):
        await office.requested()
    assert await cost() == short


async def test_a_timeline_costs_the_same_however_long_it_is(office: Office) -> None:
    item = await office.received()

    async def cost() -> int:
        with statements() as heard:
            await ledger.timeline(item.id, by=office.owner)
        return len(heard)

    await ledger.report(item.id, by=office.owner, text="第一次")
    short = await cost()
    for number in range(6):
        await ledger.report(item.id, by=office.owner, text=f"进展{number}")
    assert await cost() == short


async def test_a_timeline_comes_in_parts(office: Office) -> None:
    item = await office.closed()
    first = await ledger.timeline(item.id, by=office.owner, limit=4)
    rest = await ledger.timeline(item.id, by=office.owner, after=first[-1].id, limit=4)
    assert [moment.label for moment in first + rest] == [*("复核销号", "初审通过", "申请销号", "签收", "交办", "起草")]


async def test_filters_narrow_the_list(office: Office, clock_moves) -> None:  # type: ignore[no-untyped-def]
    problem = await office.issued(list=ListKind.PROBLEM, title="占道经营反复出现")
    closed = await office.closed()
    draft = await office.draft()

    async def found(**asked: object) -> list[object]:
        return ids(await ledger.items(by=office.overseer, filters=Filters(**asked)))  # type: ignore[arg-type]

    assert await found(states=[State.CLOSED]) == [closed.id]
    assert await found(list=ListKind.PROBLEM) == [problem.id]
    assert await found(text="占道") == [problem.id]
    assert await found(text=str(closed.number).lower()) == [closed.id]
    assert await found(unit_path="/kfq/rd/") == []
    assert await found(campaign_id=office.campaign.id) == [draft.id, closed.id, problem.id]
    clock_moves(days=60)
    assert await found(overdue=True) == [problem.id]
    assert await found(overdue=False) == [draft.id, closed.id]


async def test_mine_are_those_i_own_or_stand_in_for_and_end_apart(office: Office) -> None:
    own, done = await office.issued(), await office.closed()
    await office.draft()
    assert ids(await ledger.mine(by=office.owner)) == [own.id]
    assert ids(await ledger.mine(by=office.owner, done=True)) == [done.id]
    assert await ledger.mine(by=office.colleague) == []
    await office.absent("owner", "colleague")
    assert ids(await ledger.mine(by=office.colleague)) == [own.id]


async def test_to_review_is_what_waits_for_my_decision(office: Office) -> None:
    at_unit, at_oversight, extended = await office.requested(), await office.reviewed(), await office.received()
    new_due_on = extended.due_on + timedelta(days=9)
    await ledger.ask_extension(extended.id, by=office.owner, reason="汛期", new_due_on=new_due_on)
    assert ids(await ledger.to_review(by=office.leader)) == [extended.id, at_unit.id]
    assert ids(await ledger.to_review(by=office.overseer)) == [at_oversight.id]
    assert await ledger.to_review(by=office.owner) == []
    await ledger.decide_extension(extended.id, by=office.leader, granted=True)
    assert ids(await ledger.to_review(by=office.overseer)) == [extended.id, at_oversight.id]


async def test_a_unit_leader_sees_the_own_subtree_and_no_drafts(office: Office) -> None:
    item = await office.issued()
    elsewhere = await office.issued(owner_id=office.people["stranger"].id, unit_id=office.units["rd"].id)
    await office.draft()
    assert ids(await ledger.items(by=office.leader, filters=Filters())) == [item.id]
    assert ids(await ledger.items(by=office.upper, filters=Filters())) == [elsewhere.id, item.id]
    assert ids(await ledger.items(by=office.stranger, filters=Filters())) == [elsewhere.id]


async def test_a_page_opens_to_exactly_those_whose_lists_show_the_item(office: Office) -> None:
    """`whole` says in a statement of its own who may read."""
    made: list[Item] = [await office.draft(), await office.issued(), await office.closed()]
    made.append(await office.issued(owner_id=office.people["stranger"].id, unit_id=office.units["rd"].id))
    await office.absent("owner", "colleague")
    for by in (*office.scopes.values(), Scope.system(office.owner.zone_id)):
        listed = set(ids(await ledger.items(by=by, filters=Filters())))
        assert {item.id for item in made if await opens(item, by)} == listed


async def opens(item: Item, by: Scope) -> bool:
    try:
        return (await ledger.whole(item.id, by=by)).item.id == item.id
    except NotFound:
        return False
