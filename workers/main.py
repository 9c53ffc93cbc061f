"""Composing a worker: the relay and its sweeps, woken through arq, measured on a port of its own.

arq only listens for `wake`. Everything else goes on without it, so Redis may be flushed, restarted or gone.
"""

import asyncio
import importlib
import pkgutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

import structlog
import uvloop
from arq.connections import RedisSettings
from arq.worker import Worker, func
from prometheus_client import start_http_server
from redis.asyncio import Redis
from redis.exceptions import RedisError

import workers
from gateways import store
from gateways.sms import HttpSms
from gateways.wechat import WeChat
from gateways.wecom import WeCom
from models.base import audit, clock, database, garbage, logs, outbox, settings
from models.base.settings import Settings
from workers.draining import catch_up
from workers.relay import HANDLERS, Context, Relay, attempt, wait

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

log = structlog.get_logger()

RECONNECT_SECONDS = 1.0
POLL_SECONDS = 0.1
CATCH_UP_SECONDS = 60
"""A worker that has more to catch up with begins to push meanwhile."""


def register() -> None:
    """Import every module of jobs. Raises LookupError where a declared job has no handler."""
    for module in pkgutil.iter_modules(workers.__path__):
        if module.name != "__main__":
            importlib.import_module(f"workers.{module.name}")
    if missing := outbox.JOBS - HANDLERS.keys():
        raise LookupError(f"jobs without a handler: {', '.join(sorted(missing))}")


@asynccontextmanager
async def composed(configuration: Settings) -> AsyncIterator[Context]:
    """What handlers may use. The database is connected apart from it, before."""
    async with AsyncExitStack() as stack:
        redis: Redis = Redis.from_url(configuration.redis_url.get_secret_value())
        stack.push_async_callback(redis.aclose)
        pace = configuration.messages_per_second
        wechat = WeChat(configuration.wechat, redis, pace)
        wecom = WeCom(configuration.wecom, redis, pace) if configuration.wecom.corpid else None
        sms = HttpSms(configuration.sms, pace) if configuration.sms.url else None
        for gateway in (wechat, wecom, sms):
            if gateway is not None:
                stack.push_async_callback(gateway.close)
        yield Context(configuration, redis, wechat, await store.opened(configuration), wecom, sms)


async def wake(context: dict[str, Any]) -> None:
    """The arq job: something was promised."""
    context["relay"].wake()


class WorkerSettings:
    """arq's configuration of the listener. Nothing is kept and nothing runs long: what must happen is in PostgreSQL."""

    functions = (func(cast("WorkerCoroutine", wake), name="wake", timeout=5, keep_result=0, max_tries=1),)
    keep_result = 0
    job_timeout = 5
    max_jobs = 4
    poll_delay = POLL_SECONDS
    handle_signals = False
    log_results = False


async def listen(context: Context, relay: Relay) -> None:
    """Be woken for as long as Redis is there; when it goes, wait for it to come back."""
    url = context.settings.redis_url.get_secret_value()
    while not context.stopping.is_set():
        kept = {name: value for name, value in vars(WorkerSettings).items() if not name.startswith("_")}
        listener = Worker(redis_settings=RedisSettings.from_dsn(url), ctx={"relay": relay}, **kept)
        try:
            await listener.async_run()
        except (RedisError, OSError, TimeoutError) as gone:
            log.warning("redis_gone", error=type(gone).__name__)
        finally:
            await _let_go(listener)
        await wait(context.stopping, RECONNECT_SECONDS)


async def _let_go(listener: Worker) -> None:
    for task in listener.tasks.values():
        task.cancel()
    with suppress(RedisError, OSError):
        if listener._pool is not None:  # arq's own close() wants a Redis that answers
            await listener._pool.aclose(close_connection_pool=True)


async def run(configuration: Settings) -> None:
    """Work until SIGTERM or SIGINT; then finish what has begun and return."""
    await database.connect(configuration.database_url.get_secret_value(), pool=configuration.database_pool)
    await audit.refuse_lost_place()
    async with composed(configuration) as context:
        relay = Relay(context)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, relay.stop)
        listening = asyncio.create_task(listen(context, relay))
        log.info("worker_started", jobs=len(HANDLERS))
        try:
            await attempt("worker.catch_up", asyncio.wait_for(catch_up(context), CATCH_UP_SECONDS))
            await asyncio.gather(relay.run(), relay.sweep())
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    await database.disconnect()
    log.info("worker_stopped")


def main() -> None:
    """`python -m workers`. Port 0 serves no metrics."""
    configuration = settings.load()
    logs.configure("worker")
    clock.allow_moving(configuration.clock_file)
    register()
    if configuration.metrics_port:
        everywhere = configuration.mode == "production"  # a scraper sits elsewhere; on a desk nobody else does
        start_http_server(configuration.metrics_port, addr="0.0.0.0" if everywhere else "127.0.0.1")  # noqa: S104
    garbage.settle()
    uvloop.run(run(configuration))
