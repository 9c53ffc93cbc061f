"""Plans of look-backs: what they would ask of people before they are saved, what is asked before they are drawn."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from models import evidence, ledger, lookbacks, organization, personal_data
from models.base import clock
from models.base.audit import AuditRow
from models.base.calendar import calendar_of
from models.base.errors import Conflict, Forbidden, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Grant, Role, Scope
from models.deliveries import Delivery
from models.escalations import Timer, TimerState
from models.ledger import Campaign, ListKind
from models.lookbacks import (
    DrawRecord,
    LookbackPlan,
    PlanFacts,
    Population,
    Preview,
    Recusal,
    Risk,
    Strata,
    Terms,
    Verdict,
    Visit,
    VisitFacts,
    verify,
)
from models.organization import Zone
from models.reminders import Reminder, ReminderKind
from tests.lookback_zone import Office, furnish

pytestmark = pytest.mark.usefixtures("database")
Moves = Callable[..., None]


@pytest.fixture
async def office(zone: Zone) -> Office:
    """The small zone."""
    return await furnish(zone)


async def previewed(office: Office, by: str = "oversight", **terms: Any) -> Preview:
    said = {"population": Population(), "percent": 100, **terms}
    return await lookbacks.preview_terms(Terms(**said), by=await office.scope(by))


async def planned(office: Office, **facts: Any) -> LookbackPlan:
    said = {"name": "半年回头看", "population": Population(), "percent": 100, **facts}
    if "saved" in facts:
        said.pop("population")
    return await lookbacks.plan(PlanFacts(**said), by=await office.scope("oversight"))


async def drawn(office: Office, plan: LookbackPlan, **said: Any) -> list[Visit]:
    await lookbacks.draw_visits(plan.id, by=await office.scope("oversight"), **{"seed": "7", **said})
    return await Visit.filter(plan_id=plan.id).order_by("id")


async def visited(office: Office, visit: Visit) -> None:
    name = next(name for name, person in office.people.items() if person == visit.inspector_id)
    says = VisitFacts(verdict=Verdict.EFFECTIVE, seen="现场整洁。", visited_at=clock.now())
    await lookbacks.record_visit(visit.id, says, by=await office.scope(name), client_id=new_id())


async def record_of(plan: LookbackPlan, office: Office) -> DrawRecord:
    kept = await lookbacks.draw_of(plan.id, by=await office.scope("oversight"))
    return DrawRecord.model_validate(kept.record)


# A preview, before anything is saved


async def test_a_preview_of_terms_saves_nothing_and_says_what_a_draw_would_work_on(office: Office) -> None:
    first = await office.closed_item("A")
    for unit in "AB":
        await office.closed_item(unit)
    seen = await previewed(office, percent=50, strata=Strata.UNIT, team=2)
    assert (seen.size, seen.count, seen.set_aside, seen.inspectors, seen.could_go) == (3, 2, 0, 3, 3)
    shares = {stratum.label: (stratum.size, stratum.share, stratum.set_aside) for stratum in seen.strata}
    assert shares == {"A": (2, 1, 0), "B": (1, 1, 0)}
    assert seen.numbers[0] == first.number
    assert len(seen.numbers) == 3
    assert (
        await LookbackPlan.all().count(),
        await Visit.all().count(),
        await Reminder.filter(kind="visit_assigned").count(),
    ) == (0, 0, 0)


async def test_a_preview_shows_whom_conflicts_keep_away_altogether(office: Office) -> None:
    await office.closed_item("A")
    seen = await previewed(office, inspectors=(office.people["inspector A"], office.people["inspector 1"]))
    assert (seen.inspectors, seen.could_go, seen.set_aside) == (2, 1, 0)


async def test_a_preview_is_for_oversight_and_its_own_units(office: Office) -> None:
    with pytest.raises(Forbidden):
        await previewed(office, by="inspector 1")
    with pytest.raises(NotFound):
        await previewed(office, by="other oversight", population=Population(unit_id=office.units["A"].id))


async def test_an_unknown_campaign_is_not_found_before_anything_is_saved(office: Office) -> None:
    elsewhere = await organization.create_zone(code="gxq", name="高新区")
    theirs = await Campaign.create(zone_id=elsewhere.id, name="别处", created_by="x", created_at=clock.now())
    for campaign in (UUID(str(theirs.id)), uuid4()):
        with pytest.raises(NotFound, match="campaign_not_found"):
            await planned(office, population=Population(campaign_id=campaign))
        with pytest.raises(NotFound, match="campaign_not_found"):
            await previewed(office, population=Population(campaign_id=campaign))


async def test_the_burden_of_a_plan_is_the_messages_that_its_draw_then_owes(office: Office) -> None:
    for unit in "AAB":
        await office.closed_item(unit)
    both = {"inspectors": (office.people["inspector 1"], office.people["inspector 2"]), "team": 2}
    seen = await previewed(office, **both)
    assert (seen.burden.messages, seen.burden.warning) == (seen.burden.people, None)
    before = await Delivery.all().count()
    visits = await drawn(office, await planned(office, **both))
    assert (seen.by_visits, seen.due_on) == ({3: 2}, visits[0].due_on)
    assert await Delivery.all().count() - before == seen.burden.people == 2


async def test_a_plan_that_breaks_the_budget_is_warned_of(office: Office, clock_moves: Moves) -> None:
    day = (await calendar_of(office.zone.id)).add_working_days(clock.today(), 1)
    clock_moves(seconds=(clock.at(day, 9, 30) - clock.now()).total_seconds())
    admin = Scope(office.zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    await organization.change_settings(by=admin, changes={"daily_budget": 1})
    await office.closed_item("A")
    inspector = office.people["inspector 1"]
    seen = await previewed(office, inspectors=(inspector,))
    assert seen.burden.warning is None
    await _rings_in_an_hour(office, inspector)
    seen = await previewed(office, inspectors=(inspector,))
    assert (seen.burden.already, seen.burden.messages) == (1, 2)
    assert "请考虑减少件数" in (seen.burden.warning or "")


async def _rings_in_an_hour(office: Office, person: UUID) -> None:
    """A matter of the person's own, of which a step rings soon."""
    matter = ledger.Matter(
        list=ListKind.TASK,
        title="检查人员自己的事项",
        requirement="报送名单",
        classification="internal",
        owner_id=person,
        unit_id=office.units["discipline"].id,
        due_days=100,
    )
    oversight = await office.scope("oversight")
    item = await ledger.draft(matter, campaign_id=(await ledger.campaigns(by=oversight))[0].id, by=oversight)
    await ledger.issue(item.id, by=oversight)
    first = await Timer.filter(item_id=item.id, condition="unacknowledged").order_by("due_at").first()
    assert first is not None
    await Timer.filter(id=first.id).update(due_at=clock.now() + timedelta(hours=1))


