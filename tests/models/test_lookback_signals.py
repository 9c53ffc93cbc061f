"""Records of visits whose places do not fit are asked about; one without a place never is."""

from datetime import datetime, timedelta

import pytest

from models import evidence, lookbacks
from models.base import clock
from models.base.ids import new_id
from models.evidence import Brought, Kind, Nonce, Submission
from models.lookbacks import Place, PlanFacts, Population, Verdict, Visit, VisitFacts, VisitRecord
from models.organization import Zone
from tests.lookback_zone import Office, furnish

HERE = Place(latitude=30.59, longitude=114.31)
FAR = Place(latitude=30.59, longitude=114.71)


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await furnish(zone)


async def visits(office: Office, count: int, name: str = "计划", although_visited: str = "") -> list[Visit]:
    """As many, all of one inspector."""
    oversight = await office.scope("oversight")
    facts = PlanFacts(
        name=name,
        population=Population(),
        count=count,
        inspectors=(office.people["inspector 1"],),
        although_visited=although_visited,
    )
    plan = await lookbacks.plan(facts, by=oversight)
    await lookbacks.draw_visits(plan.id, by=oversight)
    return await lookbacks.visits_of(plan.id, by=oversight)


async def recorded(office: Office, visit: Visit, place: Place | None, at: datetime) -> VisitRecord:
    facts = VisitFacts(verdict=Verdict.EFFECTIVE, seen="已整改到位。", place=place, visited_at=at)
    by = await office.scope("inspector 1")
    return await lookbacks.record_visit(visit.id, facts, by=by, client_id=new_id())


async def codes(visit: Visit, record: VisitRecord) -> list[str]:
    return [signal.code for signal in await lookbacks.signals_of(record, visit.item_id)]


async def test_two_records_too_far_apart_for_the_time_between_are_asked_about(office):
    for _ in range(2):
        await office.closed_item("A")
    first, second = await visits(office, 2)
    now = clock.now()
    earlier = await recorded(office, first, HERE, now - timedelta(minutes=10))
    later = await recorded(office, second, FAR, now)
    (signal,) = await lookbacks.signals_of(later, second.item_id)
    assert "38 公里" in signal.sentence and "10 分钟" in signal.sentence
    assert await codes(first, earlier) == ["too_far_too_soon"]


async def test_an_ordinary_drive_is_not_asked_about(office):
    for _ in range(2):
        await office.closed_item("A")
    first, second = await visits(office, 2)
    now = clock.now()
    await recorded(office, first, HERE, now - timedelta(hours=1))
    assert await codes(second, await recorded(office, second, FAR, now)) == []


async def test_a_record_without_a_place_is_never_asked_about(office):
    for _ in range(2):
        await office.closed_item("A")
    first, second = await visits(office, 2)
    now = clock.now()
    await recorded(office, first, HERE, now)
    assert await codes(second, await recorded(office, second, None, now)) == []


async def test_a_photo_taken_elsewhere_is_asked_about(office):
    await office.closed_item("A")
    (visit,) = await visits(office, 1)
    given = Submission(client_id=new_id(), kind=Kind.TEXT, visit_id=visit.id, text="见照片。")
    piece = await evidence.attach(given, by=await office.scope("inspector 1"))
    await evidence.trace(office.zone.id, piece.id, {"latitude": FAR.latitude, "longitude": FAR.longitude})
    assert await codes(visit, await recorded(office, visit, HERE, clock.now())) == ["photo_elsewhere"]


async def test_a_visit_to_the_same_item_at_another_place_is_asked_about(office):
    await office.closed_item("A")
    (first,) = await visits(office, 1)
    await recorded(office, first, HERE, clock.now() - timedelta(days=2))
    (second,) = await visits(office, 1, name="第二次计划", although_visited="群众再次反映")
    assert await codes(second, await recorded(office, second, FAR, clock.now())) == ["site_elsewhere"]


async def test_a_record_says_whether_its_phone_had_opened_the_visit_and_how_its_clock_stood(office):
    await office.closed_item("A")
    (visit,) = await visits(office, 1)
    facts = VisitFacts(verdict=Verdict.EFFECTIVE, seen="已整改到位。", visited_at=clock.now())
    by = await office.scope("inspector 1")
    brought = Brought(nonce=Nonce.ABSENT, clock_skew=3600)
    record = await lookbacks.record_visit(visit.id, facts, by=by, client_id=new_id(), brought=brought)
    assert await codes(visit, record) == ["no_nonce", "clock_skew"]


async def test_paper_brings_nothing_along_and_is_not_asked_about(office):
    await office.closed_item("A")
    (visit,) = await visits(office, 1)
    facts = VisitFacts(verdict=Verdict.EFFECTIVE, seen="已整改到位。", visited_at=clock.now())
    by = await office.scope("oversight")
    record = await lookbacks.record_from_paper(visit.id, facts, by=by, client_id=new_id(), paper="柜3")
    assert await codes(visit, record) == []
