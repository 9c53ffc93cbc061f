"""`python -m tests.bench [--quick] [--only PART …]`: measure, print, save to `.local/bench/results.json`.

The exit status is 0 where every goal is met, 1 where one is missed, 2 where a figure could not be taken.
"""

import asyncio
import secrets
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy import local
from tests.bench import measuring, tokens
from tests.bench.fanout import measure_fanout
from tests.bench.figures import Figures, Goal
from tests.bench.likenesses import measure_reuse
from tests.bench.measuring import Bench
from tests.bench.pictures import measure_deriving
from tests.bench.serving import BenchError, Server, serving
from tests.bench.sweep import measure_sweeps
from tests.bench.uploads import measure_upload_memory, measure_uploads
from tests.bench.zones import BenchZone, lay_schema, load

SERVED = ("inbox", "items", "acknowledge", "flatness")
"""These ask running servers."""
PARTS = (*SERVED, "sealing", "roster", "fanout", "sweep", "derive", "reuse", "upload")


WIDE = 160
"""Columns where nobody sees a terminal's edge."""


@dataclass(frozen=True)
class Size:
    """How much: `messages` of the fan-out, `jobs` of its queues, `seconds` of a run, `open` of the sweeps."""

    people: int
    reminders: int
    roster: int
    messages: int
    jobs: int
    open: tuple[int, ...]
    seconds: float
    rounds: int = 3


FULL = Size(10_000, 1_000_000, 100_000, 100_000, 10_000, (10_000, 100_000, 1_000_000, 10_000_000), 4.0)
QUICK = Size(3_000, 100_000, 20_000, 10_000, 2_000, (10_000, 100_000, 1_000_000), 1.5)


async def run(asked: Namespace, told: measuring.Told, figures: Figures, folder: Path) -> None:
    """Every part that was asked for, on services of the bench's own (on the disk, with its safety)."""
    size, parts = QUICK if asked.quick else FULL, asked.only or PARTS
    with await asyncio.to_thread(local.start, folder) as services:
        told("laying the schema")
        await lay_schema(services)
        wanted = {"people": size.people, "reminders": size.reminders}
        rows = wanted if {*SERVED, "sealing"} & {*parts} else measuring.SMALL
        told(f"loading {rows['reminders']:,} reminders of {rows['people']:,} people")
        bench = Bench(services, await load(services, "bench", **rows), figures, told, size.rounds, size.seconds)
        await measure(bench, parts, folder, size)


async def measure(bench: Bench, parts: Sequence[str], folder: Path, size: Size) -> None:
    """The parts in order."""
    secret = secrets.token_urlsafe(32)
    if {*SERVED} & {*parts}:
        await measure_served(bench, parts, secret, folder)
    if "sealing" in parts:
        await measuring.measure_sealing(bench)
    if "roster" in parts:
        await measuring.measure_roster(bench, size.roster, folder)
    if "fanout" in parts:
        await measure_fanout(bench, size.messages, size.jobs, settings(bench, secret, folder), folder)
    if "sweep" in parts:
        await measure_sweeps(bench, size.open)
    if "derive" in parts:
        await measure_deriving(bench.figures, bench.told, folder, photos=40, rounds=bench.rounds)
    if "upload" in parts:
        await measure_uploading(bench, secret, folder)
    if "reuse" in parts:
        measure_reuse(bench.figures, bench.told, among=1_000_000, searches=500)


async def measure_served(bench: Bench, parts: Sequence[str], secret: str, folder: Path) -> None:
    """What is asked of servers: ours, the limit's and the peer's, all of them running at once."""
    async with AsyncExitStack() as running:
        servers = {
            name: await running.enter_async_context(served(bench, name, bench.zone, secret, folder))
            for name in ("ours", "limit", "peer")
        }
        if "inbox" in parts:
            await measuring.measure_reads(bench, servers, "inbox", "inbox", Goal(of_limit=1, of_peer=4))
        if "items" in parts:
            both = {name: servers[name] for name in ("ours", "peer")}
            await measuring.measure_reads(bench, both, "items", "my items (10)", Goal(of_peer=1.5))
            await measuring.measure_reads(bench, both, "item", "one item", Goal(of_peer=1.5))
        if "acknowledge" in parts:
            await measuring.measure_acknowledging(bench, servers, folder)
        await measuring.measure_memory(bench, servers, "resident memory, one worker")
        if "flatness" in parts:
            await flatness(bench, servers["ours"], secret, folder)


async def measure_uploading(bench: Bench, secret: str, folder: Path) -> None:
    """Ours and the bare server on a small zone; then a server that nothing was asked of."""
    small = await load(bench.services, "bench_uploads", **measuring.SMALL)
    async with (
        served(bench, "ours", small, secret, folder) as ours,
        served(bench, "disk", small, secret, folder) as disk,
    ):
        await measure_uploads(bench, ours, disk, folder)
    async with served(bench, "ours", small, secret, folder) as fresh:
        await measure_upload_memory(bench, fresh, folder)


async def flatness(bench: Bench, large: Server, secret: str, folder: Path) -> None:
    """The API on a small zone beside the one on the large zone."""
    small_zone = await load(bench.services, "bench_small", **measuring.SMALL)
    await bench.zone.reopen()
    async with served(bench, "ours", small_zone, secret, folder, redis=1) as small:
        for ask, number in (("inbox", 0), ("acknowledge", small_zone.reminders - 1)):
            bench.sizes["ours", ask], _ = await small.sample(ask, number)
        await measuring.measure_flatness(bench, small, small_zone, large)


@asynccontextmanager
async def served(
    bench: Bench, name: str, zone: BenchZone, secret: str, folder: Path, *, redis: int = 0
) -> AsyncIterator[Server]:
    """One server on `zone`, as production runs it."""
    signed, log = folder / f"{name}-{zone.people}.tokens", folder / f"{name}-{zone.people}.log"
    tokens.write(signed, zone, secret, product=name == "ours")
    environment = {**settings(bench, secret, folder, redis=redis), "ZHUOLUO_DATABASE_URL": zone.url}
    async with serving(name, environment, signed, log) as server:
        yield server


def settings(bench: Bench, secret: str, folder: Path, *, redis: int = 0) -> dict[str, str]:
    """The product's, but for the database."""
    return {
        "ZHUOLUO_MODE": "production",
        "ZHUOLUO_DATA_DIR": str(folder),
        "ZHUOLUO_REDIS_URL": urlsplit(bench.services.redis_url)._replace(path=f"/{redis}").geturl(),
        "ZHUOLUO_SIGNING_KEY": secret,
    }


def main() -> int:
    """Measure what the command line asks for."""
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller data, shorter rounds: about two minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts only")
    asked, console = parser.parse_args(), Console()
    if not console.is_terminal:
        console.width = WIDE
    folder = local.data_directory() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    figures = Figures(folder / "results.json")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting", total=None)
        try:
            asyncio.run(run(asked, lambda line: progress.update(task, description=line), figures, folder))
        except BenchError as stopped:
            console.print(f"[red]stopped:[/] {stopped}")
            return 2
        except KeyboardInterrupt:
            console.print("interrupted; what was measured is kept")
        finally:
            progress.stop()
            figures.print(console)
            console.print(f"saved to {figures.file}")
    return 1 if figures.missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
