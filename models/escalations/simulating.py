"""Who would be told when, if nothing moved: by the very steps, merging and staffing of firing, and no row written.

For the office before it decides on a policy or issues, and for tests, which hold it against what then really fires.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from uuid import UUID

from models import organization
from models.base import clock
from models.base.calendar import Calendar
from models.base.ids import new_id
from models.escalations.audiences import hear
from models.escalations.policies import DRAFTS
from models.escalations.tables import Action, Condition, Policy, Timer, TimerState, Watch
from models.escalations.timers import timers_of
from models.organization import Chain, Staffed

NEVER = datetime.max.replace(tzinfo=UTC)
MOST_PLANNED = 5_000
"""Steps already planned that a preview takes into account, the soonest first."""


@dataclass(frozen=True)
class Foreseen:
    """One thing for one person: at `at`, or at the `amount`-th return where that is None; drafts wait for a person."""

    at: datetime | None
    person_id: UUID
    policy_code: str
    step: int
    condition: Condition
    amount: int
    level: int
    action: Action

    @property
    def rings(self) -> bool:
        """Whether it is owed to a phone by itself."""
        return self.at is not None and self.action not in DRAFTS


def foresee(
    policies: Sequence[Policy],
    staffed: Staffed,
    days: Calendar,
    *,
    issued_at: datetime,
    due_on: date,
    received: bool = False,
) -> list[Foreseen]:
    """All that `policies` would say of an item, in order, with people as they are staffed now.

    Nobody acts on it; with `received` nothing waits for its receipt any more.
    """
    waiting: list[Timer] = []
    for policy in policies:
        watch = Watch(zone_id=policy.zone_id, item_id=new_id(), issued_at=issued_at, due_on=due_on)
        waiting += [timer for timer in timers_of(watch, policy, days) if timer.state is TimerState.WAITING]
    if received:
        waiting = [timer for timer in waiting if timer.condition is not Condition.UNACKNOWLEDGED]
    return list(_foreseen(waiting, staffed))


async def planned(zone_id: UUID, people: Collection[UUID], until: datetime) -> list[Foreseen]:
    """What the soonest steps that wait in the zone (up to 5,000) will tell `people` until then, if nothing moves."""
    due = Timer.filter(zone_id=zone_id, state=TimerState.WAITING, due_at__lte=until)
    timers = await due.order_by("due_at").limit(MOST_PLANNED)
    watches = await Watch.filter(zone_id=zone_id, id__in={timer.watch_id for timer in timers})
    chains = [Chain.model_validate(watch.chain) for watch in watches]
    staffed = await organization.staffed(zone_id, chains, clock.today())
    seats = {watch.id: now for watch, now in zip(watches, staffed, strict=True)}
    by_watch = groupby(sorted(timers, key=lambda timer: timer.watch_id), key=lambda timer: timer.watch_id)
    told = [one for watch_id, steps in by_watch for one in _foreseen(steps, seats[watch_id])]
    return [one for one in told if one.person_id in people]


def _foreseen(steps: Iterable[Timer], staffed: Staffed) -> Iterator[Foreseen]:
    """What is due at the same moment is heard together; steps that wait for a return come last, by how many."""
    for _, together in groupby(sorted(steps, key=_moment), key=_moment):
        heard = hear(together, staffed)
        people = [*heard.told.items(), *((person, timer) for (_, person), timer in heard.drafted.items())]
        yield from (_of(timer, person) for person, timer in people)


def _moment(timer: Timer) -> tuple[datetime, int]:
    return (timer.due_at, 0) if timer.due_at else (NEVER, timer.amount)


def _of(timer: Timer, person_id: UUID) -> Foreseen:
    return Foreseen(
        at=timer.due_at,
        person_id=person_id,
        policy_code=timer.policy_code,
        step=timer.step,
        condition=timer.condition,
        amount=timer.amount,
        level=timer.level,
        action=timer.action,
    )
