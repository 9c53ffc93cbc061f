"""Units and people as the console reads them, and a person's own entry."""

from typing import Any

import orjson

from models.base import clock, database
from models.base.errors import Forbidden
from models.base.scope import Role, Scope
from models.organization.tables import Unit

READERS = (Role.ADMIN, Role.OVERSIGHT)
MAX_UNITS = 5_000

PEOPLE = """
select p.id, p.staff_no, p.name, p.phone, p.active,
  exists (select from binding b where b.zone_id = $1 and b.person_id = p.id and b.unbound_at is null) as bound,
  coalesce((
    select json_agg(json_build_object('unit_id', u.id, 'unit', u.name, 'title', post.title, 'rank', post.rank,
                                      'acting', a.acting) order by u.path, post.title)
    from appointment a join post on post.id = a.post_id join unit u on u.id = post.unit_id
    where a.zone_id = $1 and a.person_id = p.id and a.from_on <= $2 and coalesce(a.until_on, $2) >= $2), '[]') as posts,
  coalesce((
    select json_agg(json_build_object('role', g.role, 'unit_id', u.id, 'unit', u.name) order by u.path, g.role)
    from role_grant g join unit u on u.id = g.unit_id where g.zone_id = $1 and g.person_id = p.id), '[]') as roles
from person p where p.zone_id = $1
"""
IN_SUBTREES = """
and exists (
  select from appointment a join post on post.id = a.post_id join unit u on u.id = post.unit_id
  where a.zone_id = $1 and a.person_id = p.id
    and exists (select from unnest($3::text[]) root where starts_with(u.path, root)))
"""
FOUND = """
and ($3::text[] is not null) and ($4 = '' or p.name like '%' || $4 || '%' or p.staff_no = $4) and p.staff_no > $5
order by p.staff_no limit $6
"""


async def units(*, by: Scope) -> list[Unit]:
    """The units in force within the caller's subtrees, parents before children; at most 5,000. Raises Forbidden."""
    by.require(*READERS)
    rows = Unit.filter(by.within("path", *READERS), zone_id=by.zone_id, active=True)
    return await rows.order_by("path").limit(MAX_UNITS)


async def people(*, by: Scope, text: str = "", after: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """People with posts in force and roles, in order of staff number after `after`, as far as the caller's subtrees go.

    `text` finds part of a name or a whole staff number. Only an admin of the whole zone sees those without any post.
    Rows: id, staff_no, name, phone, active, bound, posts, roles. Raises Forbidden.
    """
    by.require(*READERS)
    paths = list(by.paths(*READERS))
    wanted = text.strip().replace("\\", "").replace("%", "").replace("_", "")
    sql = PEOPLE + ("" if await _whole_zone(by) else IN_SUBTREES) + FOUND
    return [_read(row) for row in await database.fetch(sql, by.zone_id, clock.today(), paths, wanted, after, limit)]


async def own_entry(*, by: Scope) -> dict[str, Any]:
    """The caller as the roster has them; a row as of `people`. Raises Forbidden where nobody of the roster calls."""
    if by.person_id is None:
        raise Forbidden("not_a_person", "只有名册中的人员本人可以查看。")
    (row,) = await database.fetch(PEOPLE + " and p.id = $3", by.zone_id, clock.today(), by.person_id)
    return _read(row)


COLLEAGUES = """
with mine as (
  select distinct u.path, u.parent_id, u.id from appointment a
  join post on post.id = a.post_id join unit u on u.id = post.unit_id
  where a.zone_id = $1 and a.person_id = $2 and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3
)
select distinct on (p.name, p.id) p.id, p.name, u.name as unit, post.title from mine
join unit u on u.zone_id = $1 and (u.id in (mine.id, mine.parent_id) or u.parent_id = mine.id)
join post on post.zone_id = $1 and post.unit_id = u.id
join appointment a on a.zone_id = $1 and a.post_id = post.id
  and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3
join person p on p.id = a.person_id and p.active
where p.id <> $2 and starts_with(p.name, $4) order by p.name, p.id, u.path limit $5
"""


async def colleagues(*, by: Scope, name: str = "", limit: int = 50) -> list[dict[str, Any]]:
    """Who may stand in for the caller: people in office in the caller's units, the ones above and the ones below.

    Rows: id, name, unit, title; at most `limit`, those whose name begins with `name`. No phone numbers.
    """
    return await database.fetch(COLLEAGUES, by.zone_id, by.person_id, clock.today(), name.strip(), limit)


async def _whole_zone(by: Scope) -> bool:
    root = await Unit.filter(zone_id=by.zone_id, parent_id__isnull=True, active=True).order_by("path").first()
    return root is None or by.may(Role.ADMIN, path=root.path)


def _read(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "posts": orjson.loads(row["posts"]), "roles": orjson.loads(row["roles"])}


def masked(phone: str | None) -> str | None:
    """138****1234: enough to tell two people apart."""
    return f"{phone[:3]}****{phone[-4:]}" if phone else None
