"""Look-backs that come again: one plan a period, drawn by a seed that nobody could choose, late ones once."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deploy.commands.audit import write_export
from models import lookbacks
from models.base import audit, calendar, clock
from models.base.audit import AuditBlock, AuditRow
from models.base.calendar import Calendar, calendar_of
from models.base.errors import Conflict, Forbidden, Invalid, NotFound
from models.base.scope import Grant, Role, Scope
from models.lookbacks import (
    DrawRecord,
    Every,
    FrozenDraw,
    LookbackPlan,
    LookbackSeries,
    PlanFacts,
    Population,
    SeedFrom,
    SeriesFacts,
    SeriesState,
    Visit,
    verify,
    verify_seed,
)
from models.lookbacks.series import Period
from models.organization import Zone
from models.reminders import Reminder, ReminderKind
from tests.lookback_zone import Office, furnish

pytestmark = pytest.mark.usefixtures("database")
Moves = Callable[..., None]


@pytest.fixture
async def office(zone: Zone, clock_moves: Moves) -> Office:
    """The small zone with one closed item, on 2 December 2026, at ten in the morning of a working day."""
    move_to(clock_moves, date(2026, 12, 2), 10)
    office = await furnish(zone)
    await office.closed_item("A")
    return office


def move_to(clock_moves: Moves, day: date, hour: int = 9) -> None:
    clock_moves(seconds=(clock.at(day, hour) - clock.now()).total_seconds())


async def begun(office: Office, **facts: Any) -> LookbackSeries:
    said = {"name": "每月回头看", "population": Population(), "percent": 100, "every": Every.MONTH, **facts}
    return await lookbacks.begin_series(SeriesFacts(**said), by=await office.scope("oversight"))


async def opened(office: Office) -> list[LookbackPlan]:
    """What a worker's round opens."""
    zone_id = office.zone.id
    made = [await lookbacks.open_period(zone_id, due) for due in await lookbacks.due_series(zone_id)]
    return [plan for plan in made if plan is not None]


async def drawn_by_log(office: Office, plan: LookbackPlan) -> DrawRecord:
    await audit.seal(office.zone.id)
    kept = await lookbacks.draw_frozen(office.zone.id, plan.id)
    assert kept is not None
    return DrawRecord.model_validate(kept.record)


async def labels() -> list[str]:
    return await LookbackPlan.all().order_by("id").values_list("name", flat=True)  # type: ignore[return-value]


# When


@given(st.dates(date(2020, 1, 1), date(2099, 1, 1)), st.sampled_from(Every), st.integers(1, 15))
def test_a_period_holds_its_days_and_is_drawn_on_a_working_day_of_its_own(day, every, working_day):
    period, days = Period.of(day, every), Calendar()
    assert period.first <= day < period.next().first
    drawn_on = period.drawn_on(working_day, days)
    assert period.first <= drawn_on < period.next().first
    assert days.working_days_between(period.first - timedelta(days=1), drawn_on) == working_day


def test_periods_are_named_as_the_office_names_them() -> None:
    assert Period.of(date(2026, 12, 9), Every.MONTH).label == "2026年12月"
    assert Period.of(date(2026, 12, 9), Every.QUARTER).label == "2026年第4季度"
    assert Period.of(date(2026, 12, 9), Every.QUARTER).next().first == date(2027, 1, 1)


async def test_a_series_begins_with_the_first_period_whose_day_is_to_come(office: Office) -> None:
    days = await calendar_of(office.zone.id)
    this_month = await begun(office, working_day=3)
    assert lookbacks.next_day_of(this_month, days) == date(2026, 12, 3)
    past = await begun(office, name="每月第一个工作日")
    assert past.next_from == date(2027, 1, 1)
    quarter = await begun(office, name="每季度", every=Every.QUARTER)
    assert quarter.next_from == date(2027, 1, 1)
    assert await opened(office) == []


