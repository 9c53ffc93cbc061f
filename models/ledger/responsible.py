"""责任链 as an item's readers see it: who gave the matter out, who answers for it today, who stands in for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.base import clock, database
from models.base.audit import AuditRow
from models.base.scope import Scope
from models.ledger import people
from models.ledger.tables import Campaign, Item
from models.organization import Seat, Staffed

ISSUING = ("item.issued", "item.sent_back", "item.reopened")
NAMED = """
select p.id, p.name, coalesce((
  select u.name || ' ' || post.title
  from appointment a join post on post.id = a.post_id join unit u on u.id = post.unit_id
  where a.zone_id = $1 and a.person_id = p.id and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3
  order by a.acting, a.from_on, post.title limit 1), '') as office
from person p where p.zone_id = $1 and p.id = any($2::uuid[])
"""


class Part(StrEnum):
    """What somebody is to an item."""

    OWNER = "owner"
    UNIT_LEADER = "unit_leader"
    UPWARD = "upward"
    OVERSIGHT = "oversight"

    @property
    def label(self) -> str:
        """As a cadre reads it."""
        return {"owner": "责任人", "unit_leader": "单位负责人", "upward": "上级", "oversight": "监督机构"}[self.value]


@dataclass(frozen=True)
class Rung:
    """A place of the chain that is held. `office`: unit and title; `acting`: who stands in today, None for nobody."""

    part: Part
    name: str
    office: str
    acting: str | None


@dataclass(frozen=True)
class Responsible:
    """`issued_by` gave the matter out, within `campaign`: a name, or the office where an account at its console did.

    `chain` goes from the owner upward, then to oversight.
    """

    campaign: str
    issued_by: str | None
    chain: list[Rung]


async def responsible(item_id: UUID, *, by: Scope) -> Responsible:
    """Who answers for the item today. Raises NotFound."""
    item = await people.readable(item_id, by=by)
    campaign = await Campaign.get(zone_id=by.zone_id, id=item.campaign_id)
    seats, issuer = list(_places(await people.staffed(item))), await _issuer(item)
    named = await _named(by.zone_id, {*(one for _, seat in seats for one in (seat.holder, seat.acting)), issuer})
    issued_by = named[issuer]["name"] if issuer in named else "监督机构"
    return Responsible(campaign.name, issued_by if item.issued_at else None, [_rung(*one, named) for one in seats])


def _places(now: Staffed) -> Iterator[tuple[Part, Seat]]:
    if now.owner:
        yield Part.OWNER, now.owner
    for place, seat in enumerate(now.superiors):
        yield (Part.UPWARD if place else Part.UNIT_LEADER), seat
    for seat in now.oversight:
        yield Part.OVERSIGHT, seat


def _rung(part: Part, seat: Seat, named: dict[UUID | None, dict[str, Any]]) -> Rung:
    holder = named[seat.holder]
    acting = named[seat.acting]["name"] if seat.acting != seat.holder else None
    return Rung(part, holder["name"], holder["office"], acting)


async def _issuer(item: Item) -> UUID | None:
    rows = AuditRow.filter(zone_id=item.zone_id, subject_id=item.id, action__in=ISSUING)
    last = await rows.order_by("-id").first()
    kind, _, actor = last.actor.partition(":") if last else ("", "", "")
    return UUID(actor) if kind == "person" else None


async def _named(zone_id: UUID, ids: set[UUID | None]) -> dict[UUID | None, dict[str, Any]]:
    rows = await database.fetch(NAMED, zone_id, [one for one in ids if one], clock.today())
    return {row["id"]: row for row in rows}
