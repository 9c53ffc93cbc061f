"""Drafting and issuing: the gate, numbers without gaps, chains, deadlines, and the same asked twice."""

import asyncio
from contextvars import Context
from datetime import date, timedelta

import pytest
from tortoise.transactions import in_transaction

from models import ledger
from models.base import calendar, clock
from models.base import database as postgres
from models.base.errors import Conflict, Forbidden, Invalid, NotFound
from models.escalations import Timer, Watch
from models.ledger import Cycle, Item, ListKind, NumberSeries, State
from models.ledger.similar import likeness
from models.organization import Zone
from models.reminders import Reminder
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


def year() -> int:
    return clock.today().year


async def test_numbers_run_by_list_and_year(office: Office) -> None:
    kinds = (ListKind.TASK, ListKind.PROBLEM, ListKind.TASK, ListKind.RESPONSIBILITY)
    numbers = [(await office.issued(list=kind)).number for kind in kinds]
    places = ("RW-{}-0001", "WT-{}-0001", "RW-{}-0002", "ZR-{}-0001")
    assert numbers == [f"ZL-{place.format(year())}" for place in places]


async def test_an_issue_that_is_rolled_back_leaves_no_gap(office: Office) -> None:
    await office.issued()
    draft = await office.draft(due_on=clock.today() + timedelta(days=1))
    await Item.filter(id=draft.id).update(due_on=clock.today() - timedelta(days=1))
    with pytest.raises(Invalid, match="已经过去"):
        await ledger.issue(draft.id, by=office.overseer)
    assert (await office.issued()).number == f"ZL-RW-{year()}-0002"


async def test_many_issuing_at_once_take_consecutive_numbers(office: Office) -> None:
    drafts = [await office.draft() for _ in range(12)]
    issued = await asyncio.gather(
        *(ledger.issue(draft.id, by=office.overseer, although_similar=True) for draft in drafts)
    )
    assert sorted(item.number or "" for item in issued) == [f"ZL-RW-{year()}-{n:04d}" for n in range(1, 13)]


async def test_whoever_waits_behind_an_issue_that_is_rolled_back_takes_its_number(office: Office) -> None:
    first, *others = [await office.draft() for _ in range(5)]

    async def issue_others() -> list[Item]:
        by = office.overseer
        return await asyncio.gather(*(ledger.issue(one.id, by=by, although_similar=True) for one in others))

    with pytest.raises(ZeroDivisionError):
        async with in_transaction():
            assert (await ledger.issue(first.id, by=office.overseer)).number == f"ZL-RW-{year()}-0001"
            behind = asyncio.get_running_loop().create_task(issue_others(), context=Context())
            await _somebody_waits()
            raise ZeroDivisionError
    assert sorted(item.number or "" for item in await behind) == [f"ZL-RW-{year()}-{n:04d}" for n in range(1, 5)]
    assert (await Item.get(id=first.id)).state is State.DRAFT


