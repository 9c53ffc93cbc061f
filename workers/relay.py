"""The relay: takes due promises from the outbox and has each kept by the handler of its job.

Woken by the arq job `wake` (after a write) and by itself every second, so that Redis may be gone at any time. A handler
runs outside any transaction, at least once, and does nothing where the promise is no longer true. Beside it run the
sweeps: rounds that every worker makes by itself; they lock with SKIP LOCKED, so any number of workers may.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import structlog

from models.base import logs, outbox
from models.base.outbox import Promise
from models.base.settings import Settings
from workers import metrics
from workers.likenesses import Looks
from workers.refusals import Refusals

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from gateways.sms import Sms
    from gateways.store import Store
    from gateways.wechat import WeChat
    from gateways.wecom import WeCom

log = structlog.get_logger()

AT_ONCE = 32
SWEEP_SECONDS = 1.0
HANDLER_SECONDS = 45  # shorter than a promise's lease: nobody else starts while the handler still runs
GRACE_SECONDS = 10


@dataclass(frozen=True)
class Context:
    """What handlers and sweeps may use; composed once a process in `workers.main`. `stopping` asks for an end.

    `wecom` and `sms` are None where the installation has not configured them.
    """

    settings: Settings
    redis: "Redis"
    wechat: "WeChat"
    store: "Store"
    wecom: "WeCom | None" = None
    sms: "Sms | None" = None
    refusals: Refusals = field(default_factory=Refusals)
    looks: Looks = field(default_factory=Looks)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


Value = TypeVar("Value")
Handler = Callable[[Context, UUID, dict[str, str]], Awaitable[None]]
Sweep = Callable[[Context], Awaitable[None]]

HANDLERS: dict[str, Handler] = {}
SWEEPS: list[tuple[float, Sweep]] = []


def handles(job: str) -> Callable[[Handler], Handler]:
    """The one handler of a declared job: `async (context, zone_id, payload) -> None`. Raises KeyError, ValueError."""
    if job not in outbox.JOBS:
        raise KeyError(f"job {job!r} is not declared")

    def register(handler: Handler) -> Handler:
        if job in HANDLERS:
            raise ValueError(f"job {job!r} has a handler already")
        HANDLERS[job] = handler
        return handler

    return register


def every(*, seconds: float) -> Callable[[Sweep], Sweep]:
    """A round made every so many `seconds` by every worker; it must bear others making it at the same time."""

    def register(sweep: Sweep) -> Sweep:
        SWEEPS.append((seconds, sweep))
        return sweep

    return register


class Relay:
    """Keeps promises, up to `at_once` side by side; a slow one holds up only its own place."""

    def __init__(self, context: Context, *, at_once: int = AT_ONCE) -> None:
        self._context, self._at_once = context, at_once
        self._woken, self._stopping = asyncio.Event(), context.stopping
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Something may be due."""
        self._woken.set()

    def stop(self) -> None:
        """Take nothing more; `run` and `sweep` return when what they have begun is done."""
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        """Keep promises until stopped; what is not done `GRACE_SECONDS` later is left to its lease."""
        while not self._stopping.is_set():
            self._woken.clear()
            if not await self._start_due():
                await self._rest()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()

    async def drain(self) -> int:
        """Keep all that is due, and what becomes due by it; how many were tried. For tests and the command line."""
        tried = 0
        while not self._stopping.is_set() and (started := await self._start_due()):
            tried += started
            await asyncio.gather(*self._running)
        return tried

    async def sweep(self) -> None:
        """Make every sweep's rounds until stopped."""
        await asyncio.gather(*(self._rounds(seconds, sweep) for seconds, sweep in SWEEPS))

    async def _start_due(self) -> int:
        free = self._at_once - len(self._running)
        due = await attempt("outbox.claim", outbox.claim(free)) if free else None
        for promise in due or ():
            task = asyncio.create_task(self._keep(promise))
            self._running.add(task)
            task.add_done_callback(self._done)
        return len(due or ())

    def _done(self, task: asyncio.Task[None]) -> None:
        full = len(self._running) == self._at_once
        self._running.discard(task)
        if full:
            self._woken.set()

    async def _rest(self) -> None:
        await wait(self._woken, SWEEP_SECONDS)

    async def _keep(self, promise: Promise) -> None:
        logs.JOB_ID.set(str(promise.id))  # the task's own: nothing to put back
        with metrics.timed(promise.job):
            error = await self._answer(promise)
        settle = outbox.keep(promise) if error is None else outbox.retry(promise, error)
        await attempt("outbox.settle", settle)

    async def _answer(self, promise: Promise) -> str | None:
        """None, or what went wrong."""
        handler = HANDLERS.get(promise.job)
        if handler is None:
            return "no handler for this job"
        try:
            async with asyncio.timeout(HANDLER_SECONDS):
                await handler(self._context, promise.zone_id, promise.payload)
        except Exception as failure:
            metrics.failures.labels(promise.job).inc()
            log.exception("job_failed", job=promise.job, attempts=promise.attempts)
            return type(failure).__name__
        return None

    async def _rounds(self, seconds: float, sweep: Sweep) -> None:
        name = f"{sweep.__module__.rpartition('.')[2]}.{sweep.__name__}"
        while not self._stopping.is_set():
            begun = monotonic()
            with metrics.timed(name):
                await attempt(name, sweep(self._context))
            await wait(self._stopping, max(0.0, seconds - (monotonic() - begun)))


async def attempt(name: str, work: Awaitable[Value]) -> Value | None:
    """`work`'s value, or None where it failed: the loop must outlive a database or Redis that is away for a while."""
    try:
        return await work
    except Exception:
        metrics.failures.labels(name).inc()
        log.exception("round_failed", round=name)
        return None


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Whether `event` was set within so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
