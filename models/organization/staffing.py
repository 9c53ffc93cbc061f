"""A chain as it is staffed on a day: who holds each office, and who stands in for them (domain.md §2).

A chain is a snapshot of people; people are transferred, retire, lose a role. A leader's rung belongs to whoever holds
that post, the owner's to the owner while they serve in the unit, oversight to whoever still has the role over it. An
absence passes to the delegate; a rung that nobody holds is left to the next one up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from models.base import database
from models.organization.chains import Chain, nearest_overseers, overseers_of


@dataclass(frozen=True)
class Seat:
    """An office that is held: by `holder`, for whom `acting` acts today (the same person unless absent)."""

    holder: UUID
    acting: UUID


@dataclass(frozen=True)
class Staffed:
    """The seats of a chain, None where nobody holds one. `ladder` is the unit leader's and then upward."""

    owner: Seat | None
    ladder: tuple[Seat | None, ...]
    oversight: tuple[Seat, ...]

    @property
    def superiors(self) -> tuple[Seat, ...]:
        """The seats of the ladder that are held, nearest first."""
        return tuple(seat for seat in self.ladder if seat)

    @property
    def answerable(self) -> Seat | None:
        """Who answers for the matter today: the owner; where they have left, the nearest above."""
        return self.owner or next(iter(self.superiors), None)


_Office = tuple[str, UUID, UUID | None, UUID | None]
"""What is sought: `post` (a person's post, whoever has it now), `person` (if they serve, in the unit if one is given),
`role` (if they still have oversight over the unit); then person, post, unit."""

SEATS = """
with recursive sought as (
  select * from unnest($2::text[], $3::uuid[], $4::uuid[], $5::uuid[])
    with ordinality as s(kind, person, post, unit, place)
), held as (
  select s.place, h.id from sought s cross join lateral (
    select p.id from appointment a join person p on p.id = a.person_id and p.active
    where a.zone_id = $1 and a.post_id = s.post and a.from_on <= $6 and coalesce(a.until_on, $6) >= $6
    order by p.id = s.person desc, a.acting, a.from_on, p.id limit 1) h
  where s.kind = 'post'
  union all
  select s.place, p.id from sought s join person p on p.zone_id = $1 and p.id = s.person and p.active
  where s.kind = 'person' and (
    not exists (select from appointment a where a.zone_id = $1 and a.person_id = p.id)
    or exists (
      select from appointment a join post on post.id = a.post_id
      where a.zone_id = $1 and a.person_id = p.id and a.from_on <= $6 and coalesce(a.until_on, $6) >= $6
        and post.unit_id = coalesce(s.unit, post.unit_id)))
  union all
  select s.place, p.id from sought s join person p on p.zone_id = $1 and p.id = s.person and p.active
  where s.kind = 'role' and exists (
    select from role_grant g join unit over on over.id = g.unit_id join unit u on u.id = s.unit
    where g.zone_id = $1 and g.person_id = p.id and g.role = 'oversight' and starts_with(u.path, over.path))
), standing (place, holder, acting, hop) as (
  select place, id, id, 0 from held
  union all
  select s.place, s.holder, d.delegate_id, hop + 1 from standing s
  join delegation d on d.zone_id = $1 and d.person_id = s.acting
    and d.from_on <= $6 and d.until_on >= $6 and d.ended_at is null
  join person p on p.id = d.delegate_id and p.active
  where hop < 5
)
select distinct on (place) place, holder, acting from standing order by place, hop desc
"""


async def staffed(zone_id: UUID, chains: Sequence[Chain], on: date) -> list[Staffed]:
    """The chains as they are staffed on a day, in their order, in one statement however many.

    Where nobody of a chain's oversight has the role any more, whoever oversees the unit now takes their place.
    """
    found = await _staffed(zone_id, chains, on)
    orphaned = [place for place, chain in enumerate(chains) if chain.unit and not found[place].oversight]
    if orphaned:
        renewed = await _overseen_anew(zone_id, [chains[place] for place in orphaned])
        for place, now in zip(orphaned, await _staffed(zone_id, renewed, on), strict=True):
            found[place] = now
    return found


async def _overseen_anew(zone_id: UUID, chains: Sequence[Chain]) -> list[Chain]:
    overseers = await overseers_of(zone_id, [chain.unit for chain in chains if chain.unit])
    return [
        chain.model_copy(update={"oversight": nearest_overseers(chain.owner, overseers[chain.unit])})
        for chain in chains
        if chain.unit
    ]


async def _staffed(zone_id: UUID, chains: Sequence[Chain], on: date) -> list[Staffed]:
    offices = list(dict.fromkeys(office for chain in chains for office in _offices(chain)))
    kinds, people, posts, units = zip(*offices, strict=True) if offices else ((), (), (), ())
    rows = await database.fetch(SEATS, zone_id, [*kinds], [*people], [*posts], [*units], on)
    seats = {offices[row["place"] - 1]: Seat(row["holder"], row["acting"]) for row in rows}
    return [
        Staffed(
            owner=seats.get(_owner(chain)),
            ladder=tuple(seats.get(rung) for rung in _ladder(chain)),
            oversight=tuple(seats[office] for office in _oversight(chain) if office in seats),
        )
        for chain in chains
    ]


def _offices(chain: Chain) -> list[_Office]:
    return [_owner(chain), *_ladder(chain), *_oversight(chain)]


def _owner(chain: Chain) -> _Office:
    return ("person", chain.owner, None, chain.unit)


def _ladder(chain: Chain) -> list[_Office]:
    rungs = [person for person in (chain.unit_leader, *chain.upward) if person]
    return [("post" if person in chain.posts else "person", person, chain.posts.get(person), None) for person in rungs]


def _oversight(chain: Chain) -> list[_Office]:
    return [("role" if chain.unit else "person", person, None, chain.unit) for person in chain.oversight]
