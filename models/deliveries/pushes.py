"""A push: everything owed to one person that leaves as one message.

A worker leases pushes, begins each (`sending`, and one consent taken, in one statement, before the request leaves),
sends, and concludes it. Whatever moment it dies at, every delivery keeps exactly one outcome: what was only leased is
queued again; what was being sent is `unknown`, except template messages, whose `client_msg_id` lets the platform drop
a repetition.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models import organization
from models.base import calendar, clock, database
from models.base.calendar import Calendar
from models.base.database import atomic
from models.base.ids import new_id
from models.deliveries.tables import Channel, DeliveryState
from models.organization import ZoneSettings

LEASE = timedelta(seconds=30)
PUSHES_A_LEASE = 500
ATTEMPTS = 8
"""After these, each later than the one before (20 minutes in all), the platform is taken to be down for this one."""
SAME_MESSAGE = timedelta(minutes=9)
"""A template message's `client_msg_id` is remembered by the platform for 10 minutes (wechat.md)."""
UNKNOWN_WAITS = timedelta(minutes=10)
"""How long an unknown outcome may be settled by news of it, before the next channel tells the person."""


@dataclass(frozen=True)
class Push:
    """One message to one person. `only_next`: the subscribe message did not arrive, so the next channel is meant."""

    zone_id: UUID
    person_id: UUID
    lease: UUID
    openid: str | None
    service_openid: str | None
    only_next: bool


@dataclass(frozen=True)
class Begun:
    """A push that may leave: over `channel`, telling of `count` things. `carrier` is the delivery that carries it.

    None for `carrier` where nothing is left to tell.
    """

    channel: Channel = Channel.IN_APP
    count: int = 0
    carrier: UUID | None = None


@dataclass(frozen=True)
class Conclusion:
    """How a push ended. `queued` is no end: nothing was sent, it is tried again at `again_at`."""

    push: Push
    state: DeliveryState
    reason: str | None = None
    errcode: int | None = None
    msgid: str | None = None
    again_at: datetime | None = None


LEASE_DUE = """
with people as (
  select d.person_id, min(d.not_before) as since from delivery d
  where d.zone_id = $1 and d.state = 'queued' and d.not_before <= $2 and (d.urgent or not $3)
    and not exists (select from delivery f where f.zone_id = $1 and f.person_id = d.person_id and f.state = 'leased')
    and not exists (select from delivery f where f.zone_id = $1 and f.person_id = d.person_id and f.state = 'sending')
  group by d.person_id order by since limit $4
), due as (
  select id from delivery where zone_id = $1 and state = 'queued'
    and person_id in (select person_id from people) order by id for update skip locked
)
update delivery d set state = 'leased', lease = $5, leased_until = $6 from due where d.id = due.id
returning d.id, d.person_id, d.escalation, d.after
"""


@atomic()
async def lease(zone_id: UUID, limit: int = PUSHES_A_LEASE) -> list[Push]:
    """Take what is due, one push a person for up to `limit` people; those over their budget wait for the morning.

    In quiet hours only the urgent starts a push. One lease is taken at a time in a zone, so nobody gets two at once.
    """
    (lock,) = await database.fetch("select pg_try_advisory_xact_lock(hashtextextended($1, 0)) got", f"push:{zone_id}")
    if not lock["got"] or not await _any_due(zone_id):
        return []
    settings, days, now = await organization.settings_of(zone_id), await calendar.calendar_of(zone_id), clock.now()
    quiet = days.quiet(now, settings.quiet_from, settings.quiet_until)
    token = new_id()
    rows = await database.fetch(LEASE_DUE, zone_id, now, quiet, limit, token, now + LEASE)
    held = await _hold_over_budget(zone_id, rows, settings, days)
    addresses = await _addresses(zone_id, [row["person_id"] for row in rows])
    pushes = []
    for person, told in _by_person(rows).items():
        if person not in held:
            openid, service_openid = addresses.get(person, (None, None))
            only_next = all(row["after"] for row in told)
            pushes.append(Push(zone_id, person, token, openid, service_openid, only_next))
    return pushes


