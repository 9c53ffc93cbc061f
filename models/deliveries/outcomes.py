"""How messages ended, as the office sees it; and what became of those whose outcome is unknown."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.base import clock, database
from models.base.scope import Role, Scope
from models.deliveries.tables import OUTCOMES, Channel, Delivery, DeliveryState

READERS = (Role.OVERSIGHT, Role.ADMIN, Role.AUDITOR)
MOST_UNKNOWN = 1_000
"""So many are looked at, newest first; more than that is told of alike."""


class Resolution(StrEnum):
    """What resolved an unknown outcome, or will: news of it, the message over the next channel, the inbox alone.

    `superseded`: the matter was settled meanwhile.
    """

    NEWS = "news"
    NEXT_CHANNEL = "next_channel"
    INBOX = "inbox"
    SUPERSEDED = "superseded"
    WAITING = "waiting"


async def deliveries(
    *, by: Scope, state: DeliveryState | None = None, after: UUID | None = None, limit: int = 50
) -> Sequence[Delivery]:
    """Deliveries by outcome, newest first, keyset by id. Raises Forbidden."""
    by.require(*READERS)
    found = Delivery.filter(zone_id=by.zone_id, state__in=[state] if state else list(OUTCOMES))
    if after:
        found = found.filter(id__lt=after)
    return await found.order_by("-id").limit(limit)


async def outcomes(since: datetime, zone_id: UUID) -> dict[str, int]:
    """How many deliveries made since then stand in each state, the unfinished included."""
    rows: list[dict[str, Any]] = await database.fetch(
        "select state, count(*) as deliveries from delivery where zone_id = $1 and made_at >= $2 group by 1",
        zone_id,
        since,
    )
    counted = {row["state"]: row["deliveries"] for row in rows}
    return {state.value: counted.get(state.value, 0) for state in DeliveryState}


async def outcomes_of_week(*, by: Scope) -> dict[str, int]:
    """How many deliveries of this week stand in each state. Raises Forbidden."""
    by.require(*READERS)
    today = clock.today()
    return await outcomes(clock.at(today - timedelta(days=today.weekday())), by.zone_id)


async def resolutions(zone_id: UUID, shown: Collection[Delivery]) -> dict[UUID, Resolution]:
    """For each of these that is, or was, unknown: what became of it."""
    unknown = [delivery.id for delivery in shown if delivery.state is DeliveryState.UNKNOWN]
    told_later = {delivery.id: Resolution.NEWS for delivery in shown if delivery.reason == "told_later"}
    return told_later | await _resolved(zone_id, unknown)


CHAIN_ENDS = """
with recursive chain (origin, id, state, channel, hop) as (
  select id, id, state, channel, 0 from delivery where id = any($2::uuid[])
  union all
  select c.origin, d.id, d.state, d.channel, hop + 1
  from chain c join delivery d on d.zone_id = $1 and d.key = 'after:' || c.id
)
select distinct on (origin) origin, state, channel from chain order by origin, hop desc
"""


async def _resolved(zone_id: UUID, unknown: Sequence[UUID]) -> dict[UUID, Resolution]:
    if not unknown:
        return {}
    rows = await database.fetch(CHAIN_ENDS, zone_id, list(unknown))
    return {row["origin"]: _resolution(DeliveryState(row["state"]), row["channel"]) for row in rows}


def _resolution(last: DeliveryState, channel: str | None) -> Resolution:
    if last is DeliveryState.SUPERSEDED:
        return Resolution.SUPERSEDED
    if last not in (DeliveryState.SENT, DeliveryState.MERGED):
        return Resolution.WAITING
    return Resolution.INBOX if channel == Channel.IN_APP else Resolution.NEXT_CHANNEL


async def unknown_since(since: datetime, zone_id: UUID) -> dict[UUID, Resolution]:
    """Deliveries whose outcome has been unknown since some time after `since`, and what became of each."""
    rows = await database.fetch(
        "select id from delivery where zone_id = $1 and state = 'unknown' and settled_at >= $2"
        " order by settled_at desc limit $3",
        zone_id,
        since,
        MOST_UNKNOWN,
    )
    return await _resolved(zone_id, [row["id"] for row in rows])
