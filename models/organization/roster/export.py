"""The roster written back in the form it is read in: imported again, it changes nothing."""

import asyncio
import io
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from models.base import clock, database
from models.base.scope import Role, Scope
from models.organization.roster import words

UNITS = """
select u.code, u.name, u.kind, parent.code as parent from unit u left join unit parent on parent.id = u.parent_id
where u.zone_id = $1 and u.active order by u.path"""
PEOPLE = "select staff_no, name, phone, wecom from person where zone_id = $1 and active order by staff_no"
APPOINTMENTS = """
select p.staff_no, u.code, post.title, post.rank, a.from_on, a.until_on, a.acting
from appointment a join person p on p.id = a.person_id
join post on post.id = a.post_id join unit u on u.id = post.unit_id
where a.zone_id = $1 and p.active and u.active and coalesce(a.until_on, $2) >= $2
order by p.staff_no, a.from_on, u.code"""
ROLES = """
select p.staff_no, g.role, u.code
from role_grant g join person p on p.id = g.person_id join unit u on u.id = g.unit_id
where g.zone_id = $1 and p.active and u.active order by p.staff_no, g.role, u.code"""


async def export_roster(*, by: Scope) -> bytes:
    """The zone's roster as it stands today, as `.xlsx`. Raises Forbidden."""
    by.require(Role.ADMIN)
    tables = await _tables(by.zone_id)
    return await asyncio.to_thread(_written, tables)


async def _tables(zone_id: UUID) -> list[tuple[words.SheetForm, list[list[Any]]]]:
    units = await database.fetch(UNITS, zone_id)
    people = await database.fetch(PEOPLE, zone_id)
    appointments = await database.fetch(APPOINTMENTS, zone_id, clock.today())
    roles = await database.fetch(ROLES, zone_id)
    return [
        (words.UNITS, [[u["code"], u["name"], words.KIND_WORDS[u["kind"]], u["parent"]] for u in units]),
        (words.PEOPLE, [list(person.values()) for person in people]),
        (words.APPOINTMENTS, [_appointment(row) for row in appointments]),
        (words.ROLES, [[r["staff_no"], words.WORDS_OF_ROLES[r["role"]], r["code"]] for r in roles]),
    ]


def _appointment(row: dict[str, Any]) -> list[Any]:
    days = [day.isoformat() if day else None for day in (row["from_on"], row["until_on"])]
    rank, acting = words.RANK_WORDS[row["rank"]], "是" if row["acting"] else "否"
    return [row["staff_no"], row["code"], row["title"], rank, *days, acting]


def _written(tables: Iterable[tuple[words.SheetForm, list[list[Any]]]]) -> bytes:
    """Rows go to the disk as they are written, so that memory does not grow with the zone."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as workbook:
        for form, rows in tables:
            sheet = workbook.add_worksheet(form.name)
            for number, row in enumerate([[*form.columns, *form.optional], *rows]):
                _write(sheet, number, row)
    return file.getvalue()


def _write(sheet: Worksheet, number: int, row: Sequence[Any]) -> None:
    for column, value in enumerate(row):
        if value:
            sheet.write_string(number, column, value)  # always text: "=…" stays a name, "001" keeps its zeros
