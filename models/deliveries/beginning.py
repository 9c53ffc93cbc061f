"""Beginning: which deliveries leave now, as which pushes.

They are chosen and marked as leaving in one transaction, one at a time in a zone, and nobody with a push under way gets
another: so messages to one phone never overlap, whatever the channel and however many workers (43108).
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

MOST_AT_ONCE = 500
GATHER_AT_MOST = timedelta(minutes=1)
"""While more keeps coming for somebody (a backlog is worked off), one message waits for all of it; at most so long."""
PAUSED_LOOKS_AGAIN = timedelta(hours=1)
CONFIGURED = frozenset({Channel.SUBSCRIBE, Channel.TEMPLATE})
Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class _Now:
    """What is decided by; `lease` will fence what begins."""

    zone_id: UUID
    at: datetime
    lease: UUID
    settings: ZoneSettings
    days: Calendar
    order: Sequence[Channel]
    paused: frozenset[Channel]

    @property
    def quiet(self) -> bool:
        return self.days.quiet(self.at, self.settings.quiet_from, self.settings.quiet_until)


@atomic()
async def begin(
    zone_id: UUID, template: str, limit: int = MOST_AT_ONCE, configured: Collection[Channel] = CONFIGURED
) -> list[Push]:
    """Mark what is due as leaving: one push a person for up to `limit` people, and a consent to `template` for each
    that may have one. Those over their budget wait for the morning.

    In quiet hours only the urgent starts a push. `configured` are the channels that this installation can send over.
    """
    (found,) = await database.fetch(LOOK, zone_id, clock.now())
    if not found["due"] and not found["lapsed"]:
        return []
    await database.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", [f"push:{zone_id}"])
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
    repeated = await _again(now, limit) if found["lapsed"] else []
    return repeated + await _fresh(now, limit - len(repeated), template)


LOOK = """
select exists (select from delivery where zone_id = $1 and state = 'queued' and not_before <= $2) as due,
  exists (select from delivery where zone_id = $1 and state = 'sending' and leased_until < $2) as lapsed
"""


AGAIN = """
update delivery set lease = $3, leased_until = $4, attempts = attempts + 1 where id in (
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
        now.lease,
        now.at + LEASE,
        [channel.value for channel in channels],
        [now.at - REPEATABLE[channel] for channel in channels],
        limit,
    )
    known = await addresses(now.zone_id, {row["person_id"] for row in rows})
    pushes = []
    for person, told in _by_person(rows).items():
        channel = Channel(told[0]["channel"])
        if address := known.get(person, {}).get(channel):
            pushes.append(Push(person, now.lease, Way(None, channel, address), channel, _ids(told), repeats=True))
    return pushes


ROWS_A_PUSH = 2
"""For each push so many due rows are looked at, the soonest first: beginning costs what begins, not what is due."""

DUE = """
with soonest as (
  select person_id, not_before from delivery
  where zone_id = $1 and state = 'queued' and not_before <= $2 and (urgent or not $3)
    and person_id not in (select person_id from delivery where zone_id = $1 and state = 'sending')
    and (not_before <= $6 or person_id not in (
      select person_id from delivery
      where zone_id = $1 and state = 'queued' and not_before > $2 and not_before <= $5))
  order by not_before limit $7
), people as (
  select person_id from soonest group by person_id order by min(not_before) limit $4
)
select owed.* from people cross join lateral (
  select id, person_id, urgent, escalation, after from delivery
  where zone_id = $1 and person_id = people.person_id and state = 'queued' offset 0 for update skip locked) owed
"""
"""Written so that each part has one good plan, known statistics or not: what is queued is now nothing, now a zone. So
`offset 0`: what is asked for one person stays asked for one person."""


