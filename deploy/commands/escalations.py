"""Trying a policy on an item from the command line: nothing is written, nobody is told."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.connecting import connected
from deploy.commands.organization import ZoneCode, zone_id_of
from models import ledger
from models.base import clock
from models.base.errors import NotFound
from models.base.scope import Grant, Role, Scope
from models.ledger import Foretold, Item

app = typer.Typer(no_args_is_help=True)
console = Console()

ItemNumber = Annotated[str, typer.Argument(help="The item's number, or a draft's id.")]
PolicyCode = Annotated[str | None, typer.Option("--policy", help="A policy's code; without it the item's own.")]


@app.callback()
def several() -> None:
    """Escalation policies."""


@app.command()
def simulate(zone: ZoneCode, item: ItemNumber, policy: PolicyCode = None) -> None:
    """Print who would be told when of ITEM, if nobody acted, with offices held as they are today."""
    table = Table("when", "who", "policy", "step", "level", "condition", "action")
    for one in asyncio.run(_simulate(zone, item, policy)):
        told = one.told
        when = f"{clock.local(told.at):%Y-%m-%d %H:%M}" if told.at else f"at return {told.amount}"
        condition = f"{told.condition.value} {told.amount}"
        table.add_row(when, one.name, told.policy_code, str(told.step), str(told.level), condition, told.action.value)
    console.print(table)


async def _simulate(zone: str, item: str, policy: str | None) -> list[Foretold]:
    async with connected():
        zone_id = await zone_id_of(zone)
        by = Scope(zone_id, "operator", grants=(Grant(Role.OVERSIGHT, ""),))
        return await ledger.simulate(await _item_id(zone_id, item), by=by, policy=policy)


async def _item_id(zone_id: UUID, item: str) -> UUID:
    try:
        return UUID(item)
    except ValueError:
        found = await Item.get_or_none(zone_id=zone_id, number=item)
    if found is None:
        raise NotFound("item_not_found", f"没有编号为 {item} 的事项。")
    return found.id