async def test_a_new_holiday_notice_moves_the_day(office: Office, clock_moves: Moves) -> None:
    series = await begun(office)
    before = lookbacks.next_day_of(series, await calendar_of(office.zone.id))
    admin = Scope(office.zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    holidays = [date(2027, 1, day) for day in range(1, 7)]
    await calendar.import_notice(by=admin, year=2027, holidays=holidays, workdays=[], source="国办发明电")
    after = lookbacks.next_day_of(series, await calendar_of(office.zone.id))
    assert (before, after) == (date(2027, 1, 1), date(2027, 1, 7))


# What is drawn, and by which seed


async def test_each_period_is_a_plan_of_its_own_and_its_draw_asks_the_inspectors(
    office: Office, clock_moves: Moves
) -> None:
    series = await begun(office, working_day=3)
    move_to(clock_moves, date(2026, 12, 3), 8)
    assert await opened(office) == []
    move_to(clock_moves, date(2026, 12, 3), 9)
    (plan,) = await opened(office)
    assert (plan.name, plan.series_id, plan.period_from) == ("每月回头看（2026年12月）", series.id, date(2026, 12, 1))
    record = await drawn_by_log(office, plan)
    assert (len(record.drawing.assigned), record.seed_from, verify(record)) == (1, SeedFrom.LOG, [])
    assert await Visit.filter(plan_id=plan.id).count() == 1
    assert await Reminder.filter(kind=ReminderKind.VISIT_ASSIGNED).count() == 1
    assert await opened(office) == []
    assert await lookbacks.frozen_plans(office.zone.id) == []


async def test_the_seed_is_the_block_that_seals_what_was_frozen(
    office: Office, clock_moves: Moves, tmp_path: Path
) -> None:
    await begun(office, working_day=3)
    await audit.seal(office.zone.id)
    move_to(clock_moves, date(2026, 12, 3))
    (plan,) = await opened(office)
    assert await lookbacks.draw_frozen(office.zone.id, plan.id) is None, "not sealed yet: no seed"
    record = await drawn_by_log(office, plan)
    block = await AuditBlock.filter(zone_id=office.zone.id).order_by("-height").first()
    assert block is not None and record.seed == bytes(block.hash).hex()
    frozen = await AuditRow.get(action="lookback.frozen")
    assert frozen.data["inputs"] == record.inputs_hash
    await audit.seal(office.zone.id)
    await write_export(office.zone.code, tmp_path / "log")
    log = (tmp_path / "log").read_bytes().splitlines()
    assert verify_seed(record, log) == []
    assert verify_seed(record.model_copy(update={"seed": "00" * 32}), log) == ["seed_not_of_log"]
    assert verify_seed(record.model_copy(update={"inputs_hash": "00" * 32}), log) == ["not_frozen_in_log"]
    assert verify_seed(record.model_copy(update={"seed_from": SeedFrom.CALLED}), log) == []


async def test_what_closes_after_the_freeze_is_not_drawn(office: Office, clock_moves: Moves) -> None:
    await begun(office, working_day=3)
    move_to(clock_moves, date(2026, 12, 3))
    (plan,) = await opened(office)
    await office.closed_item("B")
    record = await drawn_by_log(office, plan)
    assert len(record.population) == 1


async def test_nobody_draws_by_hand_while_the_seed_is_awaited_unless_none_comes(
    office: Office, clock_moves: Moves
) -> None:
    await begun(office, working_day=3)
    move_to(clock_moves, date(2026, 12, 3))
    (plan,) = await opened(office)
    oversight = await office.scope("oversight")
    with pytest.raises(Conflict, match="being_drawn"):
        await lookbacks.draw_visits(plan.id, by=oversight, seed="7")
    clock_moves(minutes=11)
    kept = await lookbacks.draw_visits(plan.id, by=oversight, seed="7")
    await audit.seal(office.zone.id)
    assert await lookbacks.draw_frozen(office.zone.id, plan.id) is None
    assert await lookbacks.frozen_plans(office.zone.id) == []
    assert (await lookbacks.draw_of(plan.id, by=oversight)).id == kept.id


async def test_two_workers_open_and_draw_a_period_once(office: Office, clock_moves: Moves) -> None:
    series, zone_id = await begun(office, working_day=3), office.zone.id
    move_to(clock_moves, date(2026, 12, 3))
    made = await asyncio.gather(*(lookbacks.open_period(zone_id, series.id) for _ in range(2)))
    (plan,) = [one for one in made if one]
    await audit.seal(zone_id)
    kept = await asyncio.gather(*(lookbacks.draw_frozen(zone_id, plan.id) for _ in range(2)))
    assert len([one for one in kept if one]) == 1
    assert await Visit.filter(plan_id=plan.id).count() == 1


async def test_what_was_visited_lately_rests_without_anybody_being_asked(office: Office, clock_moves: Moves) -> None:
    series = await begun(office, working_day=3)
    assert series.terms["population"]["rested_days"] == 90
    move_to(clock_moves, date(2026, 12, 3))
    (plan,) = await opened(office)
    await drawn_by_log(office, plan)
    fresh = await office.closed_item("B")
    move_to(clock_moves, date(2027, 1, 5))
    (plan,) = await opened(office)
    record = await drawn_by_log(office, plan)
    assert [candidate.item for candidate in record.population] == [fresh.id]


# Missed, paused, ended


async def test_months_that_were_missed_are_caught_up_with_once(office: Office, clock_moves: Moves) -> None:
    await begun(office, working_day=3)
    move_to(clock_moves, date(2027, 4, 20))
    (plan,) = await opened(office)
    assert await labels() == ["每月回头看（2027年4月）"]
    assert (await AuditRow.get(subject_id=plan.id, action="lookback.planned")).data["missed"] == 4
    assert await opened(office) == []
    move_to(clock_moves, date(2027, 5, 10))
    await opened(office)
    assert (await labels())[1:] == ["每月回头看（2027年5月）"]


async def test_a_paused_series_draws_nothing_and_goes_on_with_the_next_period(
    office: Office, clock_moves: Moves
) -> None:
    series, oversight = await begun(office, working_day=3), await office.scope("oversight")
    await lookbacks.set_series(series.id, SeriesState.PAUSED, by=oversight)
    move_to(clock_moves, date(2027, 2, 20))
    assert await opened(office) == []
    resumed = await lookbacks.set_series(series.id, SeriesState.ACTIVE, by=oversight)
    assert resumed.next_from == date(2027, 3, 1)
    assert await opened(office) == []
    move_to(clock_moves, date(2027, 3, 5))
    await opened(office)
    assert await labels() == ["每月回头看（2027年3月）"]


async def test_an_ended_series_is_ended_for_good(office: Office, clock_moves: Moves) -> None:
    series, oversight = await begun(office, working_day=3), await office.scope("oversight")
    await lookbacks.set_series(series.id, SeriesState.ENDED, by=oversight)
    with pytest.raises(Conflict, match="series_ended"):
        await lookbacks.set_series(series.id, SeriesState.ACTIVE, by=oversight)
    move_to(clock_moves, date(2027, 2, 20))
    assert await opened(office) == []


async def test_a_series_ends_by_itself_after_its_last_day(office: Office, clock_moves: Moves) -> None:
    series = await begun(office, working_day=3, until_on=date(2026, 12, 31))
    move_to(clock_moves, date(2026, 12, 3))
    assert len(await opened(office)) == 1
    series = await LookbackSeries.get(id=series.id)
    assert lookbacks.next_day_of(series, await calendar_of(office.zone.id)) is None
    move_to(clock_moves, date(2027, 1, 20))
    assert await opened(office) == []
    assert (await LookbackSeries.get(id=series.id)).state is SeriesState.ENDED


async def test_a_period_with_nothing_to_draw_stays_for_a_person_who_is_told(office: Office, clock_moves: Moves) -> None:
    await begun(office, working_day=3, population=Population(area="没有的领域"))
    move_to(clock_moves, date(2026, 12, 3))
    (plan,) = await opened(office)
    assert await FrozenDraw.all().count() == 0
    assert (await AuditRow.get(action="lookback.not_drawn")).data["why"] == "nothing_to_draw"
    (told,) = await Reminder.filter(subject_id=plan.id)
    assert (told.person_id, told.kind) == (office.people["oversight"], ReminderKind.INFORMED)
    assert "没有可抽取的事项" in told.summary
    assert await opened(office) == []


# Who, and what is refused


async def test_a_series_set_up_twice_is_one(office: Office) -> None:
    assert (await begun(office)).id == (await begun(office)).id
    with pytest.raises(Conflict, match="series_name_taken"):
        await begun(office, percent=50)
    assert await AuditRow.filter(action="lookback.series_begun").count() == 1


async def test_only_oversight_sets_up_a_series_and_only_over_its_own_units(office: Office) -> None:
    series = await begun(office)
    facts = SeriesFacts(name="x", every=Every.MONTH, count=1, population=Population(unit_id=office.units["A"].id))
    with pytest.raises(Forbidden):
        await lookbacks.begin_series(facts, by=await office.scope("inspector 1"))
    elsewhere = await office.scope("other oversight")
    with pytest.raises(NotFound):
        await lookbacks.begin_series(facts, by=elsewhere)
    with pytest.raises(NotFound):
        await lookbacks.set_series(series.id, SeriesState.PAUSED, by=elsewhere)
    assert await lookbacks.all_series(by=elsewhere) == []


async def test_a_series_wants_days_that_move_with_it(office: Office) -> None:
    with pytest.raises(ValidationError, match="抽取前多少天内销号"):
        SeriesFacts(name="x", every=Every.MONTH, count=1, population=Population(closed_from=date(2026, 1, 1)))
    saved = Population(closed_from=date(2026, 1, 1))
    await lookbacks.save_population("上半年", saved, by=await office.scope("oversight"))
    with pytest.raises(Invalid, match="dates_stand_still"):
        await begun(office, population=None, saved="上半年")


async def test_a_plan_that_a_person_named_alike_stays_the_persons(office: Office, clock_moves: Moves) -> None:
    series = await begun(office, working_day=3)
    facts = PlanFacts(name="每月回头看（2026年12月）", population=Population(), count=1)
    await lookbacks.plan(facts, by=await office.scope("oversight"))
    move_to(clock_moves, date(2026, 12, 3))
    (plan,) = await opened(office)
    assert plan.name == f"每月回头看（2026年12月）·{series.id.hex[-6:]}"
