"""What relapses again and again is proposed to oversight, once; a person decides, and no phone hears of it."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from models import ledger, lookbacks
from models.base import clock
from models.base.errors import Conflict, Invalid, NotFound
from models.ledger import Campaign, Item, ListKind, State
from models.lookbacks import PatternState, RelapsePattern
from models.lookbacks.patterns import months_before
from models.organization import Appointment, Zone
from models.reminders import Reminder
from tests.lookback_zone import Office, acts, furnish

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await furnish(zone)


async def relapse(office: Office, unit: str = "A", item: Item | None = None, **closed: Any) -> Item:
    """One relapse, and what follows it."""
    item = item or await office.closed_item(unit, **closed)
    by = await office.scope("inspector 1")
    item_id = UUID(str(item.id))
    again = await ledger.reopen(item_id, by=by, reason="反弹", basis="回头看")
    await lookbacks.look_for_pattern(office.zone.id, item_id)
    return again


async def proposed(office: Office, **state: Any) -> list[RelapsePattern]:
    return await lookbacks.patterns(by=await office.scope("oversight"), **state)


async def test_the_third_relapse_of_a_kind_in_a_unit_is_proposed(office: Office) -> None:
    items = [await relapse(office) for _ in range(2)]
    assert await proposed(office) == []
    items.append(await relapse(office))
    (pattern,) = await proposed(office)
    assert (pattern.unit.name, pattern.list, pattern.area, pattern.relapses) == ("A", ListKind.PROBLEM, "工程建设", 3)
    assert pattern.items == [str(item.id) for item in items]
    assert await acts(pattern.id) == ["relapse_pattern.proposed"]


async def test_one_matter_that_relapses_three_times_is_a_pattern_too(office: Office) -> None:
    item = await relapse(office)
    for _ in range(2):
        await office.close(item.id, "A")
        await relapse(office, item=item)
    (pattern,) = await proposed(office)
    assert (pattern.relapses, pattern.items) == (3, [str(item.id)])


async def test_other_units_and_kinds_do_not_add_up(office: Office) -> None:
    await relapse(office)
    await relapse(office)
    await relapse(office, "B")
    await relapse(office, kind=ListKind.TASK)
    assert await proposed(office) == []


async def test_what_was_returned_is_no_relapse(office: Office) -> None:
    for _ in range(3):
        item = UUID(str((await office.closed_item("A")).id))
        await ledger.send_back(item, by=await office.scope("inspector 1"), reason="未到位", basis="回头看")
        await lookbacks.look_for_pattern(office.zone.id, item)
    assert await proposed(office) == []


async def test_relapses_of_long_ago_do_not_count(office: Office, clock_moves: Callable[..., None]) -> None:
    await relapse(office)
    await relapse(office)
    clock_moves(days=200)
    await relapse(office)
    assert await proposed(office) == []


async def test_a_zone_sets_how_often_and_within_how_long(office: Office) -> None:
    office.zone.settings = {"pattern_relapses": 2}
    await office.zone.save()
    await relapse(office)
    await relapse(office)
    assert len(await proposed(office)) == 1


async def test_two_relapses_at_once_make_one_proposal(office: Office) -> None:
    items = [UUID(str((await office.closed_item("A")).id)) for _ in range(4)]
    for item in items:
        await ledger.reopen(item, by=await office.scope("inspector 1"), reason="反弹", basis="回头看")
    await asyncio.gather(*(lookbacks.look_for_pattern(office.zone.id, item) for item in items))
    (pattern,) = await proposed(office)
    assert pattern.relapses == 4


async def test_one_more_is_added_to_what_waits_already(office: Office) -> None:
    for _ in range(4):
        await relapse(office)
    (pattern,) = await proposed(office)
    assert pattern.relapses == 4
    assert await acts(pattern.id) == ["relapse_pattern.proposed"]


async def test_nobody_is_told_on_a_phone(office: Office) -> None:
    await relapse(office)
    await relapse(office)
    third = await office.closed_item("A")
    await ledger.reopen(UUID(str(third.id)), by=await office.scope("inspector 1"), reason="反弹", basis="回头看")
    before = await Reminder.filter(zone_id=office.zone.id).count()
    await lookbacks.look_for_pattern(office.zone.id, third.id)
    assert len(await proposed(office)) == 1
    assert await Reminder.filter(zone_id=office.zone.id).count() == before


async def test_what_was_dismissed_is_not_proposed_again_until_as_many_relapse_anew(office: Office) -> None:
    for _ in range(3):
        await relapse(office)
    (pattern,) = await proposed(office)
    by = await office.scope("oversight")
    with pytest.raises(Invalid, match="required"):
        await lookbacks.dismiss_pattern(pattern.id, " ", by=by)
    for _ in range(2):
        dismissed = await lookbacks.dismiss_pattern(pattern.id, "同一处工地，已另案督办。", by=by)
    assert (dismissed.state, dismissed.reason) == (PatternState.DISMISSED, "同一处工地，已另案督办。")
    assert await acts(pattern.id) == ["relapse_pattern.proposed", "relapse_pattern.dismissed"]
    await relapse(office)
    await relapse(office)
    assert await proposed(office, state=PatternState.PROPOSED) == []
    await relapse(office)
    (again,) = await proposed(office, state=PatternState.PROPOSED)
    assert again.relapses == 3


async def test_accepted_it_is_a_campaign_with_a_draft_for_each_owner_and_nothing_issued(office: Office) -> None:
    for _ in range(3):
        await relapse(office)
    (pattern,) = await proposed(office)
    by, before = await office.scope("oversight"), await Reminder.filter(zone_id=office.zone.id).count()
    accepted = await lookbacks.accept_pattern(pattern.id, "工程建设反弹专项", by=by)
    again = await lookbacks.accept_pattern(pattern.id, "工程建设反弹专项", by=by)
    assert accepted.campaign_id == again.campaign_id
    campaign = await Campaign.get(id=accepted.campaign_id)
    assert campaign.name == "工程建设反弹专项" and "反弹3次" in campaign.purpose
    (draft,) = await Item.filter(campaign_id=campaign.id)
    assert (draft.state, draft.owner_id, draft.list) == (State.DRAFT, office.people["owner A"], ListKind.PROBLEM)
    numbers = [item.number for item in await Item.filter(id__in=pattern.items)]
    assert all(number and number in draft.requirement for number in numbers)
    assert len(lookbacks.checklist(draft.requirement)) == 4
    assert await Reminder.filter(zone_id=office.zone.id).count() == before
    with pytest.raises(Conflict, match="already_decided"):
        await lookbacks.dismiss_pattern(pattern.id, "不列入", by=by)


async def test_a_name_that_is_taken_changes_nothing(office: Office) -> None:
    for _ in range(3):
        await relapse(office)
    (pattern,) = await proposed(office)
    with pytest.raises(Conflict, match="campaign_exists"):
        await lookbacks.accept_pattern(pattern.id, "年度监督台账", by=await office.scope("oversight"))
    assert (await RelapsePattern.get(id=pattern.id)).state is PatternState.PROPOSED


async def test_where_the_owner_has_left_the_units_leader_looks_for_the_cause(office: Office) -> None:
    for _ in range(3):
        await relapse(office)
    (pattern,) = await proposed(office)
    gone = clock.today() - timedelta(days=1)
    await Appointment.filter(person_id=office.people["owner A"]).update(until_on=gone)
    accepted = await lookbacks.accept_pattern(pattern.id, "专项", by=await office.scope("oversight"))
    (draft,) = await Item.filter(campaign_id=accepted.campaign_id)
    assert draft.owner_id == office.people["leader A"]


async def test_many_relapses_fit_into_one_requirement(office: Office) -> None:
    office.zone.settings = {"pattern_relapses": 2}
    await office.zone.save()
    for _ in range(3):
        await relapse(office)
    (pattern,) = await proposed(office)
    await Item.filter(id__in=pattern.items).update(title="长" * 100)
    pattern.items = [*pattern.items] * 10
    await pattern.save()
    accepted = await lookbacks.accept_pattern(pattern.id, "专项", by=await office.scope("oversight"))
    (draft,) = await Item.filter(campaign_id=accepted.campaign_id)
    assert len(draft.requirement) <= 2000


async def test_another_oversights_proposal_does_not_exist(office: Office) -> None:
    for _ in range(3):
        await relapse(office)
    (pattern,) = await proposed(office)
    elsewhere = await office.scope("other oversight")
    assert await lookbacks.patterns(by=elsewhere) == []
    for act in (lookbacks.accept_pattern, lookbacks.dismiss_pattern):
        with pytest.raises(NotFound):
            await act(pattern.id, "专项", by=elsewhere)


@pytest.mark.parametrize(
    ("day", "months", "earlier"),
    [
        (date(2026, 11, 24), 6, date(2026, 5, 24)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 5), 1, date(2025, 12, 5)),
        (date(2026, 12, 1), 24, date(2024, 12, 1)),
    ],
)
def test_months_are_counted_back_over_years_and_short_months(day: date, months: int, earlier: date) -> None:
    assert months_before(day, months) == earlier
