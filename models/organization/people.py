"""Who a caller is, who is found by a number, and who stands in for whom."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from models.base.scope import Grant, Role, Scope
from models.organization.tables import Delegation, Person

LONGEST_ABSENCE_DAYS = 366

SCOPE = """
select p.zone_id, p.active,
  coalesce(array_agg(g.role order by g.role, u.path) filter (where g.id is not null), '{}') as roles,
  coalesce(array_agg(u.path order by g.role, u.path) filter (where g.id is not null), '{}') as paths
from person p
left join (role_grant g join unit u on u.id = g.unit_id) on g.person_id = p.id and g.zone_id = p.zone_id
where p.id = $1 group by p.id
"""


async def scope_of(person_id: UUID) -> Scope:
    """What the person may do, in one statement. Raises Unauthenticated where they are unknown or have left."""
    rows = await database.fetch(SCOPE, person_id)
    if not rows or not rows[0]["active"]:
        raise Unauthenticated("person_left", "您已不在本开发区的名册中。如有疑问，请联系管理员。")
    (row,) = rows
    grants = tuple(Grant(Role(role), path) for role, path in zip(row["roles"], row["paths"], strict=True))
    return Scope(row["zone_id"], f"person:{person_id}", person_id=person_id, grants=grants)


async def person_by_phone(zone_id: UUID, phone: str) -> Person:
    """Who stands in the roster with this mobile number. Raises NotFound."""
    person = await Person.get_or_none(zone_id=zone_id, phone=phone, active=True)
    if person is None:
        raise NotFound("not_in_roster", "这个手机号不在名册中。请联系本单位管理员核对后再试。")
    return person


async def person_of(zone_id: UUID, person_id: UUID) -> Person:
    """Raises NotFound for another zone's person as well."""
    person = await Person.get_or_none(zone_id=zone_id, id=person_id)
    if person is None:
        raise NotFound()
    return person


UNIT_PATH = """
select coalesce(
  (select min(u.path) from appointment a join post on post.id = a.post_id join unit u on u.id = post.unit_id
   where a.zone_id = $1 and a.person_id = $2 and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3),
  (select min(path) from unit where zone_id = $1 and parent_id is null), '/') as path
"""


async def unit_path_of(zone_id: UUID, person_id: UUID) -> str:
    """Where the person works today: the first of their units in the order of the tree, without any the zone itself."""
    (row,) = await database.fetch(UNIT_PATH, zone_id, person_id, clock.today())
    path: str = row["path"]
    return path


STAND_IN = """
with recursive standing (person_id, hop) as (
  select p.id, 0 from person p
  where p.zone_id = $1 and p.id = $2 and p.active
    and (not exists (select from appointment a where a.zone_id = $1 and a.person_id = p.id)
         or exists (select from appointment a where a.zone_id = $1 and a.person_id = p.id
                    and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3))
  union all
  select d.delegate_id, hop + 1 from standing
  join delegation d on d.zone_id = $1 and d.person_id = standing.person_id
    and d.from_on <= $3 and d.until_on >= $3 and d.ended_at is null
  join person p on p.id = d.delegate_id and p.active
  where hop < 5
)
select person_id from standing order by hop desc limit 1
"""


async def stand_in(zone_id: UUID, person_id: UUID, on: date) -> UUID | None:
    """Who takes the person's matters on that day: the delegate while they are absent, else the person.

    None where the person has left office (inactive, or none of their appointments is in force): then one level up.
    """
    rows = await database.fetch(STAND_IN, zone_id, person_id, on)
    return rows[0]["person_id"] if rows else None


SELVES = """
with recursive standing (caller, zone_id, person_id, hop) as (
  select person_id, zone_id, person_id, 0 from unnest($1::uuid[], $2::uuid[]) as asked(zone_id, person_id)
  union all
  select caller, d.zone_id, d.person_id, hop + 1 from standing
  join delegation d on d.zone_id = standing.zone_id and d.delegate_id = standing.person_id
    and d.from_on <= $3 and d.until_on >= $3 and d.ended_at is null
  where hop < 5
)
select caller, array_agg(distinct person_id) as selves from standing group by caller
"""


