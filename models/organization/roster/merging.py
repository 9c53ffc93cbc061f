"""Making the tables what the staged roster says, a few statements a sheet, however many rows.

A row that is as it should be is not touched. `xmax = 0` tells PostgreSQL's inserted rows from its updated ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection

from models.base import database
from models.organization.roster.rows import Roster

MAX_SAMPLES = 10

STAGING = {
    "roster_unit": "id uuid, code text, name text, kind text, parent text, path text",
    "roster_person": "id uuid, staff_no text, name text, phone text, wecom text",
    "roster_post": "id uuid, unit_code text, title text, rank text",
    "roster_appointment": "id uuid, staff_no text, post_id uuid, from_on date, until_on date, acting boolean",
    "roster_held": "id uuid, person_id uuid, post_id uuid, from_on date, until_on date, acting boolean",
    "roster_role": "id uuid, staff_no text, role text, unit_code text",
    "roster_written": "staff_no text",
}
COUNTED = (
    " select added, count(*) as count, (array_agg(code order by code))[1:10] as samples from merged group by added"
)

MERGE_UNITS = """
with merged as (
  insert into unit (id, zone_id, code, name, kind, path, active)
  select id, $1, code, name, kind, path, true from roster_unit
  on conflict (zone_id, code) do update
    set name = excluded.name, kind = excluded.kind, path = excluded.path, active = true
    where (unit.name, unit.kind, unit.path, unit.active)
      is distinct from (excluded.name, excluded.kind, excluded.path, true)
  returning code, xmax = 0 as added)"""
LINK_UNITS = """
update unit set parent_id = wanted.parent_id
from (select r.code, parent.id as parent_id from roster_unit r
      left join unit parent on parent.zone_id = $1 and parent.code = nullif(r.parent, '')) wanted
where unit.zone_id = $1 and unit.code = wanted.code and unit.parent_id is distinct from wanted.parent_id"""
END_UNITS = """
update unit set active = false
where zone_id = $1 and active and code not in (select code from roster_unit)
returning id, code"""

RELEASE_PHONES = """
update person set phone = null from roster_person r
where person.zone_id = $1 and person.phone = r.phone and person.staff_no <> r.staff_no"""
MERGE_PEOPLE = """
with merged as (
  insert into person (id, zone_id, staff_no, name, phone, wecom, active)
  select id, $1, staff_no, name, phone, wecom, true from roster_person
  on conflict (zone_id, staff_no) do update
    set name = excluded.name, phone = excluded.phone, wecom = excluded.wecom, active = true
    where (person.name, person.phone, person.wecom, person.active)
      is distinct from (excluded.name, excluded.phone, excluded.wecom, true)
  returning staff_no as code, xmax = 0 as added)"""

MERGE_POSTS = """
insert into post (id, zone_id, unit_id, title, rank)
select r.id, $1, u.id, r.title, r.rank from roster_post r join unit u on u.zone_id = $1 and u.code = r.unit_code
on conflict (zone_id, unit_id, title, rank) do nothing"""
HOLD = """
insert into roster_held
select a.id, p.id as person_id, post.id as post_id, a.from_on, a.until_on, a.acting
from roster_appointment a
join roster_post r on r.id = a.post_id
join unit u on u.zone_id = $1 and u.code = r.unit_code
join post on post.zone_id = $1 and post.unit_id = u.id and post.title = r.title and post.rank = r.rank
join person p on p.zone_id = $1 and p.staff_no = a.staff_no"""
MERGE_APPOINTMENTS = """
with upserted as (
  insert into appointment (id, zone_id, person_id, post_id, from_on, until_on, acting)
  select id, $1, person_id, post_id, from_on, until_on, acting from roster_held
  on conflict (zone_id, person_id, post_id, from_on) do update
    set until_on = excluded.until_on, acting = excluded.acting
    where (appointment.until_on, appointment.acting) is distinct from (excluded.until_on, excluded.acting)
  returning person_id, xmax = 0 as added),
merged as (select p.staff_no as code, m.added from upserted m join person p on p.id = m.person_id)"""
END_APPOINTMENTS = """
update appointment set until_on = $2 from person p
where appointment.zone_id = $1 and (appointment.until_on is null or appointment.until_on > $2)
  and p.id = appointment.person_id and p.staff_no in (select staff_no from roster_person)
  and not exists (
    select from roster_held h where h.person_id = appointment.person_id and h.post_id = appointment.post_id
      and h.from_on = appointment.from_on)
