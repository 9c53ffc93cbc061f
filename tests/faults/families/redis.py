"""Redis flushed, restarted, away for a minute, with half of its file: it only wakes workers and keeps a token."""

import signal
from pathlib import Path

from tests.faults.arena import WORKERS
from tests.faults.families import fault
from tests.faults.stage import SENDS, Stage

SIGNALS = (signal.SIGTERM, signal.SIGKILL)


@fault
async def flushed(stage: Stage) -> None:
    """Before, while and after messages are under way."""
    await stage.arena.fault(SENDS, "latency", ms=300)
    before = await stage.arena.last()
    async with stage.arena.redis() as redis:
        await stage.owe_some("owner", "colleague")
        await redis.flushall()
        await stage.owe_due("owner", "colleague")
        await stage.until_accepted(before)
        await redis.flushall()
        await _acknowledge_one(stage)
        await redis.flushall()


@fault
async def restarted(stage: Stage) -> None:
    """Ended, nicely or not, in the middle of pushes."""
    await stage.arena.fault(SENDS, "latency", ms=300)
    before = await stage.arena.last()
    await stage.owe_due("owner", "colleague")
    await stage.until_accepted(before)
    await stage.arena.end_service("valkey", stage.chance.choice(SIGNALS))
    await stage.owe_due("owner")
    await stage.arena.start_services()


@fault
async def away_for_a_minute(stage: Stage) -> None:
    """Pushes, promises and acknowledgements go on without it."""
    await stage.phones["owner"].sign_in()
    await stage.arena.end_service("valkey", stage.chance.choice(SIGNALS))
    before = await stage.arena.last()
    await stage.owe_due("owner", "colleague")
    await _acknowledge_one(stage)
    await stage.arena.move(60)
    await stage.owe_due("colleague")
    await stage.until_accepted(before)
    await stage.arena.start_services()


@fault
async def file_cut_off(stage: Stage) -> None:
    """Killed while it wrote: the end of its file is missing."""
    await stage.owe_due("owner", "colleague")
    await stage.until_in("sent")
    await stage.arena.end_service("valkey", signal.SIGKILL)
    for file in _appended(stage.arena.layout.folder("valkey")):
        size = file.stat().st_size
        with file.open("r+b") as handle:
            handle.truncate(stage.chance.randint(0, size))
    await stage.arena.start_services()
    await _acknowledge_one(stage)
    await stage.owe_due("owner", "colleague")


def _appended(folder: Path) -> list[Path]:
    return sorted(folder.glob("appendonlydir/*.incr.aof"))


async def _acknowledge_one(stage: Stage) -> None:
    for reminder in (await stage.open_reminders("owner"))[:1]:
        await stage.acknowledge("owner", reminder)


@fault
async def gone_with_the_workers(stage: Stage) -> None:
    """Workers and Redis are killed together in the middle of pushes, and come back empty."""
    await stage.arena.fault(SENDS, "latency", ms=3000)
    before = await stage.arena.last()
    await stage.owe_due("owner", "colleague")
    await stage.until_accepted(before)
    stage.arena.kill(*WORKERS)
    async with stage.arena.redis() as redis:
        await redis.flushall()
    await stage.arena.heal()
    await stage.arena.move(31)
    await stage.arena.up()
