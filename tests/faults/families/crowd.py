"""Two schedulers and three workers at once, on everything that comes due in one moment."""

import asyncio

from models.reminders import ReminderKind
from tests.faults.arena import SPARE, WORKERS
from tests.faults.families import fault
from tests.faults.landing import land
from tests.faults.stage import PARTS, Owed, Stage


@fault
async def three_workers(stage: Stage) -> None:
    """Steps of many items, promises and pushes come due together; every worker sees all of them."""
    await stage.arena.ready(SPARE)
    items = [await stage.issue("owner") for _ in range(4)]
    await land(stage)
    await stage.arena.pause(*WORKERS, SPARE)
    for part in PARTS:
        await stage.remind(part)
    for reminder in (await stage.open_reminders("leader"))[:1]:
        await stage.acknowledge("leader", reminder)
    await stage.to_step(items[-1], "unacknowledged", stage.chance.choice((1, 2)))
    stage.owed += [Owed(stage.person("owner"), ReminderKind.URGE, item.id) for item in items]
    stage.arena.resume(*WORKERS, SPARE)
    await land(stage)


@fault
async def callers_at_once(stage: Stage) -> None:
    """Many acknowledge and are given something at the same time as workers are at it."""
    for part in PARTS:
        await stage.remind(part)
    await stage.arena.move(3)
    await asyncio.gather(*(_acknowledge_all(stage, part) for part in PARTS), stage.owe_some(*PARTS))
    await stage.arena.move(3)


async def _acknowledge_all(stage: Stage, part: str) -> None:
    for reminder in await stage.open_reminders(part):
        await stage.acknowledge(part, reminder)
