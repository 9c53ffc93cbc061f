"""What follows a look-back: confirmed; a small task, filed once; returned with a new deadline; relapsed and watched."""

import asyncio
from datetime import timedelta

import pytest

from models import escalations, evidence, ledger, lookbacks
from models.base import clock
from models.base.calendar import calendar_of
from models.base.ids import new_id
from models.escalations import Timer, TimerState, Watch
from models.ledger import Cycle, Item, ListKind, NumberSeries, Opening, State
from models.lookbacks import Effect, Verdict, Visit
from models.organization import Appointment, Zone
from models.reminders import Reminder, ReminderKind, ReminderState
from tests.lookback_zone import Office, acts, drawn, furnish, recorded, says, scope_of

REMAINS = "补齐标识牌；公示责任人"


@pytest.fixture
async def office(zone: Zone) -> Office:
    """The small zone."""
    return await furnish(zone)


async def visited(office: Office, name: str = "半年回头看") -> Visit:
    """The visit to the one closed item of A."""
    if not await Item.exists():
        await office.closed_item("A")
    return (await drawn(office, name=name, although_visited="群众再次反映"))[0]


async def mostly(office: Office, visit: Visit, **facts: object) -> Item:
    """The small task of a visit that found something left to do."""
    said = says(Verdict.MOSTLY_EFFECTIVE, **{"follow_up": REMAINS, **facts})
    record = await recorded(office, visit, said)
    assert record.effect is Effect.FOLLOW_UP
    return await Item.get(id=record.follow_up_item)


# Mostly effective: a small task


async def test_what_remains_is_a_small_task_of_the_owner_with_a_deadline(office: Office) -> None:
    visit = await visited(office)
    closed = await Item.get(id=visit.item_id)
    task = await mostly(office, visit, rectify_days=5)
    days = await calendar_of(office.zone.id)
    assert (task.state, task.cycle, task.list, task.immediate_fix) == (State.ISSUED, 1, ListKind.TASK, True)
    assert task.due_on == days.add_working_days(clock.today(), 5)
    assert (task.owner_id, task.unit_id, task.campaign_id) == (closed.owner_id, closed.unit_id, closed.campaign_id)
    assert task.requirement == REMAINS and (closed.number or "x") in task.basis
    assert task.number == f"ZL-RW-{clock.today().year}-0001"
    assert lookbacks.checklist(task.requirement) == ["补齐标识牌", "公示责任人"]


async def test_it_is_due_in_ten_working_days_unless_the_inspector_says_otherwise(office: Office) -> None:
    task = await mostly(office, await visited(office))
    assert task.due_on == (await calendar_of(office.zone.id)).add_working_days(clock.today(), 10)


async def test_the_closed_item_stays_as_it_is(office: Office) -> None:
    visit = await visited(office)
    before = [await Item.filter(id=visit.item_id).values(), await Cycle.filter(item_id=visit.item_id).values()]
    await mostly(office, visit)
    assert before == [await Item.filter(id=visit.item_id).values(), await Cycle.filter(item_id=visit.item_id).values()]


async def test_the_owner_is_asked_once_and_nobody_else_is_told(office: Office) -> None:
    visit = await visited(office)
    before = await Reminder.filter(zone_id=office.zone.id).count()
    task = await mostly(office, visit)
    told = await Reminder.filter(zone_id=office.zone.id).order_by("-id").limit(1)
    assert await Reminder.filter(zone_id=office.zone.id).count() == before + 1
    assert [(one.person_id, one.kind, one.subject_id) for one in told] == [
        (office.people["owner A"], ReminderKind.TO_RECEIVE, task.id)
    ]


async def test_it_is_filed_once_however_often_the_record_is_sent(office: Office) -> None:
    visit = await visited(office)
    facts, key = says(Verdict.MOSTLY_EFFECTIVE, follow_up=REMAINS), new_id()
    await asyncio.gather(*(recorded(office, visit, facts, client_id=key) for _ in range(3)))
    assert await Item.filter(follows=visit.item_id).count() == 1
    assert (await NumberSeries.get(list=ListKind.TASK)).given == 1


async def test_what_is_open_already_is_not_filed_again_by_another_plan(office: Office) -> None:
    one = await visited(office, "一")
    two = await visited(office, "二")
    first, second = await mostly(office, one), await mostly(office, two)
    assert first.id == second.id


