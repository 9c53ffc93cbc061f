"""A peer: one arq job a message.

`python -m tests.bench.senders.arq_jobs put FIRST COUNT` fills the queue, `… work` empties it.
"""

import asyncio
import os
import sys
from typing import Any

import uvloop
from arq import create_pool, func
from arq.connections import RedisSettings
from arq.worker import Worker

from tests.bench.senders import AT_ONCE, Sender, openids

REDIS = RedisSettings.from_dsn(os.environ["BENCH_REDIS"])


async def send(context: dict[str, Any], openid: str) -> None:
    """The job."""
    await context["sender"].send(openid)


async def _open(context: dict[str, Any]) -> None:
    context["sender"] = await Sender.open()


async def put(first: int, count: int) -> None:
    """One job for each recipient."""
    queue = await create_pool(REDIS)
    pending = openids(first, count)
    for start in range(0, count, AT_ONCE):
        await asyncio.gather(*(queue.enqueue_job("send", openid) for openid in pending[start : start + AT_ONCE]))
    await queue.aclose()


async def work() -> None:
    """One worker, with as many jobs at a time as the product has messages on their way."""
    jobs = [func(send, name="send", keep_result=0, max_tries=1)]
    await Worker(jobs, redis_settings=REDIS, on_startup=_open, max_jobs=AT_ONCE, poll_delay=0.05).async_run()


if __name__ == "__main__":
    uvloop.run(work() if sys.argv[1] == "work" else put(*map(int, sys.argv[2:])))
