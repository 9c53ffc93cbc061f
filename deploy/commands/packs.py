"""Evidence packs from the command line: making one, and checking one without any database."""

import asyncio
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from deploy.commands.connecting import connected
from deploy.commands.organization import ZoneCode, zone_id_of
from gateways.store import Store, opened
from models import packs
from models.base.database import in_transaction
from models.base.errors import NotFound
from models.base.scope import Grant, Role, Scope
from models.ledger import Campaign, Item
from models.packs import Made, NotSealedYet, PackSubject, Verifying

console = Console()
errors = Console(stderr=True)

SubjectName = Annotated[str, typer.Argument(metavar="ITEM|CAMPAIGN", help="An item's number or a campaign's name.")]
PackFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A pack.")]
SEALING_SECONDS = 1
MOST_TRIES = 10


def pack(
    zone: ZoneCode,
    subject: SubjectName,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write it.")],
) -> None:
    """Write an item's or a campaign's file as a ZIP that anybody can check with `zhuoluo verify`."""
    made = asyncio.run(_pack(zone, subject, output))
    for path in made.lost:
        console.print(f"[red]{escape(path)}[/red]: the store has lost it", soft_wrap=True)
    console.print(f"{output}: {made.size} bytes, manifest {made.manifest_sha256}", soft_wrap=True, markup=False)
    raise typer.Exit(1 if made.lost else 0)


async def _pack(zone: str, subject: str, output: Path) -> Made:
    async with connected() as settings:
        by = Scope(await zone_id_of(zone), "operator", grants=(Grant(Role.OVERSIGHT, ""),))
        store = await opened(settings)
        for _ in range(MOST_TRIES):
            try:
                return await _written(subject, output, store, by)
            except NotSealedYet:  # another transaction is still open
                await asyncio.sleep(SEALING_SECONDS)
        raise NotFound("not_sealed", "操作日志还没有封存完，请确认后台进程在运行，稍后再试。")


async def _written(subject: str, output: Path, store: Store, by: Scope) -> Made:
    from workers import timelines  # noqa: PLC0415 — only this command sets type

    asked = await packs.drawn_up(*await _named(subject, by.zone_id), by=by)
    part = output.with_suffix(output.suffix + ".part")
    with part.open("wb") as out, Progress(console=errors, transient=True) as progress:
        task = progress.add_task(asked.name, total=asked.files_total)

        async def watch(files: int) -> None:
            progress.update(task, completed=files)

        made = Made(asked, store, timelines.draw, watch)
        async for chunk in made.stream():
            out.write(chunk)
    part.replace(output)  # whole or not at all
    async with in_transaction():
        await packs.note(by, asked.id, made)
    return made


async def _named(subject: str, zone_id: UUID) -> tuple[PackSubject, UUID]:
    item = await Item.get_or_none(zone_id=zone_id, number=subject)
    if item is not None:
        return PackSubject.ITEM, item.id
    campaign = await Campaign.get_or_none(zone_id=zone_id, name=subject)
    if campaign is None:
        raise NotFound("subject_not_found", f"没有编号或名称为 {subject} 的事项或台账。")
    return PackSubject.CAMPAIGN, campaign.id


def verify(file: PackFile) -> None:
    """Check a pack, without any database or network; exit status 1 and each mismatch by name where it is not whole."""
    with file.open("rb") as content, Progress(console=errors, transient=True) as progress:
        task = progress.add_task("Checking", total=file.stat().st_size)
        verifying = Verifying(content, lambda size: progress.advance(task, size))
        mismatches = list(verifying.mismatches())
    for mismatch in mismatches:
        console.print(f"[red]{escape(mismatch.name)}[/red]: {escape(mismatch.reason)}", soft_wrap=True)
    if mismatches:
        raise typer.Exit(1)
    manifest = verifying.manifest
    assert manifest is not None  # or that had been said
    console.print(f"{file}: all {len(manifest.files)} files match; {manifest.name}", soft_wrap=True, markup=False)
    console.print(f"manifest {verifying.manifest_sha256}: the log's row pack.made names it", soft_wrap=True)
    console.print(f"chain ends at block {manifest.chain.height}, {manifest.chain.hash}", soft_wrap=True)