async def _any_due(zone_id: UUID) -> bool:
    (row,) = await database.fetch(
        "select exists (select from delivery where zone_id = $1 and state = 'queued' and not_before <= $2) as due",
        zone_id,
        clock.now(),
    )
    return bool(row["due"])


def _by_person(rows: Sequence[dict[str, Any]]) -> dict[UUID, list[dict[str, Any]]]:
    people: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        people.setdefault(row["person_id"], []).append(row)
    return people


async def _hold_over_budget(
    zone_id: UUID, rows: Sequence[dict[str, Any]], settings: ZoneSettings, days: Calendar
) -> set[UUID]:
    """Who has had the day's pushes: their deliveries merge into one message next morning. Escalations are exempt."""
    plain = {person for person, told in _by_person(rows).items() if not any(row["escalation"] for row in told)}
    today = clock.at(clock.today())
    spent = Counter[UUID]()
    for row in await database.fetch(
        "select person_id, count(*) as pushes from delivery where zone_id = $1 and person_id = any($2::uuid[])"
        " and begun_at >= $3 and channel <> 'in_app' and state in ('sent', 'unknown') and not escalation group by 1",
        zone_id,
        list(plain),
        today,
    ):
        spent[row["person_id"]] = row["pushes"]
    held = {person for person in plain if spent[person] >= settings.daily_budget}
    morning = days.next_loud(today + timedelta(days=1), settings.quiet_from, settings.quiet_until)
    ids = [row["id"] for row in rows if row["person_id"] in held]
    if ids:
        await database.execute(
            "update delivery set state = 'queued', lease = null, not_before = $2, reason = 'digest'"
            " where id = any($1::uuid[])",
            [ids, morning],
        )
    return held


async def _addresses(zone_id: UUID, people: Sequence[UUID]) -> dict[UUID, tuple[str, str | None]]:
    rows = await database.fetch(
        "select b.person_id, b.openid, f.openid as service from binding b left join lateral ("
        "  select openid from follower where zone_id = $1 and unionid = b.unionid and following limit 1) f on true"
        " where b.zone_id = $1 and b.person_id = any($2::uuid[]) and b.unbound_at is null",
        zone_id,
        list(people),
    )
    return {row["person_id"]: (row["openid"], row["service"]) for row in rows}


BEGIN = """
with asked as (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bool[])
    with ordinality as a(zone_id, person_id, lease, openid, service, only_next, place)
), live as (
  select d.id, a.place from delivery d join asked a using (zone_id, person_id, lease)
  where d.state = 'leased' order by d.id for update of d
), carriers as (
  select distinct on (place) place, id as carrier, count(*) over (partition by place) as told from live
  order by place, id
), taken as (
  update consent c set remaining = remaining - 1 from asked a join carriers using (place)
  where c.zone_id = a.zone_id and c.openid = a.openid and c.template = $7 and c.remaining > 0 and not a.only_next
  returning c.zone_id, c.openid
), ways as (
  select a.place, carrier, told, case when t.openid is not null then 'subscribe'
    when a.service is not null then 'template' else 'in_app' end as channel
  from carriers join asked a using (place) left join taken t using (zone_id, openid)
), begun as (
  update delivery d set state = 'sending', channel = w.channel, begun_at = $8, attempts = d.attempts + 1,
    carried_by = nullif(w.carrier, d.id), openid = case w.channel when 'template' then a.service else a.openid end
  from live l join ways w using (place) join asked a using (place) where d.id = l.id
)
select a.place, w.channel, w.told, w.carrier from asked a left join ways w using (place) order by a.place
"""


async def begin(pushes: Sequence[Push], template: str) -> list[Begun]:
    """Mark pushes as leaving and take a consent to `template` for each that has one, in one statement, in order."""
    rows = await database.fetch(
        BEGIN,
        [push.zone_id for push in pushes],
        [push.person_id for push in pushes],
        [push.lease for push in pushes],
        [push.openid for push in pushes],
        [push.service_openid for push in pushes],
        [push.only_next for push in pushes],
        template,
        clock.now(),
    )
    return [Begun(Channel(row["channel"]), row["told"], row["carrier"]) if row["carrier"] else Begun() for row in rows]
