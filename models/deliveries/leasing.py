"""Leasing: which deliveries leave now, as which pushes.

One lease is taken at a time in a zone, and nobody with a push under way gets another: so messages to one phone never
overlap, whatever the channel and however many workers (43108).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models import organization
from models.base import calendar, clock, database
from models.base.calendar import Calendar
from models.base.database import atomic
from models.base.ids import new_id
from models.deliveries.owing import GATHER
from models.deliveries.pausing import paused_channels
from models.deliveries.pushes import LEASE, Push
from models.deliveries.tables import Channel
from models.deliveries.ways import REPEATABLE, Addresses, Way, addresses, tried, way_to
from models.organization import ZoneSettings

PUSHES_A_LEASE = 500
GATHER_AT_MOST = timedelta(minutes=1)
"""While more keeps coming for somebody (a backlog is worked off), one message waits for all of it; at most so long."""
PAUSED_LOOKS_AGAIN = timedelta(hours=1)
CONFIGURED = frozenset({Channel.SUBSCRIBE, Channel.TEMPLATE})


@dataclass(frozen=True)
class _Now:
    """What a lease is decided by."""

    zone_id: UUID
    at: datetime
    token: UUID
    settings: ZoneSettings
    days: Calendar
    order: Sequence[Channel]
    paused: frozenset[Channel]

    @property
    def quiet(self) -> bool:
        return self.days.quiet(self.at, self.settings.quiet_from, self.settings.quiet_until)


@atomic()
async def lease(zone_id: UUID, limit: int = PUSHES_A_LEASE, configured: Collection[Channel] = CONFIGURED) -> list[Push]:
    """Take what is due, one push a person for up to `limit` people; those over their budget wait for the morning.

    In quiet hours only the urgent starts a push. `configured` are the channels that this installation can send over.
    """
    (lock,) = await database.fetch("select pg_try_advisory_xact_lock(hashtextextended($1, 0)) got", f"push:{zone_id}")
    if limit <= 0 or not lock["got"] or not await _any_due(zone_id):
        return []
    settings = await organization.settings_of(zone_id)
    now = _Now(
        zone_id,
        clock.now(),
        new_id(),
        settings,
        await calendar.calendar_of(zone_id),
        [channel for name in settings.channels if (channel := Channel(name)) in configured],
        await paused_channels(zone_id),
    )
    repeated = await _again(now, limit)
    return repeated + await _due(now, limit - len(repeated))


ANY_DUE = """
select exists (select from delivery where zone_id = $1 and state = 'queued' and not_before <= $2)
  or exists (select from delivery where zone_id = $1 and state = 'sending' and leased_until < $2) as due
"""


async def _any_due(zone_id: UUID) -> bool:
    (row,) = await database.fetch(ANY_DUE, zone_id, clock.now())
    return bool(row["due"])


AGAIN = """
update delivery set lease = $3, leased_until = $4 where id in (
  select d.id from delivery d join unnest($5::text[], $6::timestamptz[]) as r(channel, since) using (channel)
  where d.zone_id = $1 and d.state = 'sending' and d.leased_until < $2 and d.begun_at >= r.since
    and d.person_id in (
      select person_id from delivery where zone_id = $1 and state = 'sending' and leased_until < $2 limit $7)
  order by d.id for update of d skip locked)
returning id, person_id, channel
"""


async def _again(now: _Now, limit: int) -> list[Push]:
    """What a dead worker was sending, where the channel still knows the message's key; told even in quiet hours."""
    channels = [channel for channel in REPEATABLE if channel in now.order and channel not in now.paused]
    rows = await database.fetch(
        AGAIN,
        now.zone_id,
        now.at,
        now.token,
        now.at + LEASE,
        [channel.value for channel in channels],
        [now.at - REPEATABLE[channel] for channel in channels],
        limit,
    )
    known = await addresses(now.zone_id, {row["person_id"] for row in rows})
    pushes = []
    for person, (row, *_) in _by_person(rows).items():
        channel = Channel(row["channel"])
        if address := known.get(person, {}).get(channel):
            pushes.append(Push(now.zone_id, person, now.token, Way(None, channel, address), repeats=True))
    return pushes


ROWS_A_PUSH = 2
"""For each push so many due rows are looked at, the soonest first: a lease costs what it takes, not what is due."""