async def test_oversight_alone_closes_it_and_the_owner_cannot(office: Office) -> None:
    task = await mostly(office, await visited(office))
    owner = await office.scope("owner A")
    await ledger.receive(task.id, by=owner)
    words = evidence.Submission(client_id=new_id(), kind=evidence.Kind.TEXT, item_id=task.id, text="已补齐。")
    await evidence.attach(words, by=owner)
    asked = await ledger.request_close_out(task.id, by=owner)
    assert asked.state is State.OVERSIGHT_REVIEW
    closed = await ledger.oversight_review(task.id, by=await office.scope("oversight"), passed=True)
    assert closed.state is State.CLOSED


async def test_a_correction_takes_back_what_was_to_follow(office: Office) -> None:
    visit = await visited(office)
    task = await mostly(office, visit)
    corrected = await recorded(office, visit, says(), correction_reason="标识牌其实已补")
    assert (corrected.effect, corrected.follow_up_item) == (Effect.CONFIRMED, None)
    assert (await Item.get(id=task.id)).state is State.CANCELLED
    assert not await Reminder.filter(
        subject_id=task.id, state=ReminderState.OPEN, kind=ReminderKind.TO_RECEIVE
    ).exists()


async def test_a_correction_to_worse_takes_it_back_too_and_opens_the_item(office: Office) -> None:
    visit = await visited(office)
    task = await mostly(office, visit)
    corrected = await recorded(office, visit, says(Verdict.RELAPSE), correction_reason="复看已反弹")
    assert corrected.effect is Effect.REOPENED
    assert (await Item.get(id=task.id)).state is State.CANCELLED
    assert (await Item.get(id=visit.item_id)).cycle == 2


async def test_a_correction_that_keeps_the_verdict_keeps_the_task(office: Office) -> None:
    visit = await visited(office)
    task = await mostly(office, visit)
    same = says(Verdict.MOSTLY_EFFECTIVE, follow_up=REMAINS, seen="补充一句。")
    corrected = await recorded(office, visit, same, correction_reason="补充")
    assert (corrected.effect, corrected.follow_up_item) == (Effect.NONE, task.id)
    assert (await Item.get(id=task.id)).state is State.ISSUED
    await recorded(office, visit, says(), correction_reason="已补齐")
    assert (await Item.get(id=task.id)).state is State.CANCELLED


async def test_a_correction_that_asks_for_something_else_files_that_instead(office: Office) -> None:
    visit = await visited(office)
    task = await mostly(office, visit)
    other = says(Verdict.MOSTLY_EFFECTIVE, follow_up="补上第二块标识牌")
    corrected = await recorded(office, visit, other, correction_reason="缺的是另一块")
    assert corrected.effect is Effect.FOLLOW_UP
    assert (await Item.get(id=task.id)).state is State.CANCELLED
    instead = await Item.get(id=corrected.follow_up_item)
    assert (instead.state, instead.requirement) == (State.ISSUED, "补上第二块标识牌")
    await Item.filter(id=instead.id).update(state=State.CLOSED)
    once_more = says(Verdict.MOSTLY_EFFECTIVE, follow_up="再擦一遍")
    assert (await recorded(office, visit, once_more, correction_reason="又想起")).effect is Effect.NONE


async def test_a_task_that_is_done_is_left_alone_by_a_correction(office: Office) -> None:
    visit = await visited(office)
    task = await mostly(office, visit)
    await Item.filter(id=task.id).update(state=State.CLOSED)
    await recorded(office, visit, says(), correction_reason="已补齐")
    assert (await Item.get(id=task.id)).state is State.CLOSED


# Ineffective, relapse: a new cycle


