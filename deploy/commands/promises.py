"""Background work, from the command line: what is due done now, done again, or taken out of quarantine."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.connecting import connected
from deploy.commands.organization import ZoneCode, operator, zone_id_of
from models.base import clock, outbox, quarantine
from models.base.outbox import Promise

app = typer.Typer(no_args_is_help=True)
console = Console()
DRAINS_WITH = 10
"""Connections to the database; other commands ask one question over one."""
PromiseId = Annotated[UUID, typer.Argument(help="As `zhuoluo promise quarantined` prints it.")]


@app.command("quarantined")
def quarantined(zone: ZoneCode) -> None:
    """What failed too often, and why; the oldest 50."""
    table = Table("id", "job", "tried", "last error")
    for promise in asyncio.run(_quarantined(zone)):
        table.add_row(str(promise.id), promise.job, str(promise.attempts), promise.last_error or "")
    console.print(table, soft_wrap=True)


@app.command("release")
def release(zone: ZoneCode, promise: PromiseId) -> None:
    """Let it be tried again."""
    asyncio.run(_release(zone, promise))
    console.print("It is due now.")


@app.command("discard")
def discard(zone: ZoneCode, promise: PromiseId, reason: Annotated[str, typer.Argument(help="Kept with it.")]) -> None:
    """Never try it again."""
    asyncio.run(_discard(zone, promise, reason))
    console.print("It is discarded.")


@app.command("replay")
def replay(zone: ZoneCode, since: Annotated[datetime, typer.Argument(help="As a clock in Shanghai shows it.")]) -> None:
    """Make due again what was kept since then: after a restore, or with a mended worker. Nothing is told twice."""
    count = asyncio.run(_replay(zone, since.replace(tzinfo=clock.SHANGHAI)))
    console.print(f"{count} promises are due again.")


def drain() -> None:
    """Do all that is due, send all that is to be sent, and stop. Other workers may run meanwhile."""
    left = asyncio.run(_drain())
    console.print("Nothing is due." if not left else f"{left} promises could not be kept yet; they are tried again.")


async def _quarantined(zone: str) -> list[Promise]:
    async with connected():
        return list(await quarantine.quarantined(by=operator(await zone_id_of(zone))))


async def _release(zone: str, promise: UUID) -> None:
    async with connected():
        await quarantine.release(promise, by=operator(await zone_id_of(zone)))


async def _discard(zone: str, promise: UUID, reason: str) -> None:
    async with connected():
        await quarantine.discard(promise, reason, by=operator(await zone_id_of(zone)))


async def _replay(zone: str, since: datetime) -> int:
    async with connected():
        return await outbox.replay(since, by=operator(await zone_id_of(zone)))


async def _drain() -> int:
    from workers import draining, main  # noqa: PLC0415 — only this command works by itself

    async with connected(pool=DRAINS_WITH) as settings:
        main.register()
        async with main.composed(settings) as context:
            await draining.drain(context)
        return (await outbox.depth()).due
