"""Keeps the product's own processes running: the API, the workers and, in a demo, the mock of WeChat.

Each runs in a session of its own, because Sanic ends by killing its whole process group. Those that a killed
supervisor has left behind are ended by the next one.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import structlog

from deploy.local.layout import Layout
from deploy.local.processes import (
    POLL_SECONDS,
    ServiceError,
    claimed,
    exclusive,
    log_tail,
    opened_log,
    pid_of,
    record,
    terminate,
)
from deploy.local.services import Services, start

FIRST_BACKOFF_SECONDS = 0.5
LAST_BACKOFF_SECONDS = 30.0
# Who has lived that long is not failing in a loop: the next death starts again at the first backoff.
STEADY_SECONDS = 60.0
SERVICES_CHECK_SECONDS = 2.0
KILL_SECONDS = 5.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Child:
    """A process to be kept running; `env` is added to ours, times are in seconds.

    `ready` is a health URL that answers 2xx, or a condition; without it, being started is being ready.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None
    ready: str | Callable[[], Awaitable[bool]] | None = None
    ready_within: float = 30.0
    stop_within: float = 15.0

    async def is_ready(self) -> bool:
        """Whether the process does its work."""
        if self.ready is None:
            return True
        return await (_answers(self.ready) if isinstance(self.ready, str) else self.ready())


async def supervise(
    children: Sequence[Child],
    data_dir: Path,
    *,
    services: Services | None = None,
    on_ready: Callable[[], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Run `children` until `stop` is set or a signal asks us to leave, then stop them in reverse order.

    They start in order, each after the one before is ready, and write to ``log/<name>.log`` under `data_dir`.
    One that dies is started again, and so are embedded `services`. Raises ServiceError if a child does not
    become ready the first time, or another supervisor is at work on `data_dir`.
    """
    layout = Layout(data_dir)
    layout.create()
    stop = stop or asyncio.Event()
    with exclusive(layout.lock("supervisor"), seconds=0), _leaving_on_signals(stop):
        asked = asyncio.create_task(stop.wait())
        running = asyncio.create_task(_run(children, layout, services, on_ready))
        try:
            await asyncio.wait((asked, running), return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def _run(
    children: Sequence[Child], layout: Layout, services: Services | None, on_ready: Callable[[], None] | None
) -> None:
    async with AsyncExitStack() as stack:
        keepers = [_Keeper(child, layout) for child in children]
        for keeper in keepers:
            stack.push_async_callback(keeper.end)
            await keeper.begin()
        if on_ready is not None:
            on_ready()
        async with asyncio.TaskGroup() as group:
            for keeper in keepers:
                group.create_task(keeper.keep())
            if services is not None and services.embedded:
                group.create_task(_keep(services))


class _Keeper:
    """One child and the process that it currently is."""

    def __init__(self, child: Child, layout: Layout) -> None:
        self.child = child
        self.lock = layout.lock(child.name)
        self.log = layout.log(child.name)
        self.process: asyncio.subprocess.Process | None = None

    async def begin(self) -> None:
        """Start the process and wait until it is ready; raises ServiceError if it does not get there."""
        await asyncio.to_thread(self._end_leftover)
        self.process = await self._spawn()
        deadline = time.monotonic() + self.child.ready_within
        while not await self.child.is_ready():
            if self.process.returncode is not None or time.monotonic() > deadline:
                await self.end()
                raise ServiceError(f"{self.child.name} is not ready; {self.log} ends with:\n{log_tail(self.log)}")
            await asyncio.sleep(POLL_SECONDS * 2)

    async def keep(self) -> None:
        """Start the process again whenever it ends, ever more patiently."""
        backoff = FIRST_BACKOFF_SECONDS
        while self.process is not None:
            since = time.monotonic()
            status = await self.process.wait()
            if time.monotonic() - since > STEADY_SECONDS:
                backoff = FIRST_BACKOFF_SECONDS
            _kill_group(self.process.pid)
            _log.warning("process_ended", name=self.child.name, status=status, again_in_seconds=backoff)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LAST_BACKOFF_SECONDS)
            try:
                await self.begin()
            except ServiceError as failure:
                _log.error("process_not_ready", name=self.child.name, reason=str(failure))

    async def end(self) -> None:
        """Ask the process to leave, and see to it that it does, with all it has started."""
        if self.process is None:
            return
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), self.child.stop_within)
        _kill_group(self.process.pid)
        await self.process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        with claimed(self.lock) as descriptor, opened_log(self.log) as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self.child.argv,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self.child.cwd,
                    env=os.environ | dict(self.child.env),
                    pass_fds=[descriptor],
                    start_new_session=True,
                )
            except OSError as refused:
                raise ServiceError(f"{self.child.argv[0]} could not be executed: {refused}.") from refused
            record(descriptor, process.pid)
            return process

    def _end_leftover(self) -> None:
        pid = pid_of(self.lock)
        if pid is not None:
            terminate(self.lock, signals=((signal.SIGTERM, self.child.stop_within), (signal.SIGKILL, KILL_SECONDS)))
            _kill_group(pid)


async def _keep(services: Services) -> None:
    """Start embedded services again when they have died."""
    while True:
        await asyncio.sleep(SERVICES_CHECK_SECONDS)
        again = asyncio.create_task(asyncio.to_thread(start, services.data_dir, ephemeral=services.ephemeral))
        try:
            # A thread cannot be cancelled: leaving it behind, it might start what is being stopped by then.
            started = (await asyncio.shield(again)).started
            if started:
                _log.warning("services_started_again", names=sorted(started))
        except ServiceError as failure:
            _log.error("services_not_started", reason=str(failure))
        except asyncio.CancelledError:
            await asyncio.wait([again])
            raise


async def _answers(url: str) -> bool:
    try:
        async with aiohttp.request("GET", url, timeout=aiohttp.ClientTimeout(total=2)) as response:
            return response.ok
    except (aiohttp.ClientError, TimeoutError):
        return False


def _kill_group(pid: int) -> None:
    """End what a session's leader has left behind."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


@contextmanager
def _leaving_on_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
