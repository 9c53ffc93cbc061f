"""A push: everything owed to one person that leaves as one message.

A worker leases pushes, begins each (`sending`, and one consent taken, in one statement, before the request leaves),
sends, and concludes it. Whatever moment it dies at, every delivery keeps exactly one outcome: what was only leased is
queued again; what was being sent is `unknown`, except where the channel knows the message's key again (`REPEATABLE`):
then the same message, and nothing else, is sent to that person once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from models.base import clock, database
from models.deliveries.tables import Channel, DeliveryState
from models.deliveries.ways import Way

LEASE = timedelta(seconds=30)
"""For how long a push is one worker's, counted anew as it begins; what it sends must have ended by then."""


@dataclass(frozen=True)
class Push:
    """One message to one person. `repeats`: it may have left already, over the same channel and under the same key."""

    zone_id: UUID
    person_id: UUID
    lease: UUID
    way: Way
    repeats: bool = False


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


BEGIN = """
with asked as (
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bool[])
    with ordinality as a(zone_id, person_id, lease, openid, other, address, repeats, place)
), fresh as (
  select d.id, a.place, d.urgent or d.escalation as pressing
  from delivery d join asked a using (zone_id, person_id, lease)
  where d.state = 'leased' and not a.repeats order by d.id for update of d
), again as (
  select d.id, a.place, true as pressing
  from delivery d join asked a using (zone_id, person_id, lease)
  where d.state = 'sending' and a.repeats order by d.id for update of d
), live as (
  table fresh union all table again
), carriers as (
  select distinct on (place) place, id as carrier, count(*) over (partition by place) as told,
    bool_or(pressing) over (partition by place) as pressing from live order by place, id
), taken as (
  update consent c set remaining = remaining - 1 from asked a join carriers k using (place)
  where c.zone_id = a.zone_id and c.openid = a.openid and c.template = $8
    and c.remaining > case when k.pressing or a.other = 'in_app' then 0 else 1 end
  returning a.place
), ways as (
  select place, carrier, told, case when t.place is not null then 'subscribe' else a.other end as channel
  from carriers join asked a using (place) left join taken t using (place)
), begun as (
  update delivery d set state = 'sending', channel = w.channel, leased_until = $10, attempts = d.attempts + 1,
    begun_at = case when a.repeats then d.begun_at else $9 end, carried_by = nullif(w.carrier, d.id),
    openid = case w.channel when 'subscribe' then a.openid when 'template' then a.address end
  from live l join ways w using (place) join asked a using (place) where d.id = l.id
)
select a.place, w.channel, w.told, w.carrier from asked a left join ways w using (place) order by a.place
"""


async def begin(pushes: Sequence[Push], template: str) -> list[Begun]:
    """Mark pushes as leaving and take a consent to `template` for each that may have one, in one statement, in order.

    The last consent is left for what presses (urgent, an escalation) wherever another way is open.
    """
    now = clock.now()
    rows = await database.fetch(
        BEGIN,
        [push.zone_id for push in pushes],
        [push.person_id for push in pushes],
        [push.lease for push in pushes],
        [push.way.openid for push in pushes],
        [push.way.channel.value for push in pushes],
        [push.way.address for push in pushes],
        [push.repeats for push in pushes],
        template,
        now,
        now + LEASE,
    )
    return [Begun(Channel(row["channel"]), row["told"], row["carrier"]) if row["carrier"] else Begun() for row in rows]
