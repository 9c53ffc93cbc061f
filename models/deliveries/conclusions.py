"""How pushes end: outcomes written together, consents given back, the next channel owed, the dead recovered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from uuid import UUID

from models.base import clock, database
from models.base.database import atomic
from models.base.ids import new_id
from models.deliveries.pushes import Conclusion
from models.deliveries.tables import Channel, Delivery, DeliveryState
from models.deliveries.ways import REPEATABLE

ATTEMPTS = 8
"""After these, each later than the one before (20 minutes in all), the platform is taken to be down for this one."""
UNKNOWN_WAITS = timedelta(minutes=10)
"""How long an unknown outcome may be settled by news of it, before the next channel tells the person."""
NO_CONSENT_LEFT = 43101

CONCLUDE = """
with told as (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[], $7::timestamptz[])
    as t(id, lease, ends, reason, errcode, msgid, again_at)
), live as (
  select d.*, t.reason, t.errcode, t.msgid, t.again_at,
    case when t.ends = 'queued' and (d.attempts >= $9 or d.was = 'unknown') then 'failed' else t.ends end as ends
  from told t cross join lateral (
    select id, state as was, carried_by is not null as follows, attempts from delivery
    where id = t.id and lease = t.lease and state in ('sending', 'unknown') offset 0 for update) d
), ended as (
  update delivery d set
    state = case when l.follows and l.ends <> 'queued' then 'merged' else l.ends end,
    settled_at = case when l.ends <> 'queued' then $8::timestamptz end,
    not_before = case when l.ends = 'queued' then coalesce(l.again_at, $8) + least(600, 2 ^ d.attempts)
      * interval '1 second' else d.not_before end,
    carried_by = case when l.ends <> 'queued' then d.carried_by end,
    reason = l.reason, errcode = l.errcode, msgid = l.msgid
  from live l where d.id = l.id
  returning d.id, d.zone_id, d.person_id, d.openid, d.channel, d.begun_at, l.was, l.ends, l.follows, l.errcode
), refunded as (
  update consent c set remaining = case when e.errcode = $10 then 0 else remaining + 1 end
  from ended e where c.zone_id = e.zone_id and c.openid = e.openid and c.template = $11
    and e.channel = 'subscribe' and e.ends in ('failed', 'queued') and not e.follows
    and (e.errcode = $10 or coalesce(c.revoked_at, '-infinity') < e.begun_at)
)
select * from ended
"""
"""By id, oldest first: whatever else locks deliveries does so in that order. `offset 0`: as in beginning."""


@atomic()
async def conclude(conclusions: Sequence[Conclusion], template: str) -> list[tuple[Channel, DeliveryState]]:
    """Write how pushes ended, in one statement; what counted (a push whose lease was lost does not).

    A definite failure gives the consent back, except where the platform knows of none (43101): then none is left. A
    message that did not, or may not have, arrived is followed by a delivery over the next channel.
    """
    now = clock.now()
    each = sorted(((delivery, told) for told in conclusions for delivery in told.push.told), key=itemgetter(0))
    rows = await database.fetch(
        CONCLUDE,
        [delivery for delivery, _ in each],
        [told.push.lease for _, told in each],
        [told.state.value for _, told in each],
        [told.reason for _, told in each],
        [told.errcode for _, told in each],
        [told.msgid for _, told in each],
        [told.again_at for _, told in each],
        now,
        ATTEMPTS,
        NO_CONSENT_LEFT,
        template,
    )
    await owe_next([row["id"] for row in rows if row["ends"] == "failed"], now)
    await owe_next([row["id"] for row in rows if row["ends"] == "unknown"], now + UNKNOWN_WAITS)
    for row in rows:
        if row["was"] == "unknown" and row["ends"] == "sent":  # its worker was believed dead, and was only slow
            await _stop_next(row["zone_id"], row["person_id"], row["id"])
    return [(Channel(row["channel"]), DeliveryState(row["ends"])) for row in rows if not row["follows"]]


OWE_NEXT = """
insert into delivery
  (id, zone_id, person_id, reminder_id, key, urgent, escalation, state, attempts, after, not_before, made_at)
