"""Visits in the field: notes, what was found last time, several items at one stop, the day as a list, who may sign."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from models import evidence, lookbacks
from models.base import clock, database
from models.base.errors import Conflict, Forbidden, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Scope
from models.ledger import Cycle, Item
from models.lookbacks import Check, Effect, Finding, Place, StopFacts, Verdict, Visit, VisitRecord
from models.organization import Zone
from models.reminders import Reminder, ReminderKind, ReminderState
from tests.lookback_zone import Office, acts, drawn, furnish, recorded, says, scope_of

HERE = Place(latitude=30.59, longitude=114.31)


@pytest.fixture
async def office(zone: Zone) -> Office:
    """The small zone."""
    return await furnish(zone)


async def visits_to(office: Office, units: str, **facts: Any) -> list[Visit]:
    """One visit to an item of each of these units, all of inspector 1."""
    for unit in units:
        await office.closed_item(unit)
    return await drawn(office, **{"inspectors": (office.people["inspector 1"],), **facts})


def stop(visits: list[Visit], *verdicts: Verdict, **facts: Any) -> StopFacts:
    said = [
        {"visit_id": visit.id, "verdict": verdict, "follow_up": "补齐标识牌" if verdict == "mostly_effective" else ""}
        for visit, verdict in zip(visits, verdicts or [Verdict.EFFECTIVE] * len(visits), strict=True)
    ]
    shared = {"seen": "沿河一线现场整洁。", "visited_at": clock.now(), **facts}
    return StopFacts(**{"records": said, **shared})


async def words_for(visit: Visit, by: Scope) -> UUID:
    given = evidence.Submission(
        client_id=new_id(), kind=evidence.Kind.TEXT, visit_id=UUID(str(visit.id)), text="现场照片见纸质档"
    )
    return UUID(str((await evidence.attach(given, by=by)).id))


# Interview notes


async def test_what_people_said_is_kept_apart_from_what_was_seen(office: Office) -> None:
    (visit,) = await visits_to(office, "A")
    record = await recorded(office, visit, says(interview="社区反映围挡每周有人巡查。"))
    kept = await VisitRecord.get(id=record.id)
    assert (kept.seen, kept.interview) == ("现场整洁。", "社区反映围挡每周有人巡查。")


async def test_notes_are_optional_and_bounded() -> None:
    assert says().interview == ""
    with pytest.raises(ValidationError):
        says(interview="字" * 4001)


# What was found last time


async def test_what_an_earlier_visit_found_stands_beside_each_line(office: Office) -> None:
    (first,) = await visits_to(office, "A", name="一")
    by = await office.scope("inspector 1")
    assert (await lookbacks.my_visit(first.id, by=by)).last_time is None
    checks = (Check(line=0, finding=Finding.MET), Check(line=1, finding=Finding.PARTLY, note="缺一段"))
    await recorded(office, first, says(checks=checks, visited_at=clock.now() - timedelta(days=30)))
    (second,) = await drawn(office, name="二", although_visited="再次反映", inspectors=(office.people["inspector 1"],))
    seen = await lookbacks.my_visit(second.id, by=by)
    assert seen.last_time is not None
    found = lookbacks.beside(seen.visit.item.requirement, seen.last_time.checks)
    assert [(one["line"], one["finding"], one["note"]) for one in found] == [
        (0, "met", ""),
        (1, "partly", "缺一段"),
        (2, "not_checked", ""),
    ]


async def test_a_correction_is_what_was_found_last_time(office: Office) -> None:
    (first,) = await visits_to(office, "A", name="一")
    await recorded(office, first, says(seen="整洁。"))
    await recorded(office, first, says(seen="其实未清。"), correction_reason="看错一处")
    (second,) = await drawn(office, name="二", although_visited="再次反映", inspectors=(office.people["inspector 1"],))
    seen = await lookbacks.my_visit(second.id, by=await office.scope("inspector 1"))
    assert seen.last_time is not None and seen.last_time.seen == "其实未清。"


async def test_a_recorded_visit_does_not_look_into_its_future(office: Office) -> None:
    (first,) = await visits_to(office, "A", name="一")
    await recorded(office, first, says())
    (second,) = await drawn(office, name="二", although_visited="再次反映", inspectors=(office.people["inspector 1"],))
    await recorded(office, second, says(seen="第二次。"))
    assert (await lookbacks.my_visit(first.id, by=await office.scope("inspector 1"))).last_time is None


def test_a_line_that_reads_otherwise_now_has_nothing_beside_it() -> None:
    earlier = [{"line": 0, "text": "清理占道堆物", "finding": "met", "note": ""}]
    assert lookbacks.beside("恢复围挡；清理占道堆物", earlier) == [earlier[0] | {"line": 1}]
    assert lookbacks.beside("恢复全部围挡", earlier) == []


# One visit, several items


async def test_one_stop_is_one_record_for_each_item_with_its_own_verdict(office: Office) -> None:
    visits = await visits_to(office, "AAA")
    by, key = await office.scope("inspector 1"), new_id()
    photo = await words_for(visits[1], by)
    said = stop(visits, Verdict.EFFECTIVE, Verdict.MOSTLY_EFFECTIVE, Verdict.RELAPSE, place=HERE, evidence=(photo,))
    kept = await lookbacks.record_stop(said, by=by, client_id=key)
    assert [record.effect for record in kept] == [Effect.CONFIRMED, Effect.FOLLOW_UP, Effect.REOPENED]
    assert [record.visit_id for record in kept] == [visit.id for visit in visits]
    assert {record.together for record in kept} == {key}
    assert {(record.latitude, record.seen, *record.evidence) for record in kept} == {
        (30.59, "沿河一线现场整洁。", str(photo))
    }
    assert [(await Item.get(id=visit.item_id)).cycle for visit in visits] == [1, 1, 2]
    assert [await acts(visit.id) for visit in visits] == [["visit.recorded"]] * 3


async def test_what_concerns_one_item_alone_is_added_to_its_record(office: Office) -> None:
    visits = await visits_to(office, "AA")
    said = stop(visits)
    one = said.records[1].model_copy(update={"seen": "公示牌褪色。"})
    said = said.model_copy(update={"records": (said.records[0], one)})
    kept = await lookbacks.record_stop(said, by=await office.scope("inspector 1"), client_id=new_id())
    assert [record.seen for record in kept] == ["沿河一线现场整洁。", "沿河一线现场整洁。\n公示牌褪色。"]


async def test_the_last_stop_of_a_plan_ends_the_reminder(office: Office) -> None:
    visits = await visits_to(office, "AA")
    await lookbacks.record_stop(stop(visits), by=await office.scope("inspector 1"), client_id=new_id())
    (reminder,) = await Reminder.filter(kind=ReminderKind.VISIT_ASSIGNED)
    assert reminder.state is ReminderState.SETTLED


async def test_a_stop_replayed_from_offline_gives_the_originals_however_often(office: Office) -> None:
    visits = await visits_to(office, "AA")
    by, key, said = await office.scope("inspector 1"), new_id(), stop(visits, Verdict.RELAPSE, Verdict.RELAPSE)
    first, *again = await asyncio.gather(*(lookbacks.record_stop(said, by=by, client_id=key) for _ in range(3)))
    for replay in again:
        assert [record.id for record in replay] == [record.id for record in first]
    assert await VisitRecord.all().count() == 2
    assert await Cycle.filter(number=2).count() == 2


async def test_one_key_for_another_stop_is_refused_even_without_an_item_in_common(office: Office) -> None:
    visits = await visits_to(office, "AAAA")
    by, key = await office.scope("inspector 1"), new_id()
    outcomes = await asyncio.gather(
        *(lookbacks.record_stop(stop(some), by=by, client_id=key) for some in (visits[:2], visits[2:])),
        return_exceptions=True,
    )
    (refused,) = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert refused.code == "client_id_reused"
    for said in (visits[:1], visits[1:]):
        with pytest.raises(Conflict, match="client_id_reused"):
            await lookbacks.record_stop(stop(said), by=by, client_id=key)
    with pytest.raises(Conflict, match="client_id_reused"):
        await lookbacks.record_visit(visits[0].id, says(), by=by, client_id=key)
    assert await VisitRecord.all().count() == 2


async def test_one_bad_item_keeps_the_whole_stop_out(office: Office) -> None:
    visits = await visits_to(office, "AA")
    by, said = await office.scope("inspector 1"), stop(visits, Verdict.RELAPSE, Verdict.RELAPSE)
    wrong = said.records[1].model_copy(update={"checks": (Check(line=9, finding=Finding.MET),)})
    with pytest.raises(Invalid, match="no_such_line") as refused:
        await lookbacks.record_stop(
            said.model_copy(update={"records": (said.records[0], wrong)}), by=by, client_id=new_id()
        )
    assert [fault.pointer for fault in refused.value.faults] == ["/records/1/checks/0/line"]
    assert await VisitRecord.all().count() == await Cycle.filter(number=2).count() == 0


async def test_an_item_that_a_colleague_recorded_meanwhile_is_named(office: Office) -> None:
    visits = await visits_to(office, "AA")
    await recorded(office, visits[1], says())
    with pytest.raises(Conflict, match="already_recorded") as refused:
        await lookbacks.record_stop(stop(visits), by=await office.scope("inspector 1"), client_id=new_id())
    assert refused.value.extra == {"visit_id": str(visits[1].id)}
    assert await VisitRecord.filter(visit_id=visits[0].id).count() == 0


async def test_a_stop_is_at_one_unit_by_one_team_of_ones_own_visits(office: Office) -> None:
    in_a, in_b = await visits_to(office, "AB", name="一")
    both = (office.people["inspector 1"], office.people["inspector 2"])
    pairs = await drawn(office, name="二", although_visited="群众再次反映", team=2, inspectors=both)
    by = await office.scope("inspector 1")
    with pytest.raises(Invalid, match="another_unit"):
        await lookbacks.record_stop(stop([in_a, in_b]), by=by, client_id=new_id())
    with pytest.raises(Invalid, match="another_team"):
        same_unit = next(visit for visit in pairs if visit.unit_path == in_a.unit_path)
        await lookbacks.record_stop(stop([in_a, same_unit]), by=by, client_id=new_id())
    with pytest.raises(NotFound):
        await lookbacks.record_stop(stop([in_a]), by=await office.scope("inspector 2"), client_id=new_id())
    assert await VisitRecord.all().count() == 0


async def test_photos_of_a_stop_were_submitted_to_one_of_its_visits(office: Office) -> None:
    *two, other = await visits_to(office, "AAA")
    by = await office.scope("inspector 1")
    strange = await words_for(other, by)
    with pytest.raises(Invalid, match="unknown_evidence") as refused:
        await lookbacks.record_stop(stop(two, evidence=(strange,)), by=by, client_id=new_id())
    assert [fault.pointer for fault in refused.value.faults] == ["/evidence/0"]


async def test_a_record_of_a_stop_is_corrected_by_itself_with_the_photos_that_it_named(office: Office) -> None:
    visits = await visits_to(office, "AA")
    by = await office.scope("inspector 1")
    photo = await words_for(visits[0], by)
    await lookbacks.record_stop(stop(visits, evidence=(photo,)), by=by, client_id=new_id())
    again = await recorded(office, visits[1], says(evidence=(photo,)), correction_reason="补充一句")
    assert (again.evidence, again.together) == ([str(photo)], None)


def test_a_stop_names_a_visit_once_and_mostly_effective_says_what_remains() -> None:
    one = {"visit_id": new_id(), "verdict": "effective"}
    with pytest.raises(ValidationError, match="只能填一次"):
        StopFacts(seen="整洁。", visited_at=clock.now(), records=(one, one))
    with pytest.raises(ValidationError, match="后续"):
        StopFacts(seen="整洁。", visited_at=clock.now(), records=({**one, "verdict": "mostly_effective"},))


# The day as a list


async def test_the_day_lists_units_in_the_order_they_were_visited_then_what_is_open(office: Office) -> None:
    visits = await visits_to(office, "ABAA")
    by, now = await office.scope("inspector 1"), clock.now()
    in_b = next(visit for visit in visits if visit.unit_path == "/root/B/")
    first, second, third = [visit for visit in visits if visit.unit_path == "/root/A/"]
    await recorded(office, in_b, says(visited_at=now, place=HERE))
    await recorded(office, first, says(visited_at=now - timedelta(minutes=1)))
    today = await lookbacks.itinerary(clock.local(now).date(), by=by)
    assert [(stop.unit.name, [visit.id for visit in stop.visits]) for stop in today] == [
        ("A", [first.id]),
        ("B", [in_b.id]),
        ("A", [second.id, third.id]),
    ]
    before = await lookbacks.itinerary(clock.today() - timedelta(days=3), by=by)
    assert before == []
    assert await lookbacks.itinerary(clock.today(), by=await office.scope("inspector 2")) == []


async def test_no_table_holds_a_way(office: Office) -> None:
    """One fix a record at most, and nothing that strings them together."""
    places = await database.fetch(
        "select table_name from information_schema.columns where table_schema = 'public' and column_name = 'latitude'"
    )
    assert {row["table_name"] for row in places} == {"visit_record", "trace"}


# Who may sign


async def paired(office: Office) -> tuple[Visit, str, str]:
    """A visit of two, and the names of who leads it and who goes along."""
    await office.closed_item("A")
    pool = (office.people["inspector 1"], office.people["inspector 2"])
    (visit,) = await drawn(office, team=2, inspectors=pool)
    names = {person: name for name, person in office.people.items()}
    assert visit.second_inspector_id is not None
    return visit, names[visit.inspector_id], names[visit.second_inspector_id]


async def typed(office: Office, visit: Visit, writer: str | None) -> VisitRecord:
    return await lookbacks.record_from_paper(
        visit.id,
        says(),
        by=await office.scope("oversight"),
        client_id=new_id(),
        paper="档案柜3-12",
        written_by=office.people[writer] if writer else None,
    )


async def test_whoever_wrote_the_paper_does_not_cosign_it_the_other_one_does(office: Office) -> None:
    visit, lead, other = await paired(office)
    record = await typed(office, visit, other)
    writer, colleague = await office.scope(other), await office.scope(lead)
    with pytest.raises(Forbidden, match="own_record"):
        await lookbacks.cosign(visit.id, record.id, by=writer)
    assert await lookbacks.to_cosign([visit], by=writer) == set()
    assert await lookbacks.to_cosign([visit], by=colleague) == {visit.id}
    assert (await lookbacks.cosign(visit.id, record.id, by=colleague)).person_id == office.people[lead]


async def test_of_two_inspectors_it_is_said_who_wrote_the_paper(office: Office) -> None:
    visit, *_ = await paired(office)
    with pytest.raises(Invalid, match="writer_needed"):
        await typed(office, visit, None)
    with pytest.raises(Invalid, match="not_of_the_team"):
        await typed(office, visit, "inspector A")


async def test_who_went_alone_wrote_the_paper(office: Office) -> None:
    (visit,) = await visits_to(office, "A")
    assert (await typed(office, visit, None)).written_by == office.people["inspector 1"]


async def test_a_replay_from_paper_by_another_hand_is_another_record(office: Office) -> None:
    visit, lead, other = await paired(office)
    key, oversight = new_id(), await office.scope("oversight")
    facts = says()
    said: dict[str, Any] = {"by": oversight, "client_id": key, "paper": "柜3"}
    first = await lookbacks.record_from_paper(visit.id, facts, written_by=office.people[lead], **said)
    again = await lookbacks.record_from_paper(visit.id, facts, written_by=office.people[lead], **said)
    assert again.id == first.id
    with pytest.raises(Conflict, match="client_id_reused"):
        await lookbacks.record_from_paper(visit.id, facts, written_by=office.people[other], **said)


async def test_each_record_of_a_stop_is_cosigned_by_itself(office: Office) -> None:
    for _ in range(2):
        await office.closed_item("A")
    pool = (office.people["inspector 1"], office.people["inspector 2"])
    visits = await drawn(office, team=2, inspectors=pool)
    kept = await lookbacks.record_stop(stop(visits), by=await office.scope("inspector 1"), client_id=new_id())
    second = await office.scope("inspector 2")
    assert await lookbacks.to_cosign(visits, by=second) == {visit.id for visit in visits}
    await lookbacks.cosign(visits[0].id, kept[0].id, by=second)
    assert await lookbacks.to_cosign(visits, by=second) == {visits[1].id}
    assert (await scope_of(office, visits[0].inspector_id)).person_id in pool
