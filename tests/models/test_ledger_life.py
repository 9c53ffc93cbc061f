"""An item's life: who takes which step from where, and what it leaves behind."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from tortoise.exceptions import IntegrityError

from models import ledger
from models.base import clock
from models.base.audit import AuditRow
from models.base.calendar import calendar_of
from models.base.errors import Conflict, Forbidden, Invalid, NotFound
from models.escalations import Timer, TimerState
from models.ledger import Cycle, Item, State
from models.ledger.states_page import render
from models.organization import Zone
from models.reminders import Reminder, ReminderKind, ReminderState
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def open_reminders(item: Item) -> list[tuple[ReminderKind, object]]:
    found = Reminder.filter(subject_id=item.id, state=ReminderState.OPEN).order_by("id")
    return [(reminder.kind, reminder.person_id) for reminder in await found]


async def cycle_of(item: Item) -> Cycle:
    return await Cycle.get(item_id=item.id, number=item.cycle)


async def events(item: Item) -> list[str]:
    return await AuditRow.filter(subject_id=item.id).order_by("id").values_list("action", flat=True)  # type: ignore[return-value]


def test_the_page_of_states_is_current() -> None:
    assert Path("docs/states.md").read_text() == render()


async def test_an_item_goes_from_draft_to_closed_through_three_people(office: Office) -> None:
    item = await office.closed()
    assert item.state is State.CLOSED
    assert item.closed_at is not None
    steps = ["item.drafted", "item.issued", "item.received", "item.close_out_requested", "item.unit_approved"]
    assert await events(item) == [*steps, "item.closed"]
    cycle = await cycle_of(item)
    people = office.people
    assert (cycle.requested_by, cycle.unit_reviewed_by, cycle.overseen_by) == tuple(
        people[part].id for part in ("owner", "leader", "overseer")
    )
    assert cycle.first_pass is True


async def test_at_each_step_exactly_the_one_whose_turn_it_is_is_reminded(office: Office) -> None:
    item = await office.issued()
    assert await open_reminders(item) == [(ReminderKind.TO_RECEIVE, office.people["owner"].id)]
    await ledger.receive(item.id, by=office.owner)
    assert await open_reminders(item) == []
    await ledger.count_evidence(item)
    await ledger.request_close_out(item.id, by=office.owner)
    assert await open_reminders(item) == [(ReminderKind.REVIEW_WAITING, office.people["leader"].id)]
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    ((kind, person),) = await open_reminders(item)
    assert kind is ReminderKind.REVIEW_WAITING
    assert person in {office.people[part].id for part in ("overseer", "second_overseer")}
    await ledger.oversight_review(item.id, by=office.overseer, passed=True)
    assert await open_reminders(item) == []


async def test_receiving_twice_is_answered_alike_and_logged_once(office: Office) -> None:
    item = await office.issued()
    first = await ledger.receive(item.id, by=office.owner)
    again = await ledger.receive(item.id, by=office.owner)
    assert (again.state, again.version) == (first.state, first.version)
    assert (await events(item)).count("item.received") == 1


async def test_a_step_from_another_state_names_the_present_one(office: Office) -> None:
    item = await office.received()
    with pytest.raises(Conflict, match="已签收") as refused:
        await ledger.unit_review(item.id, by=office.leader, passed=True)
    assert (refused.value.code, refused.value.extra) == ("wrong_state", {"state": "received"})


async def test_who_may_see_but_not_act_is_told_whose_step_it_is(office: Office) -> None:
    item = await office.issued()
    with pytest.raises(Forbidden, match="责任人") as refused:
        await ledger.receive(item.id, by=office.leader)
    assert refused.value.code == "not_your_step"


async def test_a_stranger_is_answered_as_if_there_were_no_item(office: Office) -> None:
    item = await office.issued()
    for step in (ledger.receive, ledger.readable, ledger.request_close_out):
        with pytest.raises(NotFound):
            await step(item.id, by=office.stranger)


async def test_a_draft_is_not_even_seen_by_its_future_owner(office: Office) -> None:
    item = await office.draft()
    with pytest.raises(NotFound):
        await ledger.readable(item.id, by=office.owner)


async def test_close_out_without_evidence_says_that_text_or_paper_is_enough(office: Office) -> None:
    item = await office.received()
    with pytest.raises(Conflict, match="照片不是必需的") as refused:
        await ledger.request_close_out(item.id, by=office.owner)
    assert refused.value.code == "evidence_missing"
    await ledger.count_evidence(item)
    assert (await ledger.request_close_out(item.id, by=office.owner)).state is State.UNIT_REVIEW


async def test_a_return_must_say_why_and_what_is_missing(office: Office) -> None:
    item = await office.requested()
    with pytest.raises(Invalid) as refused:
        await ledger.unit_review(item.id, by=office.leader, passed=False, reason=" ")
    assert [fault.pointer for fault in refused.value.faults] == ["/reason", "/missing"]
    assert (await Item.get(id=item.id)).state is State.UNIT_REVIEW


async def test_a_returned_item_is_with_the_owner_again_and_counts_in_its_cycle(office: Office) -> None:
    item = await office.requested()
    await ledger.unit_review(item.id, by=office.leader, passed=False, reason="票据不全", missing="付款凭证")
    assert await open_reminders(item) == [(ReminderKind.RETURNED, office.people["owner"].id)]
    again = await ledger.request_close_out(item.id, by=office.owner)
    assert again.state is State.UNIT_REVIEW
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    await ledger.oversight_review(item.id, by=office.overseer, passed=True)
    cycle = await cycle_of(item)
    assert (cycle.returned_times, cycle.first_pass) == (1, False)


async def test_oversight_may_return_and_the_unit_reviews_again(office: Office) -> None:
    item = await office.reviewed()
    returned = await ledger.oversight_review(
        item.id, by=office.overseer, passed=False, reason="未见公示", missing="公示照片或文字"
    )
    assert returned.state is State.IN_PROGRESS
    assert (await ledger.request_close_out(item.id, by=office.owner)).state is State.UNIT_REVIEW


async def test_nobody_takes_two_of_the_three_parts(office: Office) -> None:
    await office.absent("owner", "overseer")
    item = await office.issued()
    await ledger.receive(item.id, by=office.overseer)
    await ledger.count_evidence(item)
    await ledger.request_close_out(item.id, by=office.overseer)
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    with pytest.raises(Forbidden) as refused:
        await ledger.oversight_review(item.id, by=office.overseer, passed=True)
    assert refused.value.code == "same_person"
    assert (await ledger.oversight_review(item.id, by=office.second_overseer, passed=True)).state is State.CLOSED


async def test_immediate_fix_skips_the_unit_review_but_not_the_second_person(office: Office) -> None:
    item = await office.requested(immediate_fix=True)
    assert item.state is State.OVERSIGHT_REVIEW
    with pytest.raises(Forbidden):
        await ledger.oversight_review(item.id, by=office.owner, passed=True)
    assert (await ledger.oversight_review(item.id, by=office.overseer, passed=True)).state is State.CLOSED


async def test_whoever_stands_in_takes_the_step_and_the_log_names_both(office: Office) -> None:
    await office.absent("owner", "colleague")
    item = await office.issued()
    assert await open_reminders(item) == [(ReminderKind.TO_RECEIVE, office.people["colleague"].id)]
    await ledger.receive(item.id, by=office.colleague)
    row = await AuditRow.get(subject_id=item.id, action="item.received")
    assert row.actor == office.colleague.actor
    assert row.data["acting_for"] == str(office.people["owner"].id)
    (newest, *_) = await ledger.timeline(item.id, by=office.leader)
    assert (newest.label, newest.actor, newest.acting_for) == ("签收", "人员1", "人员0")


async def test_asking_for_close_out_stops_the_timers_and_a_return_sets_them_again(office: Office) -> None:
    item = await office.requested()
    assert not await Timer.filter(item_id=item.id, state=TimerState.WAITING).exists()
    await ledger.unit_review(item.id, by=office.leader, passed=False, reason="不全", missing="合同")
    assert await Timer.filter(item_id=item.id, state=TimerState.WAITING).exists()


async def test_a_relapse_opens_a_second_cycle_and_leaves_the_first_as_it_was(office: Office) -> None:
    item = await office.closed()
    before = await Cycle.filter(item_id=item.id).values()
    again = await ledger.reopen(item.id, by=office.inspector, reason="污水再次直排", basis="2026年第2次回头看")
    assert (again.state, again.cycle, again.number) == (State.ISSUED, 2, item.number)
    assert await Cycle.filter(item_id=item.id, number=1).values() == before
    fresh = await cycle_of(again)
    assert (fresh.evidence_count, fresh.returned_times, fresh.reason) == (0, 0, "污水再次直排")
    assert await open_reminders(item) == [(ReminderKind.TO_RECEIVE, office.people["owner"].id)]
    await ledger.receive(item.id, by=office.owner)
    with pytest.raises(Conflict, match="佐证材料"):
        await ledger.request_close_out(item.id, by=office.owner)


async def test_figures_of_a_closed_cycle_cannot_be_rewritten(office: Office) -> None:
    cycle = await cycle_of(await office.closed())
    cycle.returned_times = 7
    with pytest.raises(IntegrityError, match="never rewritten"):
        await cycle.save()


async def test_a_closed_item_takes_no_evidence(office: Office) -> None:
    with pytest.raises(Conflict, match="已销号"):
        await ledger.count_evidence(await office.closed())


async def test_suspension_stops_everything_and_gives_the_days_back(office: Office, clock_moves) -> None:  # type: ignore[no-untyped-def]
    item = await office.received()
    due_on = item.due_on
    until = clock.today() + timedelta(days=14)
    suspended = await ledger.suspend(item.id, by=office.overseer, reason="等待上级批复", until=until)
    assert suspended.state is State.SUSPENDED
    assert not await Timer.filter(item_id=item.id, state=TimerState.WAITING).exists()
    clock_moves(days=14)
    await ledger.end_suspension(office.zone.id, item.id, until)
    resumed = await Item.get(id=item.id)
    assert resumed.state is State.RECEIVED
    assert resumed.due_on > due_on
    assert await Timer.filter(item_id=item.id, state=TimerState.WAITING).exists()


async def test_a_suspension_that_was_lifted_does_not_end_twice(office: Office) -> None:
    item = await office.received()
    until = clock.today() + timedelta(days=14)
    await ledger.suspend(item.id, by=office.overseer, reason="等待批复", until=until)
    resumed = await ledger.resume(item.id, by=office.overseer)
    await ledger.end_suspension(office.zone.id, item.id, until)
    assert (await Item.get(id=item.id)).version == resumed.version


async def test_what_was_suspended_before_its_receipt_climbs_from_its_resumption(
    office: Office, clock_moves: Callable[..., None]
) -> None:
    item = await office.issued()
    until = clock.today() + timedelta(days=14)
    await ledger.suspend(item.id, by=office.overseer, reason="等待上级批复", until=until)
    clock_moves(days=14)
    await ledger.end_suspension(office.zone.id, item.id, until)
    assert await open_reminders(item) == [(ReminderKind.TO_RECEIVE, office.people["owner"].id)]
    waiting = Timer.filter(item_id=item.id, condition="unacknowledged", state=TimerState.WAITING)
    days = await calendar_of(office.zone.id)
    expected = [days.add_working_hours(clock.now(), hours) for hours in (8, 16, 24)]
    for timer, due_at in zip(await waiting.order_by("step"), expected, strict=True):
        assert timer.due_at is not None
        assert abs(timer.due_at - due_at) < timedelta(minutes=1)


@pytest.mark.parametrize("day", [date.max, date(2200, 1, 1)])
async def test_no_day_beyond_all_planning_is_taken(office: Office, day: date) -> None:
    item = await office.received()
    goal = {"reason": "成因复杂", "stage_goal": "首批"}
    for refused in (
        ledger.suspend(item.id, by=office.overseer, reason="等待批复", until=day),
        ledger.make_long_term(item.id, by=office.overseer, next_review_on=day, **goal),
        office.draft(due_on=day),
    ):
        with pytest.raises(Invalid) as told:
            await refused
        assert told.value.code == "too_far"


async def test_long_term_rectification_has_stages_and_ends_by_close_out(office: Office) -> None:
    item = await office.received()
    soon = clock.today() + timedelta(days=30)
    goal = {"stage_goal": "完成首批回访", "next_review_on": soon}
    await ledger.make_long_term(item.id, by=office.overseer, reason="成因复杂", **goal)  # type: ignore[arg-type]
    later = {"stage_goal": "完成全部回访", "next_review_on": soon + timedelta(days=30)}
    staged = await ledger.review_stage(item.id, by=office.overseer, finding="达到阶段目标", **later)  # type: ignore[arg-type]
    assert (staged.state, staged.stage_goal) == (State.LONG_TERM, "完成全部回访")
    await ledger.count_evidence(item)
    await ledger.request_close_out(item.id, by=office.owner)
    back = await ledger.unit_review(item.id, by=office.leader, passed=False, reason="不足", missing="两户未回访")
    assert back.state is State.LONG_TERM


async def test_the_day_of_a_stage_reminds_one_of_oversight_once(office: Office, clock_moves) -> None:  # type: ignore[no-untyped-def]
    item = await office.received()
    on = clock.today() + timedelta(days=30)
    await ledger.make_long_term(item.id, by=office.overseer, reason="成因复杂", stage_goal="首批", next_review_on=on)
    clock_moves(days=30)
    await ledger.call_stage_review(office.zone.id, item.id, on)
    await ledger.call_stage_review(office.zone.id, item.id, on)
    assert [kind for kind, _ in await open_reminders(item)].count(ReminderKind.REVIEW_WAITING) == 1


async def test_a_cancelled_item_asks_nothing_more_and_keeps_its_number(office: Office) -> None:
    item = await office.received()
    with pytest.raises(Invalid):
        await ledger.cancel(item.id, by=office.overseer, reason="")
    cancelled = await ledger.cancel(item.id, by=office.overseer, reason="与上级部署重复")
    assert (cancelled.state, cancelled.number) == (State.CANCELLED, item.number)
    assert not await Timer.filter(item_id=item.id, state=TimerState.WAITING).exists()
    with pytest.raises(Conflict):
        await ledger.report(item.id, by=office.owner, text="继续")


async def test_reasons_are_in_the_timeline_but_never_in_the_log(office: Office) -> None:
    item = await office.requested()
    await ledger.unit_review(item.id, by=office.leader, passed=False, reason="票据不全", missing="付款凭证")
    (newest, *_) = await ledger.timeline(item.id, by=office.owner)
    assert (newest.label, newest.text, newest.missing) == ("初审退回", "票据不全", "付款凭证")
    rows = await AuditRow.filter(subject_id=item.id).values_list("data", flat=True)
    assert "票据" not in str(rows)


async def test_what_may_be_done_next_is_told_to_each_by_their_part(office: Office) -> None:
    item = await office.requested()

    async def may(part: str) -> set[str]:
        found = await ledger.whole(item.id, by=office.scopes[part])
        return {step.action.value for step in found.next_actions}

    assert await may("owner") == set()
    assert await may("leader") == {"unit_approve", "unit_return"}
    assert await may("overseer") == {"cancel"}
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    assert await may("leader") == set()
    assert await may("overseer") == {"close_out", "oversight_return", "cancel"}


async def test_confirming_a_closed_item_is_logged_and_changes_nothing(office: Office) -> None:
    item = await office.closed()
    confirmed = await ledger.confirm(item.id, by=office.inspector, basis="第1次回头看")
    assert confirmed.state is State.CLOSED
    assert (await events(item))[-1] == "item.confirmed"
