"""Many schedules over several arenas, each arena in a process of its own that is given one schedule after the other."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.faults.arena import CHECKOUT
from tests.faults.results import Results

STOP_SECONDS = 60.0
LINE_BYTES = 1024 * 1024
ARENAS = 4
"""Two to a core: a schedule mostly waits for rounds, leases and starting processes."""


class ArenaLost(RuntimeError):
    """The process of an arena ended before its schedule did; its log says why."""


async def run(
    results: Results, numbers: Iterable[int], folder: Path, *, arenas: int = ARENAS
) -> AsyncIterator[tuple[int, list[dict[str, Any]]]]:
    """Play these schedules; each number with what did not hold in it, as they end. Raises ArenaLost."""
    waiting, done = iter(numbers), asyncio.Queue[tuple[int, list[dict[str, Any]]] | BaseException | None]()
    players = [asyncio.create_task(_play(results, waiting, folder / f"arena{place}", done)) for place in range(arenas)]
    try:
        left = arenas
        while left:
            ended = await done.get()
            if isinstance(ended, BaseException):
                raise ended
            if ended is None:
                left -= 1
            else:
                yield ended
    finally:
        for player in players:
            player.cancel()
        await asyncio.gather(*players, return_exceptions=True)


async def _play(results: Results, waiting: Iterator[int], folder: Path, done: asyncio.Queue[Any]) -> None:
    try:
        async with _arena(results.seed, folder) as process:
            for number in waiting:
                played = await _ask(process, number, folder)
                await done.put((number, results.take(number, played)))
        await done.put(None)
    except Exception as failure:  # noqa: BLE001 — not hidden: the run raises it
        await done.put(failure)


async def _ask(process: Process, number: int, folder: Path) -> list[dict[str, Any]]:
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{number}\n".encode())
    line = await process.stdout.readline()
    if not line:
        raise ArenaLost(f"schedule {number} ended its arena; see {folder}.log")
    played: list[dict[str, Any]] = json.loads(line)
    return played


@asynccontextmanager
async def _arena(seed: int, folder: Path) -> AsyncIterator[Process]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHUOLUO_")}
    with folder.with_suffix(".log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.player", str(seed), str(folder)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=log,
            cwd=CHECKOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C is ours: the arena ends in order when its input does
            limit=LINE_BYTES,
        )
    try:
        yield process
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
