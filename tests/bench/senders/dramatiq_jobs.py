"""dramatiq, one job a message, by its own command: two processes on this machine's two cores, as it would be run.

`python -m tests.bench.senders.dramatiq_jobs` enqueues, then becomes `dramatiq`, which goes on until it is ended.
"""

import os
import sys

import dramatiq
import orjson
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO

from tests.bench.senders import Order, ordered
from tests.bench.senders.sending import Sender

KEPT = "BENCH_ORDER"
PROCESSES, THREADS = 2, 64
order = Order(**orjson.loads(os.environ[KEPT])) if KEPT in os.environ else ordered()
broker = RedisBroker(url=order.redis_url)
broker.add_middleware(AsyncIO())
dramatiq.set_broker(broker)
_sender: Sender | None = None


@dramatiq.actor(max_retries=0)
async def send(openid: str) -> None:
    """The job."""
    global _sender  # noqa: PLW0603 — made in the loop of each process, at its first job
    if _sender is None:
        _sender = Sender(order)
        await _sender.open()
    await _sender.send(openid)


def main() -> None:
    """Enqueue all, then hand over to dramatiq's own command."""
    for openid in order.openids():
        send.send(openid)
    told = {**os.environ, KEPT: orjson.dumps(vars(order)).decode()}
    command = ("dramatiq", __spec__.name, "--processes", str(PROCESSES), "--threads", str(THREADS))
    os.execvpe(sys.executable, (sys.executable, "-m", *command), told)


if __name__ == "__main__":
    main()
