"""The whole job played without a person."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from deploy import local

console = Console()


def story(short: Annotated[bool, typer.Option(help="A corner of the zone instead of all of it.")] = False) -> None:
    """Play the main job to its end on fresh data; the exit status says whether it held."""
    from deploy.story import Broken, play  # noqa: PLC0415 — only this command needs all of it

    folder = local.data_directory() / "story"
    try:
        asyncio.run(play(console, folder, short=short))
    except Broken as broken:
        console.print(f"[red]✗ {broken.chapter}[/red]: {broken.what}", soft_wrap=True)
        console.print(f"  expected: {escape(str(broken.expected))}", soft_wrap=True)
        console.print(f"  seen: {escape(str(broken.seen))}", soft_wrap=True)
        console.print(f"  logs: {folder / 'log'}", soft_wrap=True)
        raise typer.Exit(1) from None
    except asyncio.CancelledError:
        console.print("Interrupted.")
        raise typer.Exit(130) from None
