"""The limit: nothing but an aiohttp session, kept as full as the product keeps its own.

`python -m tests.bench.senders.bare FIRST COUNT`.
"""

import asyncio
import sys
from collections.abc import Iterator

import uvloop

from tests.bench.senders import AT_ONCE, Sender, openids


async def _lane(sender: Sender, pending: Iterator[str]) -> None:
    for openid in pending:
        await sender.send(openid)


async def main(first: int, count: int) -> None:
    """Send to all of them, `AT_ONCE` at a time."""
    sender, pending = await Sender.open(), iter(openids(first, count))
    async with sender.session:
        await asyncio.gather(*(_lane(sender, pending) for _ in range(AT_ONCE)))


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
