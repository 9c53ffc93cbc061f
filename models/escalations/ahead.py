"""What reaches people's phones in the next days, before more is sent: so that the office sends less."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

from models import deliveries, organization
from models.base import clock
from models.base.calendar import calendar_of
from models.deliveries import Forecast, Notice
from models.escalations.simulating import Foreseen, planned
from models.escalations.tables import Condition

AHEAD_DAYS = 7


@dataclass(frozen=True)
class Day:
    """Messages of one day; `over_budget`: how many people would get more than the zone's daily budget."""

    on: date
    people: int
    messages: int
    over_budget: int


@dataclass(frozen=True)
class Ahead:
    """What notices would send to `people` in 7 days, if nobody acted on anything. Never by name (domain.md §5).

    `already`: messages that the same people will get anyway; `messages` includes them. `by_messages`: messages → how
    many people.
    """

    people: int
    messages: int
    already: int
    daily_budget: int
    by_messages: dict[int, int]
    days: list[Day]
    advice: ClassVar[str] = ""

    @property
    def warning(self) -> str | None:
        """What to tell the office before it goes on, where the budget would not hold; `advice` is what may help."""
        worst = max(self.days, key=lambda day: day.over_budget, default=None)
        if worst is None or not worst.over_budget:
            return None
        return (
            f"{worst.on.month}月{worst.on.day}日将有{worst.over_budget}人收到超过{self.daily_budget}条消息"
            f"（每人每日上限）。{self.advice}"
        )


async def ahead(zone_id: UUID, notices: Iterable[Notice]) -> Ahead:
    """Of `notices` that something would owe, beside what the steps already planned will tell the same people."""
    today, until = clock.today(), clock.at(clock.today() + timedelta(days=AHEAD_DAYS))
    calendar, settings = await calendar_of(zone_id), await organization.settings_of(zone_id)
    fresh = [one for one in notices if one.at < until]
    told = {one.person_id for one in fresh}
    others = [notice(one) for one in await planned(zone_id, told, until) if one.rings]
    after = deliveries.forecast([*fresh, *others], settings, calendar)
    return Ahead(
        people=len(told),
        messages=after.messages.total(),
        already=deliveries.forecast(others, settings, calendar).messages.total(),
        daily_budget=settings.daily_budget,
        by_messages=_by_messages(after),
        days=[_day(after, today + timedelta(days=days)) for days in range(AHEAD_DAYS + 1)],
    )


def notice(one: Foreseen, *, urgent: bool = False) -> Notice:
    """What a step that rings owes to the person's phone."""
    assert one.at is not None
    return Notice(one.person_id, one.at, urgent, escalation=one.condition is not Condition.DAYS_TO_DUE)


def _by_messages(forecast: Forecast) -> dict[int, int]:
    each = Counter[UUID]()
    for (_, person), count in forecast.messages.items():
        each[person] += count
    return dict(sorted(Counter(each.values()).items()))


def _day(forecast: Forecast, on: date) -> Day:
    counts = [count for (day, _), count in forecast.messages.items() if day == on]
    return Day(on, len(counts), sum(counts), sum(day == on for day, _ in forecast.over))
