"""The object store, from the command line: master keys made and turned, every original hashed again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress

from deploy.commands.connecting import connected
from gateways import store
from gateways.store import ENVELOPES, Missing, Store, Unreadable, WrongKeys
from models import evidence, organization
from models.base import clock, settings
from models.evidence import Damage

app = typer.Typer(no_args_is_help=True)
console = Console()
AT_ONCE = 16


@app.command("key")
def key() -> None:
    """Print a new master key for ZHUOLUO_STORE_KEYS: put before the others, it seals, and they still open."""
    print(store.made())


@app.command("rotate")
def rotate() -> None:
    """Wrap every object's key under the first of ZHUOLUO_STORE_KEYS; the objects stay as they are.

    May be interrupted, and goes on where it was. Exit status 1 where an object's key could not be turned.
    """
    failed: dict[str, str] = {}
    with Progress(console=console, transient=True) as progress:
        current, turned = asyncio.run(_rotate(failed, progress))
    for name, reason in failed.items():
        console.print(f"[red]{name}[/red]: {reason}", soft_wrap=True)
    console.print(f"{turned[True]} objects turned, {turned[False]} needed nothing, {len(failed)} failed.")
    if failed:
        raise typer.Exit(1)
    console.print(f"Master key {current} opens everything; in a day, when nothing older is under way, others may go.")


async def _rotate(failed: dict[str, str], progress: Progress) -> tuple[str, Counter[bool]]:
    kept = await store.opened(settings.load())
    if kept.sealed_with is None:
        raise WrongKeys("ZHUOLUO_STORE_KEYS holds no key to turn to")
    task, turned = progress.add_task("Turning keys", total=await _count(kept)), Counter[bool]()
    async for names in _some(kept):
        outcomes = await asyncio.gather(*(kept.rewrap(name) for name in names), return_exceptions=True)
        for name, outcome in zip(names, outcomes, strict=True):
            if isinstance(outcome, Unreadable):
                failed[name] = str(outcome)
            elif isinstance(outcome, BaseException) and not isinstance(outcome, Missing):
                raise outcome
            else:
                turned[outcome is True] += 1
        progress.advance(task, len(names))
    return kept.sealed_with, turned


async def _count(kept: Store) -> int:
    return sum([len(names) async for names in _some(kept)])


async def _some(kept: Store) -> AsyncIterator[list[str]]:
    """All that has a key to turn, a few at a time: not the envelopes, nor uploads that are gone in a day."""
    passed_over = (f"{ENVELOPES}/", f"{evidence.INCOMING}/")
    async for page in kept.pages():
        names = [found.key for found in page if not found.key.startswith(passed_over)]
        for at in range(0, len(names), AT_ONCE):
            yield names[at : at + AT_ONCE]


@app.command("verify")
def verify(
    days: Annotated[int, typer.Option(min=0, help="Leave out what was verified in the last so many days.")] = 0,
) -> None:
    """Hash every original again, and say which are missing, altered or locked.

    After an interruption `--days 1` goes on where it was. Exit status 1 where something is damaged.
    """
    damaged: dict[str, Damage] = {}
    with Progress(console=console, transient=True) as progress:
        count = asyncio.run(_verify(timedelta(days=days), damaged, progress))
    for address, damage in damaged.items():
        console.print(f"[red]{address}[/red]: {damage.value}", soft_wrap=True)
    console.print(f"{count} originals hashed, {len(damaged)} damaged.")
    if damaged:
        raise typer.Exit(1)


async def _verify(leave_out: timedelta, damaged: dict[str, Damage], progress: Progress) -> int:
    from workers.evidence import verify_one  # noqa: PLC0415 — only this command works by itself

    count = 0
    async with connected() as loaded:
        kept, not_since = await store.opened(loaded), clock.now() - leave_out
        task = progress.add_task("Hashing", total=await evidence.count_unverified(not_since))
        for zone_id in await organization.zone_ids():
            async for sha256 in _unverified(zone_id, not_since):
                if damage := await verify_one(kept, zone_id, sha256):
                    damaged[evidence.address(zone_id, sha256)] = damage
                count += 1
                progress.advance(task)
    return count


async def _unverified(zone_id: UUID, not_since: datetime) -> AsyncIterator[str]:
    after: UUID | None = None
    while blobs := await evidence.unverified(zone_id, not_since, after=after):
        for blob in blobs:
            yield blob.sha256
        after = blobs[-1].id
