"""The log of every act, from the command line."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from deploy.commands.connecting import connected
from deploy.commands.organization import zone_id_of
from models.base import audit

app = typer.Typer(no_args_is_help=True)
console = Console()


@app.command()
def export(zone: Annotated[str, typer.Argument(help="The zone's code.")], file: Path) -> None:
    """Write a zone's sealed log to FILE as lines of JSON."""
    count = asyncio.run(_export(zone, file))
    console.print(f"{count} lines written to {file}.")


async def _export(code: str, file: Path) -> int:
    async with connected():
        return await write_export(code, file)


async def write_export(code: str, file: Path) -> int:
    """Write the log of the zone `code` to `file`, over the connection that is open; how many lines it took."""
    zone_id = await zone_id_of(code)
    fresh, count = file.with_suffix(file.suffix + ".part"), 0
    with fresh.open("wb") as out:
        async for line in audit.export_lines(zone_id):
            out.write(line)
            count += 1
    fresh.replace(file)  # whole or not at all
    return count


@app.command()
def verify(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Check an export, without any database; exit status 1 and every mismatch by name where it is not whole."""
    with file.open("rb") as lines, Progress(console=console, transient=True) as progress:
        task = progress.add_task("Checking", total=file.stat().st_size)
        mismatches = list(audit.verify_lines(_watched(lines, progress, task)))
    for mismatch in mismatches:
        console.print(f"[red]line {mismatch.line}[/red]: {mismatch.name}: {mismatch.reason}")
    if mismatches:
        raise typer.Exit(1)
    console.print(f"{file}: every row and every block matches.")


def _watched(lines: Iterator[bytes], progress: Progress, task: TaskID) -> Iterator[bytes]:
    for line in lines:
        progress.advance(task, len(line))
        yield line
