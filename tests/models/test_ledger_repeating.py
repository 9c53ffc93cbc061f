"""Every step may be sent again, later or at the same instant: it is answered alike, written once, told once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from models import ledger
from models.base import clock
from models.base.audit import AuditRow
from models.base.errors import Forbidden
from models.ledger import OPEN, TABLE, Cycle, Item, State
from models.organization import Zone
from models.reminders import Reminder
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")
Step = Callable[[Office, Item], Awaitable[Any]]


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


def later(item: Item, days: int = 30) -> dict[str, Any]:
    return {"new_due_on": (item.due_on or clock.today()) + timedelta(days=days)}


def ahead(days: int = 30) -> Any:
    return clock.today() + timedelta(days=days)


async def proved(office: Office) -> Item:
    item = await office.received()
    await ledger.count_evidence(item)
    return item


async def asked(office: Office) -> Item:
    item = await office.received()
    await ledger.ask_extension(item.id, by=office.owner, reason="汛期", **later(item))
    return item


async def passed_on(office: Office) -> Item:
    item = await asked(office)
    await ledger.decide_extension(item.id, by=office.leader, granted=True)
    return item


async def long_term(office: Office) -> Item:
    item = await office.received()
    stage = {"stage_goal": "首批", "next_review_on": ahead()}
    return await ledger.make_long_term(item.id, by=office.overseer, reason="成因复杂", **stage)


async def suspended(office: Office) -> Item:
    item = await office.received()
    return await ledger.suspend(item.id, by=office.overseer, reason="等待批复", until=ahead())


RETURN = {"passed": False, "reason": "票据不全", "missing": "付款凭证"}
STEPS: dict[str, tuple[Callable[[Office], Awaitable[Item]], Step]] = {
    "issue": (Office.draft, lambda o, i: ledger.issue(i.id, by=o.overseer)),
    "receive": (Office.issued, lambda o, i: ledger.receive(i.id, by=o.owner)),
    "report": (Office.received, lambda o, i: ledger.report(i.id, by=o.owner, text="已核对一半")),
    "request_close_out": (proved, lambda o, i: ledger.request_close_out(i.id, by=o.owner)),
    "unit_approve": (Office.requested, lambda o, i: ledger.unit_review(i.id, by=o.leader, passed=True)),
    "unit_return": (Office.requested, lambda o, i: ledger.unit_review(i.id, by=o.leader, **RETURN)),  # type: ignore[arg-type]
    "close_out": (Office.reviewed, lambda o, i: ledger.oversight_review(i.id, by=o.overseer, passed=True)),
    "oversight_return": (Office.reviewed, lambda o, i: ledger.oversight_review(i.id, by=o.overseer, **RETURN)),  # type: ignore[arg-type]
    "ask_extension": (Office.received, lambda o, i: ledger.ask_extension(i.id, by=o.owner, reason="汛期", **later(i))),
    "unit_extension": (asked, lambda o, i: ledger.decide_extension(i.id, by=o.leader, granted=True)),
    "oversight_extension": (passed_on, lambda o, i: ledger.decide_extension(i.id, by=o.overseer, granted=True)),
    "make_long_term": (
        Office.received,
        lambda o, i: ledger.make_long_term(
            i.id, by=o.overseer, reason="成因复杂", stage_goal="首批", next_review_on=ahead()
        ),
    ),
    "review_stage": (
        long_term,
        lambda o, i: ledger.review_stage(
            i.id, by=o.overseer, finding="达到", stage_goal="二批", next_review_on=ahead(60)
        ),
    ),
    "suspend": (
        Office.issued,
        lambda o, i: ledger.suspend(i.id, by=o.overseer, reason="等待批复", until=ahead()),
    ),
    "resume": (suspended, lambda o, i: ledger.resume(i.id, by=o.overseer)),
    "cancel": (Office.received, lambda o, i: ledger.cancel(i.id, by=o.overseer, reason="部署调整")),
    "confirm": (Office.closed, lambda o, i: ledger.confirm(i.id, by=o.inspector, basis="第1次回头看")),
    "send_back": (Office.closed, lambda o, i: ledger.send_back(i.id, by=o.inspector, reason="未到位", basis="回头看")),
    "reopen": (Office.closed, lambda o, i: ledger.reopen(i.id, by=o.inspector, reason="反弹", basis="回头看")),
}


def test_every_step_of_the_table_is_tried() -> None:
    assert set(STEPS) == {transition.action.value for transition in TABLE}


async def left(item: Item) -> tuple[object, ...]:
    """All that a step may have written."""
    now = await Item.get(id=item.id)
    told = await Reminder.filter(subject_id=item.id).order_by("id").values_list("id", "state")
    rows = await AuditRow.filter(subject_id=item.id).order_by("id").values_list("action", flat=True)
    cycles = await Cycle.filter(item_id=item.id).order_by("number").values()
    return now.state, now.version, now.due_on, told, rows, cycles


@pytest.mark.parametrize("name", STEPS)
async def test_a_step_sent_again_changes_nothing(office: Office, name: str) -> None:
    begin, step = STEPS[name]
    item = await begin(office)
    await step(office, item)
    once = await left(item)
    await step(office, item)
    assert await left(item) == once


@pytest.mark.parametrize("name", STEPS)
async def test_a_step_sent_twice_at_once_is_taken_once(office: Office, name: str) -> None:
    begin, step = STEPS[name]
    item = await begin(office)
    before = await AuditRow.filter(subject_id=item.id).count()
    await asyncio.gather(*(step(office, item) for _ in range(3)))
    assert await AuditRow.filter(subject_id=item.id).count() == before + 1


@pytest.mark.parametrize("stands_in", ["leader", "overseer"])
async def test_an_immediate_fix_never_ends_without_a_second_person(office: Office, stands_in: str) -> None:
    """Not even where who oversees stands in for the owner, or the owner for who oversees."""
    await office.absent("owner", stands_in)
    acting = office.scopes[stands_in]
    item = await office.issued(immediate_fix=True)
    await ledger.receive(item.id, by=acting)
    await ledger.count_evidence(item)
    assert (await ledger.request_close_out(item.id, by=acting)).state is State.OVERSIGHT_REVIEW
    for same in (acting, office.owner):
        with pytest.raises(Forbidden):
            await ledger.oversight_review(item.id, by=same, passed=True)
    assert (await Item.get(id=item.id)).state in OPEN
    assert (await ledger.oversight_review(item.id, by=office.second_overseer, passed=True)).state is State.CLOSED


async def test_the_owner_does_not_close_an_immediate_fix_for_an_absent_overseer(office: Office) -> None:
    await office.absent("overseer", "owner")
    item = await office.requested(immediate_fix=True)
    with pytest.raises(Forbidden) as refused:
        await ledger.oversight_review(item.id, by=office.owner, passed=True)
    assert refused.value.code == "same_person"
