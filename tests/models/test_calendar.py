"""Working days as announced, counted forwards and back, and told when not announced yet."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from models import organization
from models.base import calendar, clock
from models.base import database as postgres
from models.base.calendar import Calendar
from models.base.errors import Forbidden, Invalid
from models.base.scope import Grant, Role, Scope
from models.organization import Zone

pytestmark = pytest.mark.usefixtures("database")
DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31))
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
CALENDARS = st.builds(
    lambda off, on: Calendar(frozenset(off) - frozenset(on), frozenset(on), frozenset({2026})),
    st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=40),
    st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=20),
)


@pytest.fixture
def admin(zone: Zone) -> Scope:
    return Scope(zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))


@given(CALENDARS, DAYS, st.integers(0, 60))
def test_counting_back_what_was_added_gives_the_same_number(days: Calendar, day: date, n: int) -> None:
    assert days.working_days_between(day, days.add_working_days(day, n)) == n


@given(CALENDARS, DAYS, st.integers(1, 60))
def test_the_nth_working_day_is_one_in_both_directions(days: Calendar, day: date, n: int) -> None:
    after, before = days.add_working_days(day, n), days.add_working_days(day, -n)
    assert before < day < after
    assert days.is_working_day(after) and days.is_working_day(before)


@given(CALENDARS, DAYS, DAYS)
def test_working_days_between_is_what_walking_day_by_day_counts(days: Calendar, a: date, b: date) -> None:
    first, last = min(a, b), max(a, b)
    walked = sum(days.is_working_day(first + timedelta(n)) for n in range(1, (last - first).days + 1))
    assert days.working_days_between(a, b) == (walked if a <= b else -walked)


@given(CALENDARS, INSTANTS, st.floats(0, 40), st.floats(0, 40))
def test_working_hours_add_up(days: Calendar, at: datetime, some: float, more: float) -> None:
    in_two_steps = days.add_working_hours(days.add_working_hours(at, some), more)
    assert abs(in_two_steps - days.add_working_hours(at, some + more)) < timedelta(milliseconds=1) or some + more == 0


@given(CALENDARS, INSTANTS, st.sampled_from([("20:00", "08:00"), ("12:00", "14:00"), ("22:30", "07:15")]))
def test_the_next_loud_instant_is_loud_and_nothing_before_it_is(
    days: Calendar, at: datetime, hours: tuple[str, str]
) -> None:
    loud = days.next_loud(at, *hours)
    assert loud >= at and not days.quiet(loud, *hours)
    assert loud == at or days.quiet(loud - timedelta(seconds=1), *hours)


async def test_national_day_of_2026_is_off_and_its_make_up_saturday_is_on(zone: Zone) -> None:
    days = await calendar.calendar_of(zone.id)
    assert not days.is_working_day(date(2026, 10, 1))
    assert days.is_working_day(date(2026, 10, 10))
    assert days.add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)


async def test_a_year_not_announced_counts_weekdays_and_says_so(zone: Zone) -> None:
    days = await calendar.calendar_of(zone.id)
    assert days.announced(2026) and days.caveat(date(2026, 12, 31)) is None
    assert not days.announced(2027)
    assert days.is_working_day(date(2027, 10, 1))
    assert days.caveat(date(2027, 1, 4)) == "2027年放假安排尚未公布，按周一至周五计算。"


async def test_eight_working_hours_end_on_the_next_working_day(zone: Zone) -> None:
    days = await calendar.calendar_of(zone.id)
    friday_afternoon = clock.at(date(2026, 11, 20), 16, 30)
    assert days.add_working_hours(friday_afternoon, 8) == clock.at(date(2026, 11, 23), 17, 30)


async def test_a_zone_keeps_its_own_hours(zone: Zone, admin: Scope) -> None:
    await organization.change_settings(by=admin, changes={"working_hours": ["08:30-12:00"]})
    days = await calendar.calendar_of(zone.id)
    assert days.add_working_hours(clock.at(date(2026, 11, 20), 11, 30), 1) == clock.at(date(2026, 11, 23), 9, 0)


async def test_a_new_notice_becomes_the_newest_version_and_promises_a_recount_once(zone: Zone, admin: Scope) -> None:
    async def take(*workdays: date) -> calendar.HolidayNotice:
        off = [date(2027, 10, 1)]
        return await calendar.import_notice(by=admin, year=2027, holidays=off, workdays=workdays, source="国办发明电")

    first, again = await take(date(2027, 10, 9)), await take(date(2027, 10, 9))
    assert (first.version, again.id) == (1, first.id)
    changed = await take()
    assert changed.version == 2
    days = await calendar.calendar_of(zone.id)
    assert days.announced(2027) and not days.is_working_day(date(2027, 10, 1))
    assert not days.is_working_day(date(2027, 10, 9))
    promises = await postgres.fetch(
        "select payload from outbox where zone_id = $1 and job = $2", zone.id, calendar.CHANGED
    )
    assert len(promises) == 2


async def test_a_wrong_notice_names_every_day_and_changes_nothing(zone: Zone, admin: Scope) -> None:
    with pytest.raises(Invalid) as refused:
        await calendar.import_notice(
            by=admin,
            year=2027,
            holidays=[date(2027, 10, 1), date(2026, 5, 1)],
            workdays=[date(2027, 10, 1)],
            source="国办发明电",
        )
    assert [fault.code for fault in refused.value.faults] == ["other_year", "both_off_and_on"]
    assert not (await calendar.calendar_of(zone.id)).announced(2027)


async def test_only_an_admin_takes_a_notice(zone: Zone) -> None:
    nobody = Scope(zone.id, "person:x", grants=(Grant(Role.OVERSIGHT, "/"),))
    with pytest.raises(Forbidden):
        await calendar.import_notice(by=nobody, year=2027, holidays=[date(2027, 1, 1)], workdays=[], source="x")


def test_a_notice_is_read_from_a_workbook_or_refused_by_row() -> None:
    good = [["2027-10-01", "放假"], ["2027-10-09", "上班"]]
    assert calendar.read_notice(_workbook(good)) == {"holidays": [date(2027, 10, 1)], "workdays": [date(2027, 10, 9)]}
    with pytest.raises(Invalid) as refused:
        calendar.read_notice(_workbook([*good, ["2027-10-09", "放假"], ["十月一日", "休息"]]))
    assert [fault.code for fault in refused.value.faults] == ["duplicate_day", "bad_date", "unknown_arrangement"]


def _workbook(rows: list[list[str]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("放假安排")
        for number, row in enumerate([["日期", "安排"], *rows]):
            sheet.write_row(number, 0, row)
    return file.getvalue()
