"""Taking a roster in: staged by COPY, merged in one transaction by a few statements; a dry run is rolled back."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta

from models.base import audit, clock, database
from models.base.database import in_transaction
from models.base.errors import Conflict
from models.base.scope import Role, Scope
from models.base.spreadsheets import CellFault
from models.organization.roster import merging, proposals
from models.organization.roster.merging import Merged, SheetChanges
from models.organization.roster.rows import Roster, read_roster
from models.organization.tables import Unit


@dataclass(frozen=True)
class RosterImport:
    """What an import did, or in a dry run would do; `changes` by sheet.

    `proposed` counts the people absent from the file, who wait for an admin's decision; `left_out` the bad rows.
    """

    sha256: str
    stored: bool
    changes: dict[str, SheetChanges]
    proposed: int
    left_out: int
    faults: tuple[CellFault, ...]


class _RolledBack(Exception):
    """Ends a dry run's transaction."""


async def import_roster(data: bytes, *, by: Scope, dry_run: bool = False, take_good_rows: bool = False) -> RosterImport:
    """Make the zone what the roster in `data` (.xlsx) says; the same file again changes nothing.

    Any bad row refuses the whole file, unless `take_good_rows`: then good people, appointments and roles are taken, and
    nobody and nothing is ended, for a bad row may be what names them. Faults among the units always refuse: the tree
    must be whole. Raises Forbidden, Conflict, Invalid with every fault, TooLarge.
    """
    by.require(Role.ADMIN, path=await _root_path(by))
    roster = await asyncio.to_thread(read_roster, data)
    if not (take_good_rows and roster.units):
        roster.faults.refuse("名册有误，没有导入，原有数据没有变化。请按所列各处更正后再导入。")
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        async with in_transaction():
            merged, proposed = await _take(roster, by, sha256)
            if dry_run:
                raise _RolledBack
    except _RolledBack:
        pass
    return RosterImport(
        sha256=sha256,
        stored=not dry_run,
        changes=merged.changes,
        proposed=proposed,
        left_out=len(roster.faults.bad_rows),
        faults=tuple(roster.faults),
    )


async def _root_path(by: Scope) -> str | None:
    """Only an admin of the whole zone may replace its roster; before the first import there is no unit yet."""
    root = await Unit.filter(zone_id=by.zone_id, parent_id__isnull=True, active=True).order_by("path").first()
    return root.path if root else None


async def _take(roster: Roster, by: Scope, sha256: str) -> tuple[Merged, int]:
    await database.fetch("select id from zone where id = $1 for update", by.zone_id)  # one import after the other
    await merging.stage(roster)
    whole = not roster.faults
    merged = await merging.merge(by.zone_id, until=clock.today() - timedelta(days=1), ending=whole)
    if united := await merging.united_powers(by.zone_id):
        raise Conflict(
            "conflicting_roles",
            f"导入后以下人员会兼任管理员、安全管理员、审计员中的两项，没有导入：{'、'.join(united)}。",
        )
    proposed = await proposals.propose(by, absent=whole)
    await _record(merged, by, sha256=sha256, proposed=proposed, left_out=len(roster.faults.bad_rows))
    return merged, proposed


async def _record(merged: Merged, by: Scope, **facts: str | int) -> None:
    """One row for the import, and one for each unit and person of whom something ended."""
    sheets = ("units", "people", "appointments", "roles")
    counts = {
        sheet: {name: count for name, count in asdict(changes).items() if isinstance(count, int)}
        for sheet, changes in zip(sheets, merged.changes.values(), strict=True)
    }
    await audit.record(by, "roster.imported", ("zone", by.zone_id), **counts, **facts)
    for unit in merged.units:
        await audit.record(by, "unit.ended", ("unit", unit["id"]))
    for person, number in Counter(row["id"] for row in merged.appointments).items():
        await audit.record(by, "appointment.ended", ("person", person), appointments=number)
    for row in merged.roles:
        await audit.record(by, "role.ended", ("person", row["id"]), role=row["ended"])