@pytest.mark.parametrize(
    ("verdict", "effect", "opening", "event"),
    [
        (Verdict.INEFFECTIVE, Effect.SENT_BACK, Opening.SENT_BACK, "item.sent_back"),
        (Verdict.RELAPSE, Effect.REOPENED, Opening.RELAPSE, "item.reopened"),
    ],
)
async def test_a_new_cycle_has_a_deadline_a_reason_a_basis_and_says_why_it_was_opened(
    office: Office, verdict: Verdict, effect: Effect, opening: Opening, event: str
) -> None:
    visit = await visited(office)
    record = await recorded(office, visit, says(verdict, rectify_days=3, seen="堆物又占半幅路。"))
    item = await Item.get(id=visit.item_id)
    first, second = await Cycle.filter(item_id=item.id).order_by("number")
    assert (record.effect, item.state, item.cycle, item.due_days) == (effect, State.ISSUED, 2, 3)
    assert item.due_on == second.due_on == (await calendar_of(office.zone.id)).add_working_days(clock.today(), 3)
    assert (first.opening, second.opening) == (Opening.ISSUE, opening)
    assert first.closed_at is not None and second.closed_at is None
    assert verdict.label in second.reason and "堆物又占半幅路" in second.reason and "半年回头看" in second.basis
    assert event in await acts(item.id)


async def test_a_relapse_is_watched_by_the_policy_important_and_a_return_as_before(office: Office) -> None:
    for _ in range(2):
        await office.closed_item("A")
    relapsed, returned = await drawn(office)
    before = (await Item.get(id=returned.item_id)).policy_codes
    await recorded(office, relapsed, says(Verdict.RELAPSE))
    await recorded(office, returned, says(Verdict.INEFFECTIVE))
    watches = {watch.item_id: watch.policy_codes for watch in await Watch.filter(cycle=2)}
    assert watches[relapsed.item_id] == ["important"]
    assert sorted(watches[returned.item_id]) == ["near_due", "overdue", "unacknowledged"]
    assert (await Item.get(id=returned.item_id)).policy_codes == before
    timers = await Timer.filter(item_id=relapsed.item_id, state=TimerState.WAITING)
    assert {timer.policy_code for timer in timers} == {"important"} and len(timers) > 3


async def test_an_ordinary_item_is_not_watched_by_the_policy_important(office: Office) -> None:
    await office.closed_item("A")
    assert {code for watch in await Watch.all() for code in watch.policy_codes} == {
        *("near_due", "overdue", "unacknowledged")
    }


async def test_a_zone_puts_its_own_policy_important_without_losing_the_others(office: Office) -> None:
    by = await office.scope("oversight")
    step = {"condition": "days_to_due", "amount": 1, "level": 2, "tell": ["owner"], "action": "remind"}
    await escalations.put_policy(escalations.policy_form("important", "反弹事项", [step]), by=by)
    assert {policy.code for policy in await escalations.policies(by=by)} == {
        *("important", "near_due", "overdue", "unacknowledged")
    }
    visit = await visited(office)
    await recorded(office, visit, says(Verdict.RELAPSE))
    assert await Timer.filter(item_id=visit.item_id, policy_code="important").count() == 1


async def test_retired_policies_never_keep_a_verdict_out(office: Office) -> None:
    """Neither `important` nor what the item was issued with."""
    by, visit = await office.scope("oversight"), await visited(office)
    await Item.filter(id=visit.item_id).update(policy_codes=["overdue"])
    for code in ("important", "overdue"):
        await escalations.retire_policy(code, by=by)
    assert (await recorded(office, visit, says(Verdict.RELAPSE))).effect is Effect.REOPENED
    (watch,) = await Watch.filter(item_id=visit.item_id, cycle=2)
    assert sorted(watch.policy_codes) == ["near_due", "unacknowledged"]


async def test_an_owner_who_left_does_not_keep_a_verdict_out(office: Office) -> None:
    visit = await visited(office)
    owner = office.people["owner A"]
    await Appointment.filter(person_id=owner).update(until_on=clock.today() - timedelta(days=1))
    task = await mostly(office, visit)
    (told,) = await Reminder.filter(subject_id=task.id)
    assert told.person_id == office.people["leader A"]


async def test_mostly_effective_needs_words_for_what_remains() -> None:
    with pytest.raises(ValueError, match="后续"):
        says(Verdict.MOSTLY_EFFECTIVE)


async def test_effective_tells_nobody(office: Office) -> None:
    visit = await visited(office)
    before = await Reminder.filter(zone_id=office.zone.id).count()
    record = await recorded(office, visit, says())
    assert record.effect is Effect.CONFIRMED
    assert await Reminder.filter(zone_id=office.zone.id).count() == before
    assert (await scope_of(office, visit.inspector_id)).person_id == record.written_by
