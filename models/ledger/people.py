"""Who is who to an item: its owner, reviewers, overseers, and those who stand in for them today."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from models import organization
from models.base import clock, database
from models.base.errors import NotFound
from models.base.scope import Role, Scope
from models.ledger.tables import Cycle, Item, State
from models.ledger.transitions import Party
from models.organization import Chain, Seat, Staffed


async def selves(by: Scope) -> frozenset[UUID]:
    """The caller, and everybody the caller stands in for, as the database says now: for rules that change something."""
    if by.person_id is None:
        return frozenset()
    return (await organization.selves_of([(by.zone_id, by.person_id)]))[by.person_id]


async def reading_as(by: Scope) -> frozenset[UUID]:
    """`selves` for lists and pages: as read with the caller's roles, seconds ago, where they were."""
    return await selves(by) if by.selves is None else by.selves


def visible(by: Scope, own: frozenset[UUID]) -> "QuerySet[Item]":
    """Items that the caller may read: those issued to `own` or in their chain, and the caller's role subtrees.

    Drafts are the office's alone.
    """
    zone = Item.filter(zone_id=by.zone_id)
    if by.actor == "system":
        return zone
    office = by.within("unit_path", Role.OVERSIGHT)
    issued = Q(by.within("unit_path", Role.UNIT_LEADER, Role.INSPECTOR), in_chain(own), join_type=Q.OR)
    return zone.filter(Q(office, Q(issued, ~Q(state=State.DRAFT)), join_type=Q.OR))


VISIBLE = """
($3 or exists (select from unnest($4::text[]) root where starts_with(i.unit_path, root))
  or i.state <> 'draft' and (
    exists (select from unnest($5::text[]) root where starts_with(i.unit_path, root))
    or i.owner_id = any($6::uuid[]) or i.chain ->> 'unit_leader' = any($7::text[])
    or i.chain -> 'upward' ?| $7::text[] or i.chain -> 'oversight' ?| $7::text[]))
"""
"""The condition of `visible` for a statement written by hand, on item `i`; its values are `sight`'s. A test holds both
together."""


def sight(by: Scope, own: frozenset[UUID]) -> tuple[bool, Sequence[str], Sequence[str], Sequence[UUID], Sequence[str]]:
    """What `VISIBLE` is told of the caller: $3 to $7."""
    office, units = by.paths(Role.OVERSIGHT), by.paths(Role.UNIT_LEADER, Role.INSPECTOR)
    return by.actor == "system", office, units, [*own], [str(person) for person in own]


SEEN = f"select i.* from item i where i.zone_id = $1 and i.id = $2 and {VISIBLE}"  # noqa: S608 — our own constants only


async def seen(item_id: UUID, by: Scope, own: frozenset[UUID], *, lock: bool = False) -> Item:
    """The one of `visible`, where it is asked for often; with `lock`, until the transaction ends. Raises NotFound."""
    rows = await database.fetch(f"{SEEN} for update" if lock else SEEN, by.zone_id, item_id, *sight(by, own))
    if not rows:
        raise NotFound()
    return Item._init_from_db(**rows[0])


def in_chain(own: Iterable[UUID]) -> Q:
    """Items whose chain of responsibility, owner included, names one of `own`."""
    named: list[Q] = []
    for person in map(str, own):
        named += [Q(owner_id=person), Q(chain__contains={"unit_leader": person})]
        named += [Q(chain__contains={"upward": [person]}), Q(chain__contains={"oversight": [person]})]
    return Q(*named, join_type=Q.OR) if named else Q(id__isnull=True)


async def readable(item_id: UUID, *, by: Scope) -> Item:
    """The item. Raises NotFound outside the caller's scope."""
    item = await visible(by, await selves(by)).filter(id=item_id).first()
    if item is None:
        raise NotFound()
    return item


async def parties(item: Item, by: Scope, own: frozenset[UUID]) -> dict[Party, UUID | None]:
    """What the caller is to the item, and for whom they act in it: None where by their own role."""
    return (await parties_of([item], by, own))[item.id]


async def parties_of(items: Sequence[Item], by: Scope, own: frozenset[UUID]) -> dict[UUID, dict[Party, UUID | None]]:
    """`parties` of each item, in as many statements as of one."""
    if by.actor == "system":
        return {item.id: {Party.SYSTEM: None} for item in items}
    issued = [item for item in items if item.chain]
    chains = [Chain.model_validate(item.chain) for item in issued]
    now = await organization.staffed(by.zone_id, chains, clock.today()) if chains else []
    seated = {item.id: staff for item, staff in zip(issued, now, strict=True)}
    return {item.id: standing(item, by, own, seated.get(item.id, NOBODY)) for item in items}


def standing(item: Item, by: Scope, own: frozenset[UUID], now: Staffed) -> dict[Party, UUID | None]:
    """`parties` of a person, the chain being staffed as in `now`."""
    found: dict[Party, UUID | None] = {}
    for party, role in _ROLES.items():
        if by.may(role, path=item.unit_path):
            found[party] = None
    for party, seats in _seats(now).items():
        acting_for = next((seat.holder for seat in seats if seat.holder in own), None)
        if acting_for is not None:
            found[party] = acting_for
    return found


NOBODY = Staffed(None, (), ())
_ROLES = {
    Party.UNIT_REVIEWER: Role.UNIT_LEADER,
    Party.OVERSIGHT: Role.OVERSIGHT,
    Party.INSPECTOR: Role.INSPECTOR,
}


async def staffed(item: Item) -> Staffed:
    """The item's chain as it is staffed today; a draft has nobody yet."""
    if not item.chain:
        return NOBODY
    (now,) = await organization.staffed(item.zone_id, [Chain.model_validate(item.chain)], clock.today())
    return now


def _seats(staffed: Staffed) -> dict[Party, tuple[Seat, ...]]:
    return {
        Party.OWNER: (staffed.answerable,) if staffed.answerable else (),
        Party.UNIT_REVIEWER: staffed.superiors,
        Party.OVERSIGHT: staffed.oversight,
    }


async def present(item: Item, party: Party, *, barred: frozenset[UUID] = frozenset()) -> UUID | None:
    """Who acts as `party` today, the nearest who is not `barred`; None where nobody does."""
    seats = _seats(await staffed(item))[party]
    return next((seat.acting for seat in seats if seat.acting not in barred), None)


def who(by: Scope) -> UUID | None:
    """The human behind the call: their person's id, else their account's."""
    return by.person_id or by.account_id


def barred(party: Party, item: Item, cycle: Cycle) -> frozenset[UUID]:
    """Who may not act as `party` in this cycle, having acted otherwise: three different people (domain.md §3)."""
    side = {item.owner_id, cycle.requested_by}
    if party is Party.OVERSIGHT:
        side.add(cycle.unit_reviewed_by)
    return frozenset(person for person in side if person is not None)