returning p.id as id, p.staff_no as code, appointment.id as ended"""

MERGE_ROLES = """
with upserted as (
  insert into role_grant (id, zone_id, person_id, role, unit_id)
  select r.id, $1, p.id, r.role, u.id from roster_role r
  join person p on p.zone_id = $1 and p.staff_no = r.staff_no
  join unit u on u.zone_id = $1 and u.code = r.unit_code
  on conflict (zone_id, person_id, role, unit_id) do nothing
  returning person_id, true as added),
merged as (select p.staff_no as code, m.added from upserted m join person p on p.id = m.person_id)"""
END_ROLES = """
delete from role_grant g using person p, unit u
where g.zone_id = $1 and p.id = g.person_id and u.id = g.unit_id
  and p.staff_no in (select staff_no from roster_person)
  and not exists (
    select from roster_role r where r.staff_no = p.staff_no and r.role = g.role and r.unit_code = u.code)
returning p.id as id, p.staff_no as code, g.role as ended"""

UNITED_POWERS = """
select p.staff_no from role_grant g join person p on p.id = g.person_id
where g.zone_id = $1 and g.role in ('admin', 'security_admin', 'auditor')
group by p.staff_no having count(distinct g.role) > 1 order by p.staff_no limit 10"""


@dataclass
class SheetChanges:
    """What the import does to one sheet's rows; the samples name up to ten of each by their codes."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    added_samples: list[str] = field(default_factory=list)
    changed_samples: list[str] = field(default_factory=list)
    ended_samples: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, merged: Iterable[dict[str, Any]], ended: Sequence[dict[str, Any]] = ()) -> "SheetChanges":
        """From a merge's counted rows and the rows that it ended."""
        changes = cls(ended=len(ended), ended_samples=sorted({row["code"] for row in ended})[:MAX_SAMPLES])
        for row in merged:
            if row["added"]:
                changes.added, changes.added_samples = row["count"], row["samples"]
            else:
                changes.changed, changes.changed_samples = row["count"], row["samples"]
        return changes


@dataclass
class Merged:
    """Changes by sheet, and the rows ended (`id` of the unit or person, `code`, what `ended`), for the audit log."""

    changes: dict[str, SheetChanges]
    units: list[dict[str, Any]]
    appointments: list[dict[str, Any]]
    roles: list[dict[str, Any]]


async def stage(roster: Roster) -> None:
    """Copy the good rows into tables that end with the transaction."""
    rows: dict[str, Iterable[tuple[Any, ...]]] = {
        "roster_unit": roster.units,
        "roster_person": roster.people,
        "roster_post": [(post, *key) for key, post in roster.posts.items()],
        "roster_appointment": roster.appointments,
        "roster_role": roster.roles,
        "roster_held": (),
        "roster_written": [(staff_no,) for staff_no in roster.staff_nos],
    }
    async with get_connection("default").acquire_connection() as connection:
        for table, columns in STAGING.items():
            await connection.execute(f"create temporary table {table} ({columns}) on commit drop")
            await connection.copy_records_to_table(table, records=rows[table])
            await connection.execute(f"analyze {table}")


async def merge(zone_id: UUID, *, until: date, ending: bool) -> Merged:
    """Bring in what is staged; with `ending`, end what the roster no longer has (appointments on the day `until`)."""
    units = await database.fetch(MERGE_UNITS + COUNTED, zone_id)
    await database.execute(LINK_UNITS, [zone_id])
    await database.execute(RELEASE_PHONES, [zone_id])
    people = await database.fetch(MERGE_PEOPLE + COUNTED, zone_id)
    await database.execute(MERGE_POSTS, [zone_id])
    await database.execute(HOLD, [zone_id])
    await database.execute("analyze roster_held, unit, person, post")  # else a first import is planned for empty tables
    appointments = await database.fetch(MERGE_APPOINTMENTS + COUNTED, zone_id)
    roles = await database.fetch(MERGE_ROLES + COUNTED, zone_id)
    gone_units = await database.fetch(END_UNITS, zone_id) if ending else []
    gone_appointments = await database.fetch(END_APPOINTMENTS, zone_id, until) if ending else []
    gone_roles = await database.fetch(END_ROLES, zone_id) if ending else []
    changes = {
        "单位": SheetChanges.of(units, gone_units),
        "人员": SheetChanges.of(people),
        "任职": SheetChanges.of(appointments, gone_appointments),
        "角色": SheetChanges.of(roles, gone_roles),
    }
    return Merged(changes, gone_units, gone_appointments, gone_roles)


async def united_powers(zone_id: UUID) -> list[str]:
    """Staff numbers of people who hold two of the separated roles; there must be none."""
    return [row["staff_no"] for row in await database.fetch(UNITED_POWERS, zone_id)]