async def _somebody_waits() -> None:
    async with asyncio.timeout(10):
        while not (await postgres.fetch("select count(*) as n from pg_locks where not granted"))[0]["n"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_two_issuing_the_same_draft_give_it_one_number(office: Office) -> None:
    draft = await office.draft()
    outcomes = await asyncio.gather(
        *(ledger.issue(draft.id, by=by) for by in (office.overseer, office.second_overseer)), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "Item"]
    assert (await NumberSeries.get(list=ListKind.TASK)).given == 1


async def test_issue_snapshots_the_chain_and_sets_the_timers(office: Office) -> None:
    item = await office.issued()
    people = office.people
    assert item.chain["unit_leader"] == str(people["leader"].id)
    assert item.chain["upward"] == [str(people["upper"].id)]
    assert set(item.chain["oversight"]) == {str(people[part].id) for part in ("overseer", "second_overseer")}
    watch = await Watch.get(item_id=item.id)
    assert (watch.cycle, watch.due_on) == (1, item.due_on)


async def test_only_public_and_internal_pass_the_gate(office: Office) -> None:
    for marked in ("秘密", "secret", "机密"):
        with pytest.raises(Invalid, match="系统外办理") as refused:
            await office.draft(classification=marked)
        assert refused.value.code == "classification_too_high"
    assert not await Item.exists()


async def test_a_draft_names_everything_that_is_wrong_with_it(office: Office) -> None:
    wrong = (
        ("owner_not_in_unit", {"owner_id": office.people["stranger"].id}),
        ("bad_due", {"due_on": clock.today(), "due_days": 3}),
        ("too_far", {"due_on": date(9999, 12, 31)}),
        ("due_in_past", {"due_on": clock.today() - timedelta(days=1)}),
        ("unknown_policy", {"policy_codes": ["nowhere"]}),
    )
    for code, changed in wrong:
        with pytest.raises(Invalid) as refused:
            await office.draft(**changed)
        assert refused.value.code == code
    with pytest.raises(Forbidden):
        await ledger.draft(office.matter(), campaign_id=office.campaign.id, by=office.leader)


async def test_a_draft_changed_meanwhile_is_not_overwritten(office: Office) -> None:
    draft = await office.draft()
    await ledger.revise(draft.id, office.matter(title="改一"), by=office.overseer, version=draft.version)
    with pytest.raises(Conflict) as refused:
        await ledger.revise(draft.id, office.matter(title="改二"), by=office.second_overseer, version=draft.version)
    assert refused.value.code == "changed_meanwhile"


async def test_a_similar_open_item_of_the_same_owner_is_shown_before_issue(office: Office) -> None:
    words = {"title": "核对长河路雨污分流工程款", "requirement": "对照合同和验收单逐笔核对，形成书面说明。"}
    first = await office.issued(**words)
    again = await office.draft(**{**words, "title": "长河路雨污分流工程款核对"})
    with pytest.raises(Conflict, match=first.number) as refused:
        await ledger.issue(again.id, by=office.overseer)
    assert refused.value.code == "similar_open_item"
    assert [other["id"] for other in refused.value.extra["similar"]] == [str(first.id)]
    assert (await ledger.issue(again.id, by=office.overseer, although_similar=True)).state is State.ISSUED


async def test_what_is_closed_or_another_owners_is_not_similar(office: Office) -> None:
    words = {"title": "核对长河路雨污分流工程款", "requirement": "逐笔核对，形成书面说明。"}
    await office.closed(**words)
    await office.issued(**words, owner_id=office.people["colleague"].id)
    assert await ledger.similar_open(office.zone.id, office.people["owner"].id, *words.values()) == []


def test_likeness_goes_by_pairs_of_characters() -> None:
    assert likeness("雨污分流工程款核对", "雨污分流工程款核对。") == 1
    assert likeness("雨污分流工程款核对", "核对雨污分流工程款") > 0.8
    assert likeness("雨污分流工程款核对", "盘点国有资产出租合同") < 0.1


async def test_a_campaign_is_issued_whole_and_repeating_it_goes_on(office: Office) -> None:
    for number in range(60):
        await office.draft(list=list(ListKind)[number % 3])
    issued = await ledger.issue_campaign(office.campaign.id, by=office.overseer, although_similar=True)
    expected = {f"ZL-{code}-{year()}-{n:04d}" for code in ("RW", "ZR", "WT") for n in range(1, 21)}
    assert set(issued.numbers) == expected
    assert (await ledger.issue_campaign(office.campaign.id, by=office.overseer)).numbers == []
    assert await Cycle.all().count() == await Reminder.all().count() == 60


async def test_a_campaign_leaves_similar_drafts_for_a_decision(office: Office) -> None:
    words = {"title": "核对长河路雨污分流工程款", "requirement": "逐笔核对，形成书面说明。"}
    twins = [await office.draft(**words), await office.draft(**words)]
    other = await office.draft()
    issued = await ledger.issue_campaign(office.campaign.id, by=office.overseer)
    assert len(issued.numbers) == 2
    assert [(like.item_id, like.other_id) for like in issued.similar] == [(twins[1].id, twins[0].id)]
    assert (await Item.get(id=other.id)).state is State.ISSUED
    assert (await Item.get(id=twins[1].id)).state is State.DRAFT


async def test_a_draft_that_is_overdue_already_does_not_hold_up_the_others(office: Office) -> None:
    late, good = await office.draft(due_on=clock.today()), await office.draft()
    await Item.filter(id=late.id).update(due_on=clock.today() - timedelta(days=1))
    issued = await ledger.issue_campaign(office.campaign.id, by=office.overseer)
    assert (len(issued.numbers), issued.past_due) == (1, [late.id])
    assert (await Item.get(id=good.id)).state is State.ISSUED


async def test_working_days_are_counted_from_issue(office: Office) -> None:
    item = await office.issued(due_days=10)
    days = await calendar.calendar_of(office.zone.id)
    assert item.due_on == days.add_working_days(clock.today(), 10)


async def test_an_unannounced_year_is_said_and_its_notice_recounts(office: Office) -> None:
    item = await office.issued(due_days=250)
    assert item.due_on is not None
    assert "尚未公布" in (ledger.caveat(item) or "")
    fixed = await office.issued(due_on=item.due_on)
    admin = type(office.overseer)(office.zone.id, "account:admin", grants=_admin())
    off = [date(item.due_on.year, 1, 1), item.due_on - timedelta(days=1), item.due_on]
    await calendar.import_notice(by=admin, year=item.due_on.year, holidays=off, workdays=[], source="国办发明电")
    assert await ledger.recount(office.zone.id) == 1
    moved = await Item.get(id=item.id)
    assert moved.due_on is not None
    assert moved.due_on > item.due_on
    assert ledger.caveat(moved) is None
    assert (await Cycle.get(item_id=item.id)).due_on == (await Watch.get(item_id=item.id)).due_on == moved.due_on
    assert (await Item.get(id=fixed.id)).due_on == fixed.due_on
    assert await ledger.recount(office.zone.id) == 0


async def test_a_new_holiday_moves_what_is_counted_in_working_time_too(office: Office) -> None:
    """A date stays, but three working days before it are others; nobody is urged on a day off."""
    days = await calendar.calendar_of(office.zone.id)
    due_on = days.add_working_days(date(clock.today().year + 1, 6, 1), 10)
    item = await office.issued(due_on=due_on)
    soon = days.add_working_days(clock.today(), 1)
    off = [days.add_working_days(due_on, -2), soon]
    for year in sorted({day.year for day in off}):
        listed = [day for day in off if day.year == year]
        admin = type(office.overseer)(office.zone.id, "account:admin", grants=_admin())
        kept = days.holidays | set(listed) if days.announced(year) else listed
        holidays = [day for day in kept if day.year == year]
        workdays = [day for day in days.workdays if day.year == year]
        await calendar.import_notice(by=admin, year=year, holidays=holidays, workdays=workdays, source="国办发明电")
    assert await ledger.recount(office.zone.id) == 0
    new = await calendar.calendar_of(office.zone.id)
    timers = {(row.condition.value, row.amount): row.due_at for row in await Timer.filter(item_id=item.id)}
    assert timers["days_to_due", 3] == clock.at(new.add_working_days(due_on, -3), 9)
    assert item.issued_at is not None
    assert timers["unacknowledged", 8] == new.add_working_hours(item.issued_at, 8)
    assert clock.local(timers["unacknowledged", 8]).date() != soon


def _admin() -> tuple:  # type: ignore[type-arg]
    from models.base.scope import Grant, Role

    return (Grant(Role.ADMIN, "/kfq/"),)


async def test_another_zones_campaign_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        await ledger.draft(office.matter(), campaign_id=office.zone.id, by=office.overseer)
