"""`python -m tests.bench.senders.arq_jobs`: one arq job a message, all enqueued before one worker starts."""

from typing import Any

import uvloop
from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker, func

from tests.bench.senders import Order, ordered
from tests.bench.senders.sending import Sender


async def send(context: dict[str, Any], openid: str) -> None:
    """The job."""
    await context["sender"].send(openid)


async def work(order: Order) -> None:
    """Enqueue, then work until nothing is left."""
    settings = RedisSettings.from_dsn(order.redis_url)
    pool = await create_pool(settings)
    for openid in order.openids():
        await pool.enqueue_job("send", openid)
    sender = Sender(order)
    await sender.open()
    worker = Worker(
        functions=[func(send, name="send", keep_result=0, max_tries=1)],
        redis_settings=settings,
        ctx={"sender": sender},
        max_jobs=order.at_once,
        poll_delay=0.01,
        burst=True,
        handle_signals=False,
        log_results=False,
    )
    await worker.async_run()
    await worker.close()
    await sender.close()
    await pool.aclose()


if __name__ == "__main__":
    uvloop.run(work(ordered()))
