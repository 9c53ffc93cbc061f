"""A peer: one dramatiq message a message, in an asyncio actor over a Redis broker.

`python -m tests.bench.senders.dramatiq_actors put FIRST COUNT` fills the queue, dramatiq's own command line empties it.
"""

import asyncio
import os
import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO

from tests.bench.senders import Sender, openids

broker = RedisBroker(url=os.environ["BENCH_REDIS"])
broker.add_middleware(AsyncIO())
dramatiq.set_broker(broker)


_opening: list[asyncio.Future[Sender]] = []


def _sender() -> asyncio.Future[Sender]:
    if not _opening:
        _opening.append(asyncio.ensure_future(Sender.open()))
    return _opening[0]


@dramatiq.actor(max_retries=0)
async def send(openid: str) -> None:
    """The actor; every one of a process runs in its one loop, and so they share one session."""
    await (await _sender()).send(openid)


if __name__ == "__main__":
    for each in openids(*map(int, sys.argv[2:])):
        send.send(each)
