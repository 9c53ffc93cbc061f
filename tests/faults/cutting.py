"""Cutting workers off at a boundary, and how it goes on: the ways in which a process is lost, and what happens then."""

from tests.faults.arena import SPARE, WORKERS, until
from tests.faults.stage import LEASE_LAPSED, Stage

WAYS = ("killed", "killed and its session ended", "paused")


async def cut(stage: Stage) -> str:
    """Both workers, as they are: killed, or only so slow that they lose their leases. The way that was drawn.

    A killed worker's statement that waits for a lock is still carried out, unless its session is ended as well.
    """
    way, arena = stage.chance.choice(WAYS), stage.arena
    if way == "paused":
        await arena.pause(*WORKERS)
    else:
        arena.kill(*WORKERS)
    if way == "killed and its session ended":
        await end_waiting(stage)
    return way


async def end_waiting(stage: Stage) -> None:
    """End the sessions whose statements wait for a lock."""
    for pid in await stage.arena.waiting():
        await stage.arena.end_session(pid)


async def go_on(stage: Stage, way: str, *parts: str) -> None:
    """Something else may happen to these people; then leases lapse and another worker takes over, or the same."""
    for part in parts:
        await twist(stage, part)
    await stage.arena.move(LEASE_LAPSED)
    if way == "paused":
        await stage.arena.ready(SPARE)

        async def looked() -> bool:
            return await stage.arena.rounds(SPARE, "deliveries.recover") > 0

        await until("another worker has looked", looked)
    await stage.arena.up()


async def twist(stage: Stage, part: str) -> None:
    """Between a worker's death and another's taking over: one more obligation, an acknowledgement, or nothing."""
    match stage.chance.choice(("more", "acknowledged", "nothing")):
        case "more":
            await stage.remind(part)
        case "acknowledged":
            for reminder in await stage.open_reminders(part):
                await stage.acknowledge(part, reminder)
                break
