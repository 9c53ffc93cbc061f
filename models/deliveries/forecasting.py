"""How many messages notices would become: gathered, kept for the morning, merged over the budget, as pushes are."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import heapify, heappop, heappush
from uuid import UUID

from models.base import clock
from models.base.calendar import Calendar
from models.deliveries.owing import GATHER
from models.organization import ZoneSettings


@dataclass(frozen=True)
class Notice:
    """A reminder that will be owed to a person's phone."""

    person_id: UUID
    at: datetime
    urgent: bool = False
    escalation: bool = False


@dataclass
class Forecast:
    """Messages by day and person; `over` are the people and days beyond the zone's daily budget.

    That is more messages than the budget (escalations are exempt and count here all the same), or some that would have
    to wait for the next morning.
    """

    messages: Counter[tuple[date, UUID]] = field(default_factory=Counter)
    over: set[tuple[date, UUID]] = field(default_factory=set)


def forecast(notices: Iterable[Notice], settings: ZoneSettings, days: Calendar) -> Forecast:
    """By the rules of `pushes`, for phones that can be reached. Pure: `notices` in any order."""
    found = Forecast()
    people: dict[UUID, list[Notice]] = defaultdict(list)
    for notice in notices:
        people[notice.person_id].append(notice)
    for person, theirs in people.items():
        for day, in_time in _messages(theirs, settings, days):
            if in_time:
                found.messages[day, person] += 1
            else:
                found.over.add((day, person))
    found.over |= {on for on, count in found.messages.items() if count > settings.daily_budget}
    return found


def _messages(notices: list[Notice], settings: ZoneSettings, days: Calendar) -> Iterator[tuple[date, bool]]:
    """The days on which one person gets a message (True), or one that is over the budget waits (False)."""

    def loud(at: datetime) -> datetime:
        return days.next_loud(at, settings.quiet_from, settings.quiet_until)

    queue = [(n.at if n.urgent else loud(n.at), not n.escalation, place, n.at) for place, n in enumerate(notices)]
    heapify(queue)
    told_until, spent = datetime.min.replace(tzinfo=clock.SHANGHAI), Counter[date]()
    while queue:
        rings_at, plain, place, at = heappop(queue)
        day = clock.local(rings_at).date()
        if at <= told_until:
            continue  # the last message told of it too
        if plain and spent[day] >= settings.daily_budget:
            yield day, False
            heappush(queue, (loud(clock.at(day + timedelta(days=1))), plain, place, at))
            continue
        yield day, True
        told_until = rings_at + GATHER
        spent[day] += plain