async def _fresh(now: _Now, limit: int, template: str) -> list[Push]:
    if limit <= 0:
        return []
    rows = await database.fetch(
        DUE,
        now.zone_id,
        now.at,
        now.quiet,
        limit,
        now.at + GATHER,
        now.at - GATHER_AT_MOST,
        ROWS_A_PUSH * limit,
    )
    ways = await _ways(now, rows)
    held = await _hold_over_budget(now, rows)
    waiting = {person for person, way in ways.items() if way is None} - held
    await _put_off(_of(rows, waiting), now.at + PAUSED_LOOKS_AGAIN, "channel_paused")
    leaving = [(way, told) for person, told in _by_person(rows).items() if (way := ways[person]) and person not in held]
    return await _begin(now, leaving, template)


async def _ways(now: _Now, rows: Rows) -> dict[UUID, Way | None]:
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


def _of(rows: Rows, people: Collection[UUID]) -> list[dict[str, Any]]:
    return [row for row in rows if row["person_id"] in people]


def _ids(rows: Rows) -> tuple[UUID, ...]:
    """The oldest first."""
    return tuple(sorted(row["id"] for row in rows))


SPENT = """
select person_id, pushes from unnest($2::uuid[]) as plain(person_id) cross join lateral (
  select count(*) filter (where channel <> 'in_app' and state in ('sent', 'unknown') and not escalation) as pushes
  from delivery where zone_id = $1 and person_id = plain.person_id and begun_at >= $3) begun
"""
"""Filtered only once counted, so that the person's own deliveries are the one thing to look among (`delivery_burden`):
while few outcomes are known to the statistics, all of the zone's would be looked through for each person."""


async def _hold_over_budget(now: _Now, rows: Rows) -> set[UUID]:
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
    await _put_off(_of(rows, held), morning, "digest")
    return held


async def _put_off(rows: Rows, not_before: datetime, reason: str) -> None:
    """These do not leave now after all."""
    if rows:
        await database.execute(
            "update delivery set not_before = $2, reason = $3 where id = any($1::uuid[])",
            [list(_ids(rows)), not_before, reason],
        )


BEGIN = """
with leaving as (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bool[])
    as l(id, carrier, openid, other, address, presses)
), taken as (
  update consent c set remaining = remaining - 1 from leaving l
  where l.id = l.carrier and c.zone_id = $7 and c.openid = l.openid and c.template = $8
    and c.remaining > case when l.presses or l.other = 'in_app' then 0 else 1 end
  returning l.carrier
), ways as (
  select *, case when carrier in (select carrier from taken) then 'subscribe' else other end as channel from leaving
)
update delivery d set state = 'sending', channel = w.channel, lease = $9, leased_until = $11, begun_at = $10,
  attempts = d.attempts + 1, carried_by = nullif(w.carrier, d.id),
  openid = case w.channel when 'subscribe' then w.openid when 'template' then w.address end
from ways w where d.id = w.id
returning d.id, d.channel
"""


async def _begin(now: _Now, leaving: Sequence[tuple[Way, Rows]], template: str) -> list[Push]:
    """Write it down, and take a consent for each that may have one.

    The last consent is left for what presses (urgent, an escalation) wherever another way is open.
    """
    told = [(way, _ids(rows), any(row["urgent"] or row["escalation"] for row in rows)) for way, rows in leaving]
    each = [(delivery, ids[0], way, presses) for way, ids, presses in told for delivery in ids]
    if not each:
        return []
    begun = await database.fetch(
        BEGIN,
        [delivery for delivery, _, _, _ in each],
        [carrier for _, carrier, _, _ in each],
        [way.openid for _, _, way, _ in each],
        [way.channel.value for _, _, way, _ in each],
        [way.address for _, _, way, _ in each],
        [presses for _, _, _, presses in each],
        now.zone_id,
        template,
        now.lease,
        now.at,
        now.at + LEASE,
    )
    channels = {row["id"]: Channel(row["channel"]) for row in begun}
    return [
        Push(rows[0]["person_id"], now.lease, way, channels[ids[0]], ids)
        for (_, rows), (way, ids, _) in zip(leaving, told, strict=True)
    ]