select n.id, d.zone_id, d.person_id, d.reminder_id, 'after:' || d.id, d.urgent, d.escalation, 'queued', 0, d.id, $3, $4
from unnest($1::uuid[], $2::uuid[]) as n(id, after) join delivery d on d.id = n.after
on conflict (zone_id, key) do nothing
"""


async def owe_next(ids: Sequence[UUID], not_before: datetime) -> None:
    """Owe each of these deliveries once more, over the next channel, with the running transaction; each once."""
    if ids:
        await database.execute(OWE_NEXT, [[new_id() for _ in ids], list(ids), not_before, clock.now()])


LOSE = """
update delivery set state = case when carried_by is null then 'unknown' else 'merged' end, settled_at = $2,
  reason = 'worker_lost'
where id in (
  select d.id from delivery d left join unnest($3::text[], $4::timestamptz[]) as r(channel, since) using (channel)
  where d.zone_id = $1 and d.state = 'sending' and d.leased_until < $2 and d.channel <> 'in_app'
    and d.begun_at < coalesce(r.since, 'infinity')
  order by d.id for update of d skip locked)
returning id, channel, state
"""

QUEUE_AGAIN = """
update delivery set state = 'queued', lease = null, carried_by = null where id in (
  select id from delivery where zone_id = $1 and state = 'sending' and leased_until < $2 and channel = 'in_app'
  order by id for update skip locked)
"""


@atomic()
async def recover(zone_id: UUID) -> list[Channel]:
    """What dead workers held: for the inbox alone it is queued again; else it may have left, and is `unknown`.

    Where the channel still knows the message's key it is neither: it stays as it is, for `begin` to send it again.
    Answers the channels of the unknown.
    """
    now = clock.now()
    channels, since = list(REPEATABLE), [now - window for window in REPEATABLE.values()]
    lost = await database.fetch(LOSE, zone_id, now, [channel.value for channel in channels], since)
    await owe_next([row["id"] for row in lost], now + UNKNOWN_WAITS)
    await database.execute(QUEUE_AGAIN, [zone_id, now])
    return [Channel(row["channel"]) for row in lost if row["state"] == "unknown"]


@dataclass(frozen=True)
class News:
    """What a sent event tells of a subscribe message to `openid` that had left at `at`; `msgid` where it names one."""

    zone_id: UUID
    openid: str
    at: datetime
    arrived: bool
    errcode: int | None = None
    msgid: str | None = None


NEWS_LOOKS_BACK = 20


class OutcomeNotWritten(LookupError):
    """The message that the news is of is still being sent, or was when its worker died: ask again later."""


async def settle_unknown(news: News) -> bool:
    """News of an unknown message settles it, within the caller's transaction; whether there was one.

    Messages to one phone never overlap, so the news is of the last one begun before it came, unless it names another
    one whose outcome is known. Raises OutcomeNotWritten.
    """
    last = await (
        Delivery.filter(
            zone_id=news.zone_id,
            openid=news.openid,
            channel=Channel.SUBSCRIBE,
            begun_at__lte=news.at,
            carried_by__isnull=True,
        )
        .order_by("-begun_at")
        .select_for_update()
        .first()
    )
    if last is not None and last.state is DeliveryState.SENDING:
        raise OutcomeNotWritten
    if last is None or last.state is not DeliveryState.UNKNOWN:
        return False
    if news.msgid and await _is_known(last, news.msgid):
        return False
    last.state = DeliveryState.SENT if news.arrived else DeliveryState.FAILED
    last.errcode, last.reason, last.settled_at = news.errcode, "told_later", clock.now()
    await last.save(update_fields=["state", "errcode", "reason", "settled_at"])
    if news.arrived:
        await _stop_next(news.zone_id, last.person_id, last.id)
    return True


async def _is_known(unknown: Delivery, msgid: str) -> bool:
    """Whether the message of that id is another one, sent to the same phone a little earlier (news may come late)."""
    earlier = Delivery.filter(zone_id=unknown.zone_id, openid=unknown.openid, begun_at__lte=unknown.begun_at)
    latest = await earlier.order_by("-begun_at").limit(NEWS_LOOKS_BACK).values_list("msgid", flat=True)
    return msgid in latest


async def _stop_next(zone_id: UUID, person_id: UUID, carrier: UUID) -> None:
    """The message had arrived: the next channel has nothing to tell."""
    await database.execute(
        "update delivery set state = 'superseded', settled_at = $4 where zone_id = $1 and person_id = $2"
        " and state = 'queued' and after in ("
        "  select id from delivery where zone_id = $1 and person_id = $2 and (id = $3 or carried_by = $3))",
        [zone_id, person_id, carrier, clock.now()],
    )
