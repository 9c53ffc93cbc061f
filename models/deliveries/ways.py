"""The ways to a person: which channels are open, in the zone's order, and which one a message takes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from models.base import database
from models.deliveries.tables import Channel

REPEATABLE = {
    Channel.TEMPLATE: timedelta(minutes=9),
    Channel.WECOM: timedelta(minutes=29),
    Channel.SMS: timedelta(hours=23),
}
"""For how long a message may be sent again under its own key, a little less than the other side remembers the key.

`client_msg_id` 10 minutes, `duplicate_check_interval` 30 minutes, `Idempotency-Key` a day (docs/deliveries.md). A
subscribe message has no key, so it is never sent again.
"""

Addresses = dict[Channel, str]


@dataclass(frozen=True)
class Way:
    """Over subscribe to `openid` where one is given and a consent is left, else over `channel` to `address`.

    `unreachable` says why only the inbox is left: `not_bound`, `no_consent`, `no_way_left` (all were tried in vain).
    """

    openid: str | None = None
    channel: Channel = Channel.IN_APP
    address: str | None = None
    unreachable: str | None = None


def way_to(
    known: Addresses, *, order: Sequence[Channel], tried: Collection[Channel] = (), paused: Collection[Channel] = ()
) -> Way | None:
    """The first way of the zone's `order` that is open; None where the only ones are paused: then it waits.

    Subscribe is given beside the way that follows it, because whether a consent is left is known when it is taken.
    """
    reachable = [channel for channel in order if channel in known and channel not in tried]
    free = [channel for channel in reachable if channel not in paused]
    if reachable and not free:
        return None
    other = next((channel for channel in free if channel is not Channel.SUBSCRIBE), Channel.IN_APP)
    openid = known[Channel.SUBSCRIBE] if free[:1] == [Channel.SUBSCRIBE] else None
    if free:
        return Way(openid, other, known.get(other))
    return Way(unreachable="no_way_left" if tried else "no_consent" if Channel.IN_APP in known else "not_bound")


ADDRESSES = """
select p.id, b.openid as in_app, f.openid as template, p.wecom, p.phone as sms, c.openid as subscribe
from person p
left join binding b on b.zone_id = $1 and b.person_id = p.id and b.unbound_at is null
left join lateral (
  select openid from follower where zone_id = $1 and unionid = b.unionid and following limit 1) f on true
left join lateral (
  select openid from consent where zone_id = $1 and openid = b.openid and remaining > 0 limit 1) c on true
where p.zone_id = $1 and p.id = any($2::uuid[]) and p.active
"""


async def addresses(zone_id: UUID, people: Collection[UUID]) -> dict[UUID, Addresses]:
    """Where each of these people can be reached while they are in office.

    `in_app` is there for whoever has bound a phone, `subscribe` only where that phone has a consent left.
    """
    rows = await database.fetch(ADDRESSES, zone_id, list(people)) if people else []
    return {row["id"]: {channel: row[channel] for channel in Channel if row[channel]} for row in rows}


TRIED = """
with recursive chain (id, after) as (
  select id, after from unnest($2::uuid[], $3::uuid[]) as asked(id, after)
  union all
  select chain.id, d.after from chain join delivery d on d.id = chain.after and d.zone_id = $1
)
select chain.id, array_agg(distinct d.channel) as channels from chain join delivery d on d.id = chain.after
where d.channel is not null group by chain.id
"""


async def tried(zone_id: UUID, rows: Sequence[dict[str, Any]]) -> dict[UUID, frozenset[Channel]]:
    """By delivery (`id`, `after`): the channels over which those that it follows went in vain."""
    following = [row for row in rows if row["after"]]
    if not following:
        return {}
    found = await database.fetch(TRIED, zone_id, [row["id"] for row in following], [row["after"] for row in following])
    return {row["id"]: frozenset(Channel(channel) for channel in row["channels"]) for row in found}
