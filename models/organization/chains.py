"""The chain of responsibility, computed from posts; an item keeps it as a snapshot from its issue on (domain.md §2).

Upwards from the owner: the deputy in charge (分管), the unit's principal (主要负责人), the parent unit's principal, and
so on. The roster does not say which of several deputies is in charge, so only a sole deputy counts, and only for plain
members. A vacant rung is left out, so that the next one up takes its place; nobody is their own leader.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from models.base import clock, database
from models.base.errors import NotFound
from models.organization.tables import PostRank


class Chain(BaseModel):
    """Persons above `owner`: nearest first in `upward`; `oversight` holds that role nearest to the owner's unit.

    `unit` is the owner's, `posts` (person → post) tells which post put a leader here: by both `staffed` tells later who
    holds the office.
    """

    owner: UUID
    unit_leader: UUID | None
    upward: list[UUID]
    oversight: list[UUID]
    unit: UUID | None = None
    posts: dict[UUID, UUID] = {}

    def everyone(self) -> set[UUID]:
        """All who stand in the chain."""
        return {self.owner, *([self.unit_leader] if self.unit_leader else []), *self.upward, *self.oversight}


LEADERS = """
select u.id as of_unit, above.id as above, above.id = u.id as own, p.rank, p.id as post_id, a.person_id
from unit u
join unit above on above.zone_id = $1 and above.code = any(string_to_array(u.path, '/'))
join post p on p.zone_id = $1 and p.unit_id = above.id and p.rank in ('principal', 'deputy')
join appointment a on a.zone_id = $1 and a.post_id = p.id and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3
join person on person.id = a.person_id and person.active
where u.zone_id = $1 and u.id = any($2::uuid[])
order by u.id, length(above.path) desc, a.acting, a.from_on, a.person_id
"""

OVERSEERS = """
select u.id as of_unit, above.id as at_unit, g.person_id
from unit u
join unit above on above.zone_id = $1 and above.code = any(string_to_array(u.path, '/'))
join role_grant g on g.zone_id = $1 and g.unit_id = above.id and g.role = 'oversight'
join person on person.id = g.person_id and person.active
where u.zone_id = $1 and u.id = any($2::uuid[])
order by u.id, length(above.path) desc, g.person_id
"""


async def chain_of(zone_id: UUID, person_id: UUID, unit_id: UUID, on: date | None = None) -> Chain:
    """The chain above the person as owner in the unit, on a day (default today). Raises NotFound."""
    return (await chains_of(zone_id, [(person_id, unit_id)], on))[0]


async def chains_of(zone_id: UUID, owners: Sequence[tuple[UUID, UUID]], on: date | None = None) -> list[Chain]:
    """Chains of many (person, unit), in their order, in three statements however many. Raises NotFound."""
    day, people = on or clock.today(), list({person for person, _ in owners})
    units = list({unit for _, unit in owners})
    (known,) = await database.fetch(
        "select (select count(*) from person where zone_id = $1 and id = any($2::uuid[])) as people,"
        " (select count(*) from unit where zone_id = $1 and id = any($3::uuid[])) as units",
        zone_id,
        people,
        units,
    )
    if (known["people"], known["units"]) != (len(people), len(units)):
        raise NotFound()
    leaders = _by_unit(await database.fetch(LEADERS, zone_id, units, day))
    overseers = await overseers_of(zone_id, units)
    return [_chain(person, unit, leaders[unit], overseers[unit]) for person, unit in owners]


async def overseers_of(zone_id: UUID, units: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """By unit, whoever holds oversight over it (`person_id`, and `at_unit` where), the nearest first."""
    return _by_unit(await database.fetch(OVERSEERS, zone_id, list(units)))


def _by_unit(rows: list[dict[str, Any]]) -> dict[UUID, list[dict[str, Any]]]:
    grouped: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["of_unit"]].append(row)
    return grouped


def _chain(owner: UUID, unit: UUID, leaders: list[dict[str, Any]], overseers: list[dict[str, Any]]) -> Chain:
    ladder = list(dict.fromkeys(_rungs(owner, leaders)))
    posts = {row["person_id"]: row["post_id"] for row in reversed(leaders)}  # the nearest of several wins
    return Chain(
        owner=owner,
        unit_leader=ladder[0] if ladder else None,
        upward=ladder[1:],
        oversight=nearest_overseers(owner, overseers),
        unit=unit,
        posts={person: posts[person] for person in ladder},
    )


def nearest_overseers(owner: UUID, overseers: list[dict[str, Any]]) -> list[UUID]:
    """Those of `overseers_of` one unit at the nearest place that has any besides the owner."""
    nearest = next((row["at_unit"] for row in overseers if row["person_id"] != owner), None)
    return [row["person_id"] for row in overseers if row["at_unit"] == nearest and row["person_id"] != owner]


def _rungs(owner: UUID, leaders: list[dict[str, Any]]) -> list[UUID]:
    """Persons above the owner, nearest first; `leaders` comes nearest unit first, in each the one to take first."""
    principals: dict[UUID, list[UUID]] = defaultdict(list)
    deputies: list[UUID] = []
    for row in leaders:
        if row["rank"] == PostRank.PRINCIPAL:
            principals[row["above"]].append(row["person_id"])
        elif row["own"] and row["person_id"] not in deputies:
            deputies.append(row["person_id"])
    rungs = [people[0] for people in principals.values() if owner not in people]
    is_plain = owner not in deputies and not any(owner in people for people in principals.values())
    return [*deputies, *rungs] if is_plain and len(deputies) == 1 else rungs
