"""Channels to people's phones, from the command line."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.connecting import connected
from deploy.commands.organization import ZoneCode, operator, zone_id_of
from models import deliveries
from models.base import clock
from models.deliveries import Channel, Pause

app = typer.Typer(no_args_is_help=True)
console = Console()
ChannelName = Annotated[Channel, typer.Argument(help="subscribe, template, wecom or sms.")]


@app.command("pause")
def pause(
    zone: ZoneCode, channel: ChannelName, reason: Annotated[str, typer.Argument(help="Why; the console shows it.")]
) -> None:
    """Send nothing more over a channel: messages take the next one that is open, or wait."""
    asyncio.run(_pause(zone, channel, reason))
    console.print(f"{channel.value} is paused.")


@app.command("resume")
def resume(zone: ZoneCode, channel: ChannelName) -> None:
    """Send over a channel again; what waited for it leaves, one message a person."""
    asyncio.run(_resume(zone, channel))
    console.print(f"{channel.value} is in use again.")


@app.command("paused")
def paused(zone: ZoneCode) -> None:
    """The channels that are paused, and why."""
    table = Table("channel", "since", "by", "reason")
    for held in asyncio.run(_paused(zone)):
        table.add_row(held.channel.value, f"{clock.local(held.paused_at):%Y-%m-%d %H:%M}", held.paused_by, held.reason)
    console.print(table)


async def _pause(zone: str, channel: Channel, reason: str) -> None:
    async with connected():
        await deliveries.pause(channel, reason, by=operator(await zone_id_of(zone)))


async def _resume(zone: str, channel: Channel) -> None:
    async with connected():
        await deliveries.resume(channel, by=operator(await zone_id_of(zone)))


async def _paused(zone: str) -> list[Pause]:
    async with connected():
        return list(await deliveries.pauses(by=operator(await zone_id_of(zone))))
