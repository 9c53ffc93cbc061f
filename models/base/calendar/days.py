"""Counting days and hours: pure, no clock, no database."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property

from models.base import clock

DAY = timedelta(days=1)
USUAL_HOURS = ("09:00-12:00", "13:30-17:30")


@dataclass(frozen=True)
class Calendar:
    """A zone's days: `holidays` off and `workdays` (make-up days) on against the week, for the `years` announced.

    `hours` are the working hours of a working day, `"HH:MM-HH:MM"`, ascending, in Shanghai.
    """

    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()
    hours: tuple[str, ...] = USUAL_HOURS

    def announced(self, year: int) -> bool:
        """Whether the State Council's notice for `year` is known; else its days are counted Monday to Friday."""
        return year in self.years

    def caveat(self, day: date) -> str | None:
        """What to tell with a deadline on `day` whose year is not announced yet; None where it is."""
        return None if self.announced(day.year) else f"{day.year}年放假安排尚未公布，按周一至周五计算。"

    def is_working_day(self, day: date) -> bool:
        """Whether the offices work on `day`."""
        return day in self.workdays or (day.weekday() < 5 and day not in self.holidays)

    def add_working_days(self, day: date, n: int) -> date:
        """The `n`-th working day after `day` (before it where `n` is negative); `day` itself for 0."""
        step = DAY if n > 0 else -DAY
        for _ in range(abs(n)):
            day += step
            while not self.is_working_day(day):
                day += step
        return day

    def working_days_between(self, a: date, b: date) -> int:
        """How many working days lie after `a` up to and with `b`; with `b` before `a`, minus those from `b` to `a`."""
        return self._working_days_until(b) - self._working_days_until(a)

    def add_working_hours(self, at: datetime, hours: float) -> datetime:
        """The instant (UTC) by which `hours` of working time have passed since the instant `at`."""
        left = timedelta(hours=hours)
        for opens, closes in self._opening_hours(clock.local(at).date()):
            begins = max(opens, at)
            if begins + left <= closes:
                return max(begins + left, at)
            left -= max(closes - begins, timedelta())
        raise AssertionError("working days never end")

    def quiet(self, at: datetime, from_: str, until: str) -> bool:
        """Whether phones rest at the instant `at`: between `from_` and `until` (`"20:00"`), or on a day off."""
        local = clock.local(at)
        begins, ends, now = time.fromisoformat(from_), time.fromisoformat(until), local.time()
        at_rest = begins <= now < ends if begins <= ends else now >= begins or now < ends
        return at_rest or not self.is_working_day(local.date())

    def next_loud(self, at: datetime, from_: str, until: str) -> datetime:
        """The first instant (UTC) not before `at` that is not `quiet`."""
        if not self.quiet(at, from_, until):
            return at
        day, ends = clock.local(at).date(), time.fromisoformat(until)
        candidates = (candidate for ahead in range(1000) for candidate in _wakings(day + ahead * DAY, ends))
        return next(c for c in candidates if c >= at and not self.quiet(c, from_, until))

    def _working_days_until(self, day: date) -> int:
        """Working days from year 1 up to and with `day`: weekdays by arithmetic, then what notices changed."""
        weeks, rest = divmod(day.toordinal(), 7)  # 0001-01-01 was a Monday
        weekdays = weeks * 5 + min(rest, 5)
        return weekdays - bisect_right(self._lost_weekdays, day) + bisect_right(self._gained_weekends, day)

    @cached_property
    def _lost_weekdays(self) -> list[date]:
        return sorted(day for day in self.holidays - self.workdays if day.weekday() < 5)

    @cached_property
    def _gained_weekends(self) -> list[date]:
        return sorted(day for day in self.workdays if day.weekday() >= 5)

    def _opening_hours(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """Spans of working time (UTC), from `day` on, without end."""
        spans = [tuple(time.fromisoformat(part) for part in span.split("-")) for span in self.hours]
        while True:
            if self.is_working_day(day):
                for opens, closes in spans:
                    yield clock.at(day, opens.hour, opens.minute), clock.at(day, closes.hour, closes.minute)
            day += DAY


def _wakings(day: date, ends: time) -> Iterable[datetime]:
    """When quiet may end on `day`: as the day begins (after a day off) or as the quiet hours end."""
    return clock.at(day), clock.at(day, ends.hour, ends.minute)