async def selves_of(callers: Sequence[tuple[UUID, UUID]]) -> dict[UUID, frozenset[UUID]]:
    """For each (zone, person): the person and everybody they stand in for today (the way back of `stand_in`)."""
    zones, people = [zone for zone, _ in callers], [person for _, person in callers]
    rows = await database.fetch(SELVES, zones, people, clock.today())
    return {row["caller"]: frozenset(row["selves"]) for row in rows}


@atomic()
async def delegate(*, by: Scope, delegate_id: UUID, from_on: date, until_on: date) -> Delegation:
    """The caller is absent from a day until a day (both included); the delegate gets their matters meanwhile.

    The same absence again answers the one that exists. Raises Invalid, NotFound, Conflict.
    """
    person_id = _self(by)
    _check_absence(person_id, delegate_id, from_on, until_on)
    people = Person.filter(zone_id=by.zone_id, id__in=[person_id, delegate_id], active=True)
    if len(await people.order_by("id").select_for_update()) < 2:  # locked in one order: two at once see each other
        raise NotFound()
    absences = await Delegation.filter(
        zone_id=by.zone_id,
        person_id__in=[person_id, delegate_id],
        ended_at__isnull=True,
        from_on__lte=until_on,
        until_on__gte=from_on,
    )
    for absence in absences:
        if (absence.person_id, absence.delegate_id) == (person_id, delegate_id) and (  # type: ignore[attr-defined]
            (absence.from_on, absence.until_on) == (from_on, until_on)
        ):
            return absence
    _refuse_overlap(person_id, absences)
    made = await Delegation.create(
        zone_id=by.zone_id, person_id=person_id, delegate_id=delegate_id, from_on=from_on, until_on=until_on
    )
    await audit.record(by, "delegation.begun", ("delegation", made.id), person=str(person_id), to=str(delegate_id))
    return made


@atomic()
async def end_delegation(delegation_id: UUID, *, by: Scope) -> Delegation:
    """The caller is back: their matters come to them again. Again changes nothing. Raises NotFound."""
    own = Delegation.filter(zone_id=by.zone_id, person_id=_self(by))
    absence = await database.locked(own, delegation_id)
    if absence.ended_at is None:
        absence.ended_at = clock.now()
        await absence.save(update_fields=["ended_at"])
        await audit.record(by, "delegation.ended", ("delegation", absence.id))
    return absence


async def delegations(*, by: Scope) -> list[Delegation]:
    """The caller's absences, newest first, with delegates' names; at most 50."""
    own = Delegation.filter(zone_id=by.zone_id, person_id=_self(by))
    return await own.order_by("-from_on", "-id").limit(50).prefetch_related("delegate")


def _self(by: Scope) -> UUID:
    if by.person_id is None:
        raise Forbidden("not_a_person", "只有名册中的人员本人可以办理委托。")
    return by.person_id


def _check_absence(person_id: UUID, delegate_id: UUID, from_on: date, until_on: date) -> None:
    if delegate_id == person_id:
        raise Invalid("delegate_is_self", "请选择另一位同事代办。")
    if until_on < from_on or until_on < clock.today() or (until_on - from_on).days > LONGEST_ABSENCE_DAYS:
        raise Invalid("bad_period", "委托的起止日期有误：截止日期不早于起始日期和今天，最长一年。")


def _refuse_overlap(person_id: UUID, absences: list[Delegation]) -> None:
    for absence in absences:
        if absence.person_id == person_id:  # type: ignore[attr-defined]
            raise Conflict("already_delegated", "这段时间已经有一项委托。请先结束它，再作新的委托。")
        raise Conflict("delegate_absent", "这位同事在这段时间也不在岗，请另选一位。")
