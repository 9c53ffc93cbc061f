"""Waking the relay after a write, so that promises are kept at once rather than at the next sweep."""

import asyncio
from contextlib import suppress
from contextvars import Context

import structlog
from arq import ArqRedis
from redis.exceptions import RedisError

PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 0.5
log = structlog.get_logger("api.waking")


class Waker:
    """Asks for one `wake` job however many writes come together; never delays or fails a request."""

    def __init__(self, queue: ArqRedis) -> None:
        self._queue = queue
        self._asked = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Something was promised."""
        self._asked = True
        if self._task is None or self._task.done():
            # An empty context: what the request's task carries (its id, a transaction) must not live on here.
            self._task = asyncio.get_running_loop().create_task(self._run(), context=Context())

    async def _run(self) -> None:
        while self._asked:
            self._asked = False
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._queue.enqueue_job("wake", _job_id="wake")
            except (RedisError, OSError, TimeoutError) as fault:
                log.warning("wake.missed", error=type(fault).__name__)
            await asyncio.sleep(PAUSE_SECONDS)

    async def close(self) -> None:
        """Stop waking; a sweep finds what was promised last."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
