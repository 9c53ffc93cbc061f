"""Draws of look-backs from the command line: the record out, on paper, and checked by whoever doubts it."""

import asyncio
from pathlib import Path
from typing import Annotated
from uuid import UUID

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console

from deploy.commands.connecting import connected
from deploy.commands.organization import ZoneCode, zone_id_of
from models import lookbacks
from models.base import audit
from models.base.errors import NotFound
from models.base.scope import Grant, Role, Scope
from models.lookbacks import FAULTS, DrawRecord, LookbackPlan, SeedFrom, verify, verify_seed

app = typer.Typer(no_args_is_help=True)
console = Console()

Plan = Annotated[str, typer.Argument(help="The plan's name or id.")]
Record = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A record as `draw export` wrote it.")]
Log = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="The zone's log as `audit export` wrote it: was the seed its own?"),
]


@app.command()
def export(zone: ZoneCode, plan: Plan, file: Path) -> None:
    """Write the record of PLAN's draw to FILE as JSON."""
    file.write_bytes(asyncio.run(_record(zone, plan)))
    console.print(f"Record written to {file}.")


@app.command("print")
def print_(zone: ZoneCode, plan: Plan, file: Path) -> None:
    """Write the record of PLAN's draw to FILE as a page of HTML to print and sign."""
    file.write_text(asyncio.run(_page(zone, plan)))
    console.print(f"Page written to {file}.")


@app.command("verify")
def verify_(record: Record, log: Log = None) -> None:
    """Draw again from RECORD, without any database; exit status 1 and what does not hold in plain words."""
    try:
        told = DrawRecord.model_validate_json(record.read_bytes())
    except ValidationError as unreadable:
        console.print(f"[red]{record}: not the record of a draw[/red] ({unreadable.error_count()} faults)")
        raise typer.Exit(1) from unreadable
    faults = [FAULTS[fault] for fault in verify(told)]
    if log is not None and not faults:
        faults = _against(log, told)
    for fault in faults:
        console.print(f"[red]{fault}[/red]")
    if faults:
        raise typer.Exit(1)
    console.print(_words(told, log))


def _against(log: Path, record: DrawRecord) -> list[str]:
    with log.open("rb") as lines:
        if any(audit.verify_lines(lines)):
            return ["the log itself is not whole: see `zhuoluo audit verify`"]
    with log.open("rb") as lines:
        return [FAULTS[fault] for fault in verify_seed(record, lines)]


def _words(record: DrawRecord, log: Path | None) -> str:
    drawn = f"{len(record.drawing.assigned)} of {len(record.population)} items, {len(record.inspectors)} inspectors"
    seed = {
        SeedFrom.CALLED: "The seed was called out; whoever called it could know what it draws.",
        SeedFrom.MACHINE: "The seed was the machine's at the moment of the draw.",
        SeedFrom.LOG: "The seed is said to come from the log; add --log to check it.",
    }[record.seed_from]
    if log is not None and record.seed_from is SeedFrom.LOG:
        seed = "The seed is the hash of the block that sealed the inputs: nobody could choose it."
    return f"Drawn again alike: {drawn}. {seed}"


def _by(zone_id: UUID) -> Scope:
    return Scope(zone_id, "operator", grants=(Grant(Role.OVERSIGHT, ""),))


async def _record(zone: str, plan: str) -> bytes:
    async with connected():
        zone_id = await zone_id_of(zone)
        return orjson.dumps((await lookbacks.draw_of(await _plan_id(zone_id, plan), by=_by(zone_id))).record)


async def _page(zone: str, plan: str) -> str:
    async with connected():
        zone_id = await zone_id_of(zone)
        return await lookbacks.printed(await _plan_id(zone_id, plan), by=_by(zone_id))


async def _plan_id(zone_id: UUID, plan: str) -> UUID:
    try:
        return UUID(plan)
    except ValueError:
        found = await LookbackPlan.get_or_none(zone_id=zone_id, name=plan)
    if found is None:
        raise NotFound("plan_not_found", f"没有名为「{plan}」的回头看计划。")
    return found.id
