"""Working days, as a phone counts them without a network."""

from datetime import date, timedelta

from models.base import calendar
from models.organization import Zone
from tests.api.conftest import Phone


async def test_a_phone_is_told_all_days_that_differ_from_plain_weeks(phone: Phone, zone: Zone) -> None:
    told = (await phone.get("/api/mini/calendar")).content
    holidays, workdays = set(told["holidays"]), set(told["workdays"])
    days = await calendar.calendar_of(zone.id)
    first = date(max(told["years"]), 1, 1)
    for day in (first + timedelta(days=n) for n in range(365)):
        counted = str(day) in workdays or (day.weekday() < 5 and str(day) not in holidays)
        assert counted == days.is_working_day(day), day
    assert "2026-10-01" in holidays and holidays.isdisjoint(workdays)
