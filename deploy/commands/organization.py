"""Zones and their rosters, from the command line: what stands before anybody can sign in."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.connecting import connected
from models import organization
from models.base.errors import Fault, NotFound
from models.base.scope import Grant, Role, Scope
from models.organization import RosterImport, Zone

zones = typer.Typer(no_args_is_help=True)
rosters = typer.Typer(no_args_is_help=True)
console = Console()
SHOWN_FAULTS = 50

ZoneCode = Annotated[str, typer.Argument(help="The zone's code.")]
RosterFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="An .xlsx as docs/formats.md says.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
GoodRows = Annotated[bool, typer.Option("--take-good-rows", help="Leave bad rows out instead of refusing the file.")]


@zones.command("create")
def create(code: ZoneCode, name: Annotated[str, typer.Argument(help="Its name, as people read it.")]) -> None:
    """Make a new zone (tenant) with the holiday notices known so far."""
    zone = asyncio.run(_create(code, name))
    console.print(f"{zone.name} ({zone.code}): {zone.id}")


async def _create(code: str, name: str) -> Zone:
    async with connected():
        return await organization.create_zone(code, name)


@rosters.command("import")
def import_roster(zone: ZoneCode, file: RosterFile, dry_run: DryRun = False, take_good_rows: GoodRows = False) -> None:
    """Make the zone what the workbook FILE says; the same file again changes nothing. Every bad cell is named."""
    imported = asyncio.run(_import(zone, file.read_bytes(), dry_run=dry_run, take_good_rows=take_good_rows))
    console.print(_changes(imported))
    if imported.faults:
        console.print(fault_table(imported.faults))


@rosters.command("export")
def export_roster(zone: ZoneCode, file: Path) -> None:
    """Write the zone's roster to FILE in the form in which it is imported."""
    file.write_bytes(asyncio.run(_export(zone)))
    console.print(f"{file} is written.")


async def _import(code: str, data: bytes, *, dry_run: bool, take_good_rows: bool) -> RosterImport:
    async with connected():
        by = operator(await zone_id_of(code))
        return await organization.import_roster(data, by=by, dry_run=dry_run, take_good_rows=take_good_rows)


async def _export(code: str) -> bytes:
    async with connected():
        return await organization.export_roster(by=operator(await zone_id_of(code)))


async def zone_id_of(code: str) -> UUID:
    """Raises NotFound."""
    zone = await Zone.get_or_none(code=code)
    if zone is None:
        raise NotFound("zone_not_found", f"没有编码为 {code} 的开发区。")
    return zone.id


def operator(zone_id: UUID) -> Scope:
    """Whoever has the database's credentials sets a zone up; the log tells their acts from everybody else's."""
    return Scope(zone_id, "operator", grants=(Grant(Role.ADMIN, ""),))


def _changes(imported: RosterImport) -> Table:
    title = "imported" if imported.stored else "dry run: nothing was stored"
    caption = f"{imported.left_out} rows left out, {imported.proposed} people proposed for unbinding"
    table = Table("sheet", "added", "changed", "ended", title=title, caption=caption)
    for sheet, changes in imported.changes.items():
        table.add_row(sheet, *(str(count) for count in (changes.added, changes.changed, changes.ended)))
    return table


def fault_table(faults: Iterable[Fault]) -> Table:
    """Where each fault stands, its code and its sentence; the first 50."""
    faults = list(faults)
    hidden = len(faults) - SHOWN_FAULTS
    table = Table("place", "code", "reason", caption=f"and {hidden} more" if hidden > 0 else None)
    for fault in faults[:SHOWN_FAULTS]:
        table.add_row(fault.pointer, fault.code, fault.detail)
    return table