LEASE_DUE = """
with soonest as (
  select person_id, not_before from delivery
  where zone_id = $1 and state = 'queued' and not_before <= $2 and (urgent or not $3)
    and person_id not in (
      select person_id from delivery where zone_id = $1 and state = 'leased'
      union all select person_id from delivery where zone_id = $1 and state = 'sending')
    and (not_before <= $8 or person_id not in (
      select person_id from delivery
      where zone_id = $1 and state = 'queued' and not_before > $2 and not_before <= $7))
  order by not_before limit $9
), people as (
  select person_id from soonest group by person_id order by min(not_before) limit $4
), due as (
  select owed.id from people cross join lateral (
    select id from delivery where zone_id = $1 and person_id = people.person_id and state = 'queued'
    offset 0 for update skip locked) owed
)
update delivery d set state = 'leased', lease = $5, leased_until = $6 from due where d.id = due.id
returning d.id, d.person_id, d.escalation, d.after
"""
"""Written so that each part has one good plan, known statistics or not: what is queued is now nothing, now a zone. So
`offset 0`: what is asked for one person stays asked for one person."""


async def _due(now: _Now, limit: int) -> list[Push]:
    if limit <= 0:
        return []
    rows = await database.fetch(
        LEASE_DUE,
        now.zone_id,
        now.at,
        now.quiet,
        limit,
        now.token,
        now.at + LEASE,
        now.at + GATHER,
        now.at - GATHER_AT_MOST,
        ROWS_A_PUSH * limit,
    )
    ways = await _ways(now, rows)
    held = await _hold_over_budget(now, rows)
    waiting = {person for person, way in ways.items() if way is None} - held
    await _put_back(_ids(rows, waiting), now.at + PAUSED_LOOKS_AGAIN, "channel_paused")
    return [Push(now.zone_id, person, now.token, way) for person, way in ways.items() if way and person not in held]


async def _ways(now: _Now, rows: Sequence[dict[str, Any]]) -> dict[UUID, Way | None]:
    """Each person's way. A channel is passed by where everything that the message tells of has tried it already."""
    people = _by_person(rows)
    known: dict[UUID, Addresses] = await addresses(now.zone_id, people)
    in_vain = await tried(now.zone_id, rows)
    return {
        person: way_to(
            known.get(person, {}),
            order=now.order,
            tried=frozenset.intersection(*(in_vain.get(row["id"], frozenset()) for row in told)),
            paused=now.paused,
        )
        for person, told in people.items()
    }


def _by_person(rows: Iterable[dict[str, Any]]) -> dict[UUID, list[dict[str, Any]]]:
    people: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        people.setdefault(row["person_id"], []).append(row)
    return people


def _ids(rows: Iterable[dict[str, Any]], people: Collection[UUID]) -> list[UUID]:
    return [row["id"] for row in rows if row["person_id"] in people]


SPENT = """
select person_id, pushes from unnest($2::uuid[]) as plain(person_id) cross join lateral (
  select count(*) filter (where channel <> 'in_app' and state in ('sent', 'unknown') and not escalation) as pushes
  from delivery where zone_id = $1 and person_id = plain.person_id and begun_at >= $3) begun
"""
"""Filtered only once counted, so that the person's own deliveries are the one thing to look among (`delivery_burden`):
while few outcomes are known to the statistics, all of the zone's would be looked through for each person."""


async def _hold_over_budget(now: _Now, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Who has had the day's pushes: their deliveries merge into one message next morning.

    Escalations are exempt, and what was within the budget and did not arrive.
    """
    people = _by_person(rows)
    plain = {person for person, told in people.items() if not any(row["escalation"] or row["after"] for row in told)}
    today = clock.at(clock.today())
    spent = {row["person_id"]: row["pushes"] for row in await database.fetch(SPENT, now.zone_id, list(plain), today)}
    held = {person for person in plain if spent[person] >= now.settings.daily_budget}
    tomorrow = today + timedelta(days=1)
    morning = now.days.next_loud(tomorrow, now.settings.quiet_from, now.settings.quiet_until)
    await _put_back(_ids(rows, held), morning, "digest")
    return held


async def give_back(pushes: Collection[Push]) -> None:
    """These were leased and will not be begun: they are anybody's again at once, not only when their lease lapses."""
    if pushes:
        await database.execute(
            "update delivery d set state = 'queued', lease = null"
            " from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as p(zone_id, person_id, lease)"
            " where (d.zone_id, d.person_id, d.lease) = (p.zone_id, p.person_id, p.lease) and d.state = 'leased'",
            [
                [push.zone_id for push in pushes],
                [push.person_id for push in pushes],
                [push.lease for push in pushes],
            ],
        )


async def _put_back(ids: Sequence[UUID], not_before: datetime, reason: str) -> None:
    """These do not leave now after all."""
    if ids:
        await database.execute(
            "update delivery set state = 'queued', lease = null, not_before = $2, reason = $3"
            " where id = any($1::uuid[])",
            [list(ids), not_before, reason],
        )
