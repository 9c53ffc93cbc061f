"""`python -m tests.faults.player SEED FOLDER`: one arena, which reads numbers of schedules and answers in JSON."""

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path

import orjson

from tests.faults.arena import opened
from tests.faults.playing import play


async def serve(seed: int, folder: Path) -> None:
    """Play what is asked for until the input ends."""
    async with opened(folder) as arena:
        while line := await asyncio.to_thread(sys.stdin.readline):
            played = await play(arena, seed, int(line))
            sys.stdout.buffer.write(orjson.dumps([asdict(one) for one in played]) + b"\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