# Strata


async def test_strata_by_risk_are_how_an_item_went_until_it_was_closed(office: Office) -> None:
    plain, relapsed, climbed = [await office.closed_item("A") for _ in range(3)]
    relapse = {"reason": "反弹", "basis": "回头看"}
    await ledger.reopen(UUID(str(relapsed.id)), by=await office.scope("oversight"), **relapse)
    await office.close(relapsed.id, "A")
    returned = await _closed_after_a_return(office)
    step = {"policy_code": "x", "policy_version": 1, "step": 1, "condition": "overdue", "amount": 1, "level": 3}
    fired = {"tell": [], "action": "urge", "counted_on": clock.today(), "state": TimerState.FIRED}
    await Timer.create(zone_id=office.zone.id, watch_id=new_id(), item_id=climbed.id, **step, **fired)
    plan = await planned(office, strata=Strata.RISK)
    await drawn(office, plan)
    found = {each.item: each.stratum for each in (await record_of(plan, office)).population}
    assert found == {plain.id: Risk.USUAL, returned: Risk.RAISED, relapsed.id: Risk.HIGH, climbed.id: Risk.HIGH}
    await Visit.all().delete()
    seen = await previewed(office, strata=Strata.RISK)
    assert {stratum.label: stratum.size for stratum in seen.strata} == {"较高": 2, "一般": 1, "较低": 1}


