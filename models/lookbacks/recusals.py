"""回避: who keeps out of whose matters, declared by an inspector for themself or by oversight.

Least data: two people and who said so; neither the kind of relation nor a reason is asked for. The log tells that
something was declared, not about whom. Only the inspector and oversight over their unit see a declaration.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models.base import audit, clock, database
from models.base.database import Row, atomic, locked
from models.base.errors import Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.organization import Person


class Recusal(Row):
    """回避: these two keep out of each other's matters. Why is nobody's business here; it ends, it is not deleted."""

    person_id = fields.UUIDField()
    other_id = fields.UUIDField()
    declared_by = fields.CharField(max_length=80)
    declared_at = fields.DatetimeField()
    ended_by = fields.CharField(max_length=80, null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "recusal"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "person_id", "other_id"), name="recusal_declared_once", condition="ended_at IS NULL"
            )
        ]
        indexes = [Index(fields=("zone_id", "person_id", "id"), name="recusal_of_person")]


@dataclass(frozen=True)
class RecusalLine:
    """A declaration in force with both names."""

    recusal: Recusal
    person: str
    other: str


@atomic()
async def declare_recusal(person_id: UUID, other_id: UUID, *, by: Scope) -> Recusal:
    """That the two keep out of each other's matters; the same again, from either side, answers the one that exists.

    Raises NotFound (`person_not_found`), Invalid (`same_person`).
    """
    await _refuse_stranger(person_id, by)
    if person_id == other_id:
        raise Invalid("same_person", "回避对象不能是本人；本人任职的单位和经手的事项总是回避的。")
    if not await Person.exists(zone_id=by.zone_id, id=other_id):
        raise NotFound("person_not_found", "名册中没有这位人员。")
    pair = sorted((person_id, other_id))
    await Person.filter(zone_id=by.zone_id, id__in=pair).order_by("id").select_for_update().only("id")  # one at a time
    both = Recusal.filter(zone_id=by.zone_id, person_id__in=pair, other_id__in=pair, ended_at__isnull=True)
    if existing := await both.first():
        return existing
    made = await Recusal.create(
        id=new_id(),
        zone_id=by.zone_id,
        person_id=person_id,
        other_id=other_id,
        declared_by=by.actor,
        declared_at=clock.now(),
    )
    await audit.record(by, "recusal.declared", ("recusal", made.id))
    return made


@atomic()
async def end_recusal(recusal_id: UUID, *, by: Scope) -> Recusal:
    """It no longer holds for draws to come; past ones keep what they were made from. Raises NotFound."""
    found = await locked(Recusal.filter(zone_id=by.zone_id), recusal_id)
    await _refuse_stranger(found.person_id, by)
    if found.ended_at is None:
        found.ended_by, found.ended_at = by.actor, clock.now()
        await found.save(update_fields=["ended_by", "ended_at"])
        await audit.record(by, "recusal.ended", ("recusal", found.id))
    return found


WORKS_WITHIN = """
select from appointment a join post on post.id = a.post_id join unit u on u.id = post.unit_id
where a.zone_id = $1 and a.person_id = {person} and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3
  and exists (select from unnest($4::text[]) root where starts_with(u.path, root))
"""


async def _refuse_stranger(person_id: UUID, by: Scope) -> None:
    """Raises NotFound unless the person is the caller, an inspector, or works within the caller's oversight."""
    if person_id == by.person_id and by.may(Role.INSPECTOR):
        return
    within = f"select exists ({WORKS_WITHIN.format(person='$2')}) as within"
    roots = [*by.paths(Role.OVERSIGHT)]
    (row,) = await database.fetch(within, by.zone_id, person_id, clock.today(), roots)
    if not row["within"]:
        raise NotFound()


VISIBLE = f"""
select r.*, p.name as person_name, o.name as other_name from recusal r
join person p on p.id = r.person_id join person o on o.id = r.other_id
where r.zone_id = $1 and r.ended_at is null and ($5::uuid is null or r.id < $5)
  and (r.person_id = $2 or exists ({WORKS_WITHIN.format(person="r.person_id")}))
order by r.id desc limit $6
"""  # noqa: S608 — ours


async def recusals(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[RecusalLine]:
    """Those in force that the caller declared for themself or oversees, newest first, after `after`."""
    roots = [*by.paths(Role.OVERSIGHT)]
    rows = await database.fetch(VISIBLE, by.zone_id, by.person_id, clock.today(), roots, after, limit)
    return [_line(**row) for row in rows]


def _line(person_name: str, other_name: str, **row: Any) -> RecusalLine:
    return RecusalLine(Recusal._init_from_db(**row), person_name, other_name)


async def apart(zone_id: UUID) -> dict[UUID, frozenset[UUID]]:
    """Who keeps away from whom, from both sides."""
    pairs = Recusal.filter(zone_id=zone_id, ended_at__isnull=True)  # all: one left out would be a conflict let in
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for one, other in await pairs.values_list("person_id", "other_id"):
        found[one].add(other)
        found[other].add(one)
    return {person: frozenset(others) for person, others in found.items()}
