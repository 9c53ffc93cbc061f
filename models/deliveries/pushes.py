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
  select d.id, d.urgent or d.escalation as presses, a.*
  from delivery d join asked a on d.zone_id = a.zone_id and d.person_id = a.person_id and d.lease = a.lease
  where d.state = 'leased' and not a.repeats order by d.id for update of d
), again as (
  select d.id, true as presses, a.*
  from delivery d join asked a on d.zone_id = a.zone_id and d.person_id = a.person_id and d.lease = a.lease
  where d.state = 'sending' and a.repeats order by d.id for update of d
), live as (
  table fresh union all table again
), told as (
  select *, first_value(id) over (partition by place order by id) as carrier,
    count(*) over (partition by place) as count, bool_or(presses) over (partition by place) as pressing from live
), taken as (
  update consent c set remaining = remaining - 1 from told t
  where t.id = t.carrier and c.zone_id = t.zone_id and c.openid = t.openid and c.template = $8
    and c.remaining > case when t.pressing or t.other = 'in_app' then 0 else 1 end
  returning t.place
), ways as (
  select *, case when place in (select place from taken) then 'subscribe' else other end as channel from told
), begun as (
  update delivery d set state = 'sending', channel = w.channel, leased_until = $10, attempts = d.attempts + 1,
    begun_at = case when w.repeats then d.begun_at else $9 end, carried_by = nullif(w.carrier, d.id),
    openid = case w.channel when 'subscribe' then w.openid when 'template' then w.address end
  from ways w where d.id = w.id
)
select place, channel, count, carrier from ways where id = carrier
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
    begun = {row["place"]: Begun(Channel(row["channel"]), row["count"], row["carrier"]) for row in rows}
    return [begun.get(place, Begun()) for place in range(1, len(pushes) + 1)]