async def _closed_after_a_return(office: Office) -> UUID:
    """An item whose first request was returned by its unit."""
    oversight, owner = await office.scope("oversight"), await office.scope("owner A")
    matter = ledger.Matter(
        list=ListKind.PROBLEM,
        title="退回过的事项",
        requirement="补充台账",
        classification="internal",
        owner_id=office.people["owner A"],
        unit_id=office.units["A"].id,
        due_days=10,
    )
    drafted = await ledger.draft(matter, campaign_id=(await ledger.campaigns(by=oversight))[0].id, by=oversight)
    item_id = UUID(str(drafted.id))
    await ledger.issue(item_id, by=oversight, although_similar=True)
    await ledger.receive(item_id, by=owner)
    words = evidence.Submission(client_id=new_id(), kind=evidence.Kind.TEXT, item_id=item_id, text="已办结。")
    await evidence.attach(words, by=owner)
    await ledger.request_close_out(item_id, by=owner)
    leader = await office.scope("leader A")
    await ledger.unit_review(item_id, by=leader, passed=False, reason="不全", missing="台账第二页")
    await ledger.request_close_out(item_id, by=owner)
    await ledger.unit_review(item_id, by=leader, passed=True)
    await ledger.oversight_review(item_id, by=oversight, passed=True)
    return item_id


async def test_strata_by_kind_are_the_kinds_of_units(office: Office) -> None:
    await office.closed_item("A")
    seen = await previewed(office, strata=Strata.KIND)
    assert [(stratum.name, stratum.label) for stratum in seen.strata] == [("department", "部门")]


# Filters that are kept by a name


async def test_a_saved_filter_is_used_by_its_name_and_a_plan_keeps_its_copy(office: Office) -> None:
    await office.closed_item("A")
    await office.closed_item("B")
    oversight = await office.scope("oversight")
    only_a = Population(unit_id=office.units["A"].id)
    first = await lookbacks.save_population("甲部门", only_a, by=oversight)
    assert (await lookbacks.save_population("甲部门", only_a, by=oversight)).id == first.id
    with pytest.raises(Conflict, match="population_name_taken"):
        await lookbacks.save_population("甲部门", Population(), by=oversight)
    plan = await planned(office, saved="甲部门")
    await lookbacks.retire_population(first.id, by=oversight)
    assert await lookbacks.populations(by=oversight) == []
    assert (await lookbacks.preview(plan.id, by=oversight)).size == 1
    with pytest.raises(NotFound, match="population_not_found"):
        await planned(office, name="另一", saved="甲部门")


async def test_a_saved_filter_of_the_whole_zone_is_hidden_from_oversight_of_one_unit(office: Office) -> None:
    saved = await lookbacks.save_population("全区", Population(), by=await office.scope("oversight"))
    elsewhere = await office.scope("other oversight")
    assert await lookbacks.populations(by=elsewhere) == []
    with pytest.raises(NotFound):
        await lookbacks.retire_population(saved.id, by=elsewhere)
    with pytest.raises(NotFound):
        await lookbacks.preview_terms(Terms(saved="全区", count=1), by=elsewhere)


# Who keeps away from whom


