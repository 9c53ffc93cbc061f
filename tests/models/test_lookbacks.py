"""Look-backs: planned and drawn by oversight, visited by inspectors of other units, verdicts carried out."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from models import evidence, ledger, lookbacks
from models.base import clock
from models.base.errors import Conflict, Forbidden, Invalid, NotFound
from models.base.ids import new_id
from models.ledger import Cycle, Item, ListKind, State
from models.lookbacks import (
    Check,
    DrawRecord,
    Effect,
    Finding,
    Place,
    PlanFacts,
    Population,
    Source,
    Strata,
    Verdict,
    Visit,
    VisitRecord,
    verify,
)
from models.organization import Zone
from models.reminders import Reminder, ReminderKind, ReminderState
from tests.lookback_zone import Office, acts, drawn, furnish, planned, recorded, says, scope_of

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    """The small zone."""
    return await furnish(zone)


# Plans


async def test_a_plan_made_twice_is_one_plan(office: Office) -> None:
    first, second = await planned(office), await planned(office)
    assert first.id == second.id
    assert await acts(first.id) == ["lookback.planned"]


async def test_another_plan_of_the_same_name_is_refused(office: Office) -> None:
    await planned(office)
    with pytest.raises(Conflict, match="plan_name_taken"):
        await planned(office, percent=50)


async def test_only_oversight_plans_and_only_over_its_own_units(office: Office) -> None:
    facts = PlanFacts(name="计划", population=Population(unit_id=office.units["A"].id), count=1)
    with pytest.raises(Forbidden):
        await lookbacks.plan(facts, by=await office.scope("inspector 1"))
    with pytest.raises(NotFound):
        await lookbacks.plan(facts, by=await office.scope("other oversight"))


async def test_a_plan_of_the_whole_zone_is_hidden_from_oversight_of_one_unit(office: Office) -> None:
    plan, elsewhere = await planned(office), await office.scope("other oversight")
    assert await lookbacks.plans(by=elsewhere) == []
    with pytest.raises(NotFound):
        await lookbacks.preview(plan.id, by=elsewhere)
    with pytest.raises(NotFound):
        await lookbacks.draw_visits(plan.id, by=elsewhere)


async def test_whoever_lacks_the_role_inspector_cannot_be_in_the_pool(office: Office) -> None:
    with pytest.raises(Invalid, match="not_inspectors") as refusal:
        await planned(office, inspectors=(office.people["inspector 1"], office.people["owner A"]))
    assert [fault.pointer for fault in refusal.value.faults] == ["/inspectors/1"]


async def test_the_population_is_the_closed_items_of_the_filter(office: Office) -> None:
    first = await office.closed_item("A")
    await office.closed_item("B", kind=ListKind.TASK)
    oversight = await office.scope("oversight")
    assert (await lookbacks.preview((await planned(office)).id, by=oversight)).size == 2
    filters = {
        "unit": Population(unit_id=office.units["A"].id),
        "list": Population(list=ListKind.PROBLEM),
        "campaign": Population(campaign_id=first.campaign_id, list=ListKind.PROBLEM),
        "area": Population(area="工程建设", list=ListKind.PROBLEM),
        "today": Population(closed_from=clock.today(), closed_until=clock.today(), list=ListKind.PROBLEM),
    }
    for name, population in filters.items():
        plan = await planned(office, name=name, population=population)
        assert (await lookbacks.preview(plan.id, by=oversight)).size == 1, name
    later = Population(closed_from=clock.today() + timedelta(days=1))
    plan = await planned(office, name="later", population=later)
    assert (await lookbacks.preview(plan.id, by=oversight)).size == 0


async def test_a_preview_tells_what_nobody_may_inspect(office: Office) -> None:
    await office.closed_item("A")
    await office.closed_item("B")
    plan = await planned(office, inspectors=(office.people["inspector A"],))
    seen = await lookbacks.preview(plan.id, by=await office.scope("oversight"))
    assert (seen.size, seen.count, seen.set_aside, seen.inspectors) == (2, 1, 1, 1)


# The draw


async def test_two_plans_over_one_population_drawn_with_one_seed_draw_the_same_items(office: Office) -> None:
    for unit in "AABB":
        await office.closed_item(unit)
    one = await drawn(office, name="一", percent=50, strata=Strata.UNIT)
    two = await drawn(office, name="二", percent=50, strata=Strata.UNIT, although_visited="复核抽取")
    assert [visit.item_id for visit in one] == [visit.item_id for visit in two]
    assert sorted({visit.unit_path for visit in one}) == ["/root/A/", "/root/B/"]


async def test_the_kept_record_verifies_and_holds_the_conflicts_of_interest(office: Office) -> None:
    item = await office.closed_item("A")
    (visit,) = await drawn(office)
    kept = await lookbacks.draw_of(visit.plan_id, by=await office.scope("oversight"))
    record = DrawRecord.model_validate(kept.record)
    assert verify(record) == []
    assert (record.seed, record.population_hash) == ("7", kept.population_hash)
    (candidate,) = record.population
    assert (candidate.item, candidate.cycle) == (item.id, 1)
    assert set(candidate.barred) == {office.people[name] for name in ("owner A", "leader A", "oversight")}
    assert visit.inspector_id != office.people["inspector A"]


async def test_a_plan_is_drawn_once(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    oversight = await office.scope("oversight")
    again = await lookbacks.draw_visits(visit.plan_id, by=oversight)
    assert again.seed == "7"
    with pytest.raises(Conflict, match="already_drawn"):
        await lookbacks.draw_visits(visit.plan_id, by=oversight, seed="8")
    assert await Visit.filter(plan_id=visit.plan_id).count() == 1
    assert await acts(visit.plan_id) == ["lookback.planned", "lookback.drawn"]


async def test_two_who_draw_at_once_get_one_draw(office: Office) -> None:
    await office.closed_item("A")
    plan, oversight = await planned(office), await office.scope("oversight")
    one, two = await asyncio.gather(*(lookbacks.draw_visits(plan.id, by=oversight) for _ in range(2)))
    assert (one.id, one.seed) == (two.id, two.seed)
    assert await Visit.filter(plan_id=plan.id).count() == 1


async def test_a_population_that_changed_since_the_preview_is_not_drawn(office: Office) -> None:
    await office.closed_item("A")
    plan, oversight = await planned(office), await office.scope("oversight")
    seen = await lookbacks.preview(plan.id, by=oversight)
    await office.closed_item("B")
    with pytest.raises(Conflict, match="population_changed"):
        await lookbacks.draw_visits(plan.id, by=oversight, expected_hash=seen.population_hash)
    now = await lookbacks.preview(plan.id, by=oversight)
    assert (await lookbacks.draw_visits(plan.id, by=oversight, expected_hash=now.population_hash)).population_size == 2


async def test_nothing_to_draw_is_told(office: Office) -> None:
    with pytest.raises(Conflict, match="nothing_to_draw"):
        await drawn(office)


async def test_an_inspector_is_reminded_once_for_all_visits_of_a_draw(office: Office) -> None:
    for _ in range(3):
        await office.closed_item("A")
    visits = await drawn(office, inspectors=(office.people["inspector 1"],))
    (reminder,) = await Reminder.filter(kind=ReminderKind.VISIT_ASSIGNED)
    assert (reminder.person_id, reminder.due_on) == (office.people["inspector 1"], visits[0].due_on)
    for visit in visits:
        assert (await Reminder.get(id=reminder.id)).state is ReminderState.OPEN
        await recorded(office, visit, says())
    assert (await Reminder.get(id=reminder.id)).state is ReminderState.SETTLED


# Visits


async def test_an_inspector_sees_their_own_visits_and_nobody_elses(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office, inspectors=(office.people["inspector 1"],))
    own, other = await office.scope("inspector 1"), await office.scope("inspector 2")
    assert [seen.id for seen in await lookbacks.my_visits(by=own, recorded=False)] == [visit.id]
    assert await lookbacks.my_visits(by=own, recorded=True) == []
    assert await lookbacks.my_visits(by=other) == []
    with pytest.raises(NotFound):
        await lookbacks.my_visit(visit.id, by=other)
    with pytest.raises(NotFound):
        await lookbacks.record_visit(visit.id, says(), by=other, client_id=new_id())


async def test_a_record_needs_neither_place_nor_photo(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    record = await recorded(office, visit, says())
    assert (record.latitude, record.longitude, record.evidence, record.source) == (None, None, [], Source.PHONE)
    assert [check["finding"] for check in record.checks] == ["not_checked"] * 3


async def test_facts_are_checked_line_by_line_of_the_requirement(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    with pytest.raises(Invalid, match="no_such_line"):
        await recorded(office, visit, says(checks=(Check(line=3, finding=Finding.MET),)))
    record = await recorded(office, visit, says(checks=(Check(line=1, finding=Finding.PARTLY, note="缺一段"),)))
    assert record.checks[1] == {"line": 1, "text": "恢复围挡", "finding": "partly", "note": "缺一段"}


async def test_a_coarse_place_keeps_about_a_kilometre(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    record = await recorded(office, visit, says(place=Place(latitude=30.592849, longitude=114.305539, coarse=True)))
    kept = await VisitRecord.get(id=record.id)
    assert (kept.latitude, kept.longitude, kept.coarse) == (30.59, 114.31, True)


async def test_the_claimed_time_and_the_servers_are_kept_apart(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    claimed = clock.now() - timedelta(hours=30)
    record = await recorded(office, visit, says(visited_at=claimed))
    assert record.visited_at == claimed
    assert record.received_at > claimed + timedelta(hours=29)


async def test_evidence_named_by_a_record_was_submitted_to_that_visit(office: Office) -> None:
    await office.closed_item("A")
    await office.closed_item("A")
    visit, other = await drawn(office, inspectors=(office.people["inspector 1"],))
    words = evidence.Submission(
        client_id=new_id(), kind=evidence.Kind.TEXT, visit_id=UUID(str(visit.id)), text="现场照片见纸质档"
    )
    piece = await evidence.attach(words, by=await office.scope("inspector 1"))
    with pytest.raises(Invalid, match="unknown_evidence"):
        await recorded(office, other, says(evidence=(piece.id,)))
    assert (await recorded(office, visit, says(evidence=(piece.id,)))).evidence == [str(piece.id)]


async def test_a_record_replayed_from_offline_gives_the_original(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    client_id, facts = new_id(), says(Verdict.RELAPSE)
    first = await recorded(office, visit, facts, client_id=client_id)
    again = await recorded(office, visit, facts, client_id=client_id)
    assert first.id == again.id
    assert (await Item.get(id=visit.item_id)).cycle == 2
    with pytest.raises(Conflict, match="client_id_reused"):
        await recorded(office, visit, says(seen="另一番情况"), client_id=client_id)


async def test_the_first_of_two_records_counts(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    outcomes = await asyncio.gather(
        recorded(office, visit, says(Verdict.EFFECTIVE)),
        recorded(office, visit, says(Verdict.RELAPSE)),
        return_exceptions=True,
    )
    (refused,) = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert refused.code == "already_recorded"
    assert await VisitRecord.filter(visit_id=visit.id).count() == 1


async def test_one_client_id_for_two_visits_is_refused_and_changes_nothing(office: Office) -> None:
    await office.closed_item("A")
    await office.closed_item("A")
    one, two = await drawn(office, inspectors=(office.people["inspector 1"],))
    client_id = new_id()
    outcomes = await asyncio.gather(
        *(recorded(office, visit, says(Verdict.RELAPSE), client_id=client_id) for visit in (one, two)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
    assert await Item.filter(cycle=2).count() == 1


# Verdicts


async def test_effective_confirms_the_closed_cycle_and_tells_nobody(office: Office) -> None:
    item = await office.closed_item("A")
    (visit,) = await drawn(office)
    before = await Reminder.filter(person_id=office.people["owner A"]).count()
    record = await recorded(office, visit, says(Verdict.EFFECTIVE))
    assert record.effect is Effect.CONFIRMED
    assert (await Item.get(id=item.id)).state is State.CLOSED
    assert "item.confirmed" in await acts(item.id)
    assert await Reminder.filter(person_id=office.people["owner A"]).count() == before


async def test_a_relapse_replayed_from_offline_opens_one_cycle_however_late_it_comes(office: Office) -> None:
    item = await office.closed_item("A")
    (visit,) = await drawn(office)
    facts, client_id = says(Verdict.RELAPSE), new_id()
    first, *again = await asyncio.gather(*(recorded(office, visit, facts, client_id=client_id) for _ in range(3)))
    assert {record.id for record in again} == {first.id}
    await ledger.receive(item.id, by=await office.scope("owner A"))
    assert (await recorded(office, visit, facts, client_id=client_id)).id == first.id
    assert (await Item.get(id=item.id)).state is State.RECEIVED
    words = evidence.Submission(client_id=new_id(), kind=evidence.Kind.TEXT, item_id=item.id, text="已再次办结。")
    await evidence.attach(words, by=await office.scope("owner A"))
    await ledger.request_close_out(item.id, by=await office.scope("owner A"))
    await ledger.unit_review(item.id, by=await office.scope("leader A"), passed=True)
    await ledger.oversight_review(item.id, by=await office.scope("oversight"), passed=True)
    assert (await recorded(office, visit, facts, client_id=client_id)).id == first.id
    assert await Cycle.filter(item_id=item.id).count() == 2
    assert (await Item.get(id=item.id)).state is State.CLOSED


async def test_a_record_of_an_item_that_has_moved_on_is_kept_without_effect(office: Office) -> None:
    item = await office.closed_item("A")
    (one,) = await drawn(office, name="一")
    (two,) = await drawn(office, name="二", although_visited="群众再次反映")
    await recorded(office, one, says(Verdict.RELAPSE))
    await office.close(item.id, "A")
    late = await recorded(office, two, says(Verdict.RELAPSE))
    assert late.effect is Effect.NONE
    assert (await Item.get(id=item.id)).cycle == 2


async def test_a_correction_is_a_record_of_its_own_with_a_reason(office: Office) -> None:
    item = await office.closed_item("A")
    (visit,) = await drawn(office)
    with pytest.raises(Conflict, match="nothing_to_correct"):
        await recorded(office, visit, says(), correction_reason="看错")
    first = await recorded(office, visit, says(Verdict.EFFECTIVE))
    second = await recorded(office, visit, says(Verdict.RELAPSE), correction_reason="复看时发现反弹")
    assert (second.corrects, second.effect) == (first.id, Effect.REOPENED)
    third = await recorded(office, visit, says(Verdict.EFFECTIVE), correction_reason="仍以首次为准")
    assert (third.corrects, third.effect) == (second.id, Effect.NONE)
    assert (await Item.get(id=item.id)).cycle == 2
    assert await acts(visit.id) == ["visit.recorded", "visit.corrected", "visit.corrected"]


async def test_a_record_cannot_be_rewritten(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    record = await recorded(office, visit, says())
    with pytest.raises(Exception, match="append-only"):
        await VisitRecord.filter(id=record.id).update(seen="另一番情况")


# Paper and co-signature


async def test_oversight_types_a_visit_in_from_paper(office: Office) -> None:
    item = await office.closed_item("A")
    (visit,) = await drawn(office)
    oversight = await office.scope("oversight")
    with pytest.raises(Invalid, match="paper_needed"):
        await lookbacks.record_from_paper(visit.id, says(), by=oversight, client_id=new_id(), paper=" ")
    record = await lookbacks.record_from_paper(
        visit.id, says(Verdict.RELAPSE), by=oversight, client_id=new_id(), paper="档案柜3-12"
    )
    assert (record.source, record.paper, record.effect) == (Source.PAPER, "档案柜3-12", Effect.REOPENED)
    assert (await Item.get(id=item.id)).cycle == 2
    with pytest.raises(NotFound):
        await lookbacks.record_from_paper(
            visit.id, says(), by=await office.scope("other oversight"), client_id=new_id(), paper="x"
        )


async def test_the_other_inspector_cosigns_on_their_own_phone(office: Office) -> None:
    await office.closed_item("A")
    pool = (office.people["inspector 1"], office.people["inspector 2"])
    (visit,) = await drawn(office, team=2, inspectors=pool)
    lead, other = await scope_of(office, visit.inspector_id), await scope_of(office, visit.second_inspector_id)
    with pytest.raises(Conflict, match="not_recorded"):
        await lookbacks.cosign(visit.id, new_id(), by=other)
    record = await recorded(office, visit, says())
    with pytest.raises(Forbidden, match="own_record"):
        await lookbacks.cosign(visit.id, record.id, by=lead)
    first, again = [await lookbacks.cosign(visit.id, record.id, by=other) for _ in range(2)]
    assert first.id == again.id
    assert (await lookbacks.my_visit(visit.id, by=lead)).cosigned == {first.record_id: visit.second_inspector_id}
    assert await acts(visit.id) == ["visit.recorded", "visit.cosigned"]


async def test_a_lone_inspector_has_nobody_to_cosign(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    with pytest.raises(Conflict, match="no_second_inspector"):
        await lookbacks.cosign(visit.id, new_id(), by=await scope_of(office, visit.inspector_id))


async def test_progress_is_told_by_plan(office: Office) -> None:
    await office.closed_item("A")
    await office.closed_item("B")
    visits = await drawn(office)
    await recorded(office, visits[0], says())
    plan_id = visits[0].plan_id
    assert await lookbacks.progress(office.zone.id, [plan_id]) == {plan_id: (2, 1)}


async def test_a_visit_shows_the_items_facts_and_its_records(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office)
    record = await recorded(office, visit, says())
    seen = await lookbacks.visit_of(visit.id, by=await office.scope("oversight"))
    assert lookbacks.checklist(seen.visit.item.requirement) == ["清理占道堆物", "恢复围挡", "公示责任人"]
    assert [kept.id for kept in seen.records] == [record.id]
    assert seen.names[office.people["owner A"]] == "owner A"


async def test_the_ledgers_timeline_tells_of_the_look_back(office: Office) -> None:
    item = await office.closed_item("A")
    (visit,) = await drawn(office)
    await recorded(office, visit, says(Verdict.RELAPSE))
    moments = await ledger.timeline(item.id, by=await office.scope("oversight"))
    assert any("反弹" in str(moment) for moment in moments)