async def test_a_declared_recusal_keeps_both_from_the_others_matters_and_units(office: Office) -> None:
    item, other = await office.closed_item("A"), await office.closed_item("B")
    one = office.people["inspector 1"]
    await lookbacks.declare_recusal(one, office.people["owner A"], by=await office.scope("inspector 1"))
    plan = await planned(office, inspectors=(one,))
    visits = await drawn(office, plan)
    assert [visit.item_id for visit in visits] == [other.id]
    record = await record_of(plan, office)
    assert record.drawing.set_aside == (item.id,)
    assert verify(record) == []


async def test_a_recusal_that_ended_keeps_nobody_away_and_past_records_hold(office: Office) -> None:
    await office.closed_item("A")
    one, own = office.people["inspector 1"], await office.scope("inspector 1")
    made = await lookbacks.declare_recusal(office.people["owner A"], one, by=await office.scope("oversight"))
    assert (await previewed(office, inspectors=(one,))).set_aside == 1
    with pytest.raises(NotFound):
        await lookbacks.end_recusal(made.id, by=own)
    await lookbacks.end_recusal(made.id, by=await office.scope("oversight"))
    assert (await previewed(office, inspectors=(one,))).set_aside == 0


async def test_a_pair_declared_from_either_side_is_one(office: Office) -> None:
    oversight = await office.scope("oversight")
    pair = office.people["inspector 1"], office.people["owner A"]
    first = await lookbacks.declare_recusal(*pair, by=oversight)
    assert (await lookbacks.declare_recusal(*reversed(pair), by=oversight)).id == first.id
    with pytest.raises(Invalid, match="same_person"):
        await lookbacks.declare_recusal(pair[0], pair[0], by=oversight)
    with pytest.raises(NotFound, match="person_not_found"):
        await lookbacks.declare_recusal(pair[0], uuid4(), by=oversight)


async def test_a_recusal_is_seen_by_the_inspector_and_their_oversight_alone(office: Office) -> None:
    one, own = office.people["inspector 1"], await office.scope("inspector 1")
    await lookbacks.declare_recusal(one, office.people["owner B"], by=own)
    lines = {name: await lookbacks.recusals(by=await office.scope(name)) for name in office.people}
    assert {name for name, seen in lines.items() if seen} == {"inspector 1", "oversight"}
    (line,) = lines["oversight"]
    assert (line.person, line.other) == ("inspector 1", "owner B")
    with pytest.raises(NotFound):
        await lookbacks.declare_recusal(one, office.people["owner A"], by=await office.scope("inspector 2"))


async def test_the_log_and_the_record_do_not_tell_whom_somebody_keeps_away_from(office: Office) -> None:
    item = await office.closed_item("A")
    one = office.people["inspector 1"]
    made = await lookbacks.declare_recusal(one, office.people["owner A"], by=await office.scope("inspector 1"))
    row = await AuditRow.get(subject_id=made.id)
    assert (row.action, row.data) == ("recusal.declared", {})
    plan = await planned(office)
    await drawn(office, plan)
    (candidate,) = (await record_of(plan, office)).population
    handled = {office.people[name] for name in ("owner A", "leader A", "oversight")}
    assert (candidate.item, {*candidate.barred}) == (item.id, handled | {one})


async def test_both_take_away_what_is_kept_of_a_recusal_but_only_one_of_them_whom_it_names(office: Office) -> None:
    await lookbacks.declare_recusal(
        office.people["inspector 1"], office.people["owner A"], by=await office.scope("inspector 1")
    )
    mine, theirs = [await personal_data.copy(by=await office.scope(name)) for name in ("inspector 1", "owner A")]
    assert str(office.people["owner A"]).encode() in mine
    assert b'"recusals":[{"other_id":null' in theirs
    assert str(office.people["inspector 1"]).encode() not in theirs
    assert await Recusal.all().count() == 1


# Load


async def test_visits_that_wait_from_an_earlier_plan_count_as_load_and_stand_in_the_record(office: Office) -> None:
    for _ in range(4):
        await office.closed_item("B")
    one, two = office.people["inspector 1"], office.people["inspector 2"]
    first = await drawn(office, await planned(office, name="一", inspectors=(one,), percent=None, count=2))
    second = await planned(office, name="二", inspectors=(one, two), population=Population(rested_days=90))
    visits = await drawn(office, second)
    assert Counter(visit.inspector_id for visit in visits) == {two: 2}
    record = await record_of(second, office)
    assert {inspector.person: inspector.load for inspector in record.inspectors} == {one: 2, two: 0}
    await visited(office, first[0])
    assert verify(record) == []


# No visit for the visit's sake


async def test_a_plan_over_what_was_visited_lately_is_questioned_before_it_is_saved(office: Office) -> None:
    item = await office.closed_item("A")
    (visit,) = await drawn(office, await planned(office, name="一"))
    await visited(office, visit)
    with pytest.raises(Conflict, match="visited_lately") as asked:
        await planned(office, name="二")
    assert (asked.value.extra["total"], asked.value.extra["days"]) == (1, 90)
    assert [one["number"] for one in asked.value.extra["visited"]] == [item.number]
    assert await LookbackPlan.filter(name="二").count() == 0
    again = await planned(office, name="二", although_visited="群众再次反映")
    assert len(await drawn(office, again)) == 1


async def test_what_was_visited_since_the_plan_was_made_is_questioned_before_the_draw(office: Office) -> None:
    await office.closed_item("A")
    plan, other = await planned(office, name="一"), await planned(office, name="二")
    await drawn(office, other)
    with pytest.raises(Conflict, match="visited_lately"):
        await drawn(office, plan)
    assert len(await drawn(office, plan, although_visited="交叉检查")) == 1
    assert (await LookbackPlan.get(id=plan.id)).although_visited == "交叉检查"


async def test_items_that_rest_are_not_in_the_population_and_nothing_is_asked(office: Office) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office, await planned(office, name="一"))
    await visited(office, visit)
    fresh = await office.closed_item("B")
    visits = await drawn(office, await planned(office, name="二", population=Population(rested_days=30)))
    assert [visit.item_id for visit in visits] == [fresh.id]


async def test_a_visit_of_long_ago_is_no_question(office: Office, clock_moves: Moves) -> None:
    await office.closed_item("A")
    (visit,) = await drawn(office, await planned(office, name="一"))
    await visited(office, visit)
    clock_moves(days=91)
    assert len(await drawn(office, await planned(office, name="二"))) == 1


async def test_a_zone_may_ask_for_nothing(office: Office) -> None:
    admin = Scope(office.zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    await organization.change_settings(by=admin, changes={"revisit_days": 0})
    await office.closed_item("A")
    await drawn(office, await planned(office, name="一"))
    assert len(await drawn(office, await planned(office, name="二"))) == 1


async def test_a_unit_visited_again_and_again_is_proposed_for_one_joint_visit(office: Office) -> None:
    for _ in range(3):
        await office.closed_item("A")
    seen = await previewed(office)
    assert [(unit.name, unit.drawn, unit.lately, unit.waiting) for unit in seen.units] == [("A", 3, 0, 0)]
    assert "联合检查" in (seen.joint_proposal or "")
    assert (await previewed(office, joint=True)).joint_proposal is None
    visits = await drawn(office, await planned(office, joint=True))
    assert len({(visit.inspector_id, visit.due_on) for visit in visits}) == 1
    await office.closed_item("A")
    seen = await previewed(office, joint=True, population=Population(rested_days=90))
    assert [(unit.drawn, unit.waiting) for unit in seen.units] == [(1, 3)]
    assert "联合检查" in (seen.joint_proposal or "")


async def test_the_inspectors_of_a_draw_hear_once_each(office: Office) -> None:
    for _ in range(3):
        await office.closed_item("A")
    await drawn(office, await planned(office, joint=True))
    assert await Reminder.filter(kind=ReminderKind.VISIT_ASSIGNED).count() == 1
