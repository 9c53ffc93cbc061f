"""The arena: PostgreSQL, Valkey, the mock platform, the API and workers as real processes, to be killed and paused.

It outlives many schedules; each of them has a zone of its own in it.
"""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import aiohttp
import asyncpg
from redis.asyncio import Redis

from deploy import local, migrations
from deploy.local.account import Account
from deploy.local.layout import Layout
from deploy.local.processes import is_alive, pid_of, spawn, terminate
from deploy.local.supervisor import Child
from deploy.stack import ANY_PORTS, Stack, prepare
from miniprogram_mock.phones.wire import Wire
from models.base import clock, database

CHECKOUT = Path(__file__).parents[2]
WORKERS = ("worker1", "worker2")
SPARE = "worker3"
HOLDER = "faults"
"""How the sessions that hold locks are called at the server."""
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.03
Seen = TypeVar("Seen")


class Stuck(AssertionError):
    """What a schedule waits for does not come about."""


async def until(what: str, read: Callable[[], Awaitable[Seen]], seconds: float = PATIENCE_SECONDS) -> Seen:
    """What `read` answers as soon as it is true. Raises Stuck."""
    deadline = monotonic() + seconds
    while not (seen := await read()):
        if monotonic() > deadline:
            raise Stuck(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(POLL_SECONDS)
    return seen


@dataclass
class Arena:
    """The running stack. Processes are called `wechat`, `api`, `worker1`, `worker2` and, if needed, `worker3`."""

    stack: Stack
    session: aiohttp.ClientSession
    platform: Wire
    api: Wire
    children: dict[str, Child]
    paused: set[str]

    @property
    def layout(self) -> Layout:
        """Where locks and logs are."""
        return Layout(self.stack.data_dir)

    # Processes.

    def start(self, *names: str) -> None:
        """Start these processes where they do not run; ready only later."""
        for name in names:
            if not is_alive(self.layout.lock(name)):
                child, lock, log = self.children[name], self.layout.lock(name), self.layout.log(name)
                spawn(child.argv, lock=lock, log=log, account=Account(None), env=os.environ | child.env, cwd=CHECKOUT)

    def kill(self, *names: str) -> None:
        """SIGKILL, as a power cut; returns when they are gone."""
        for name in names:
            terminate(self.layout.lock(name), signals=((signal.SIGKILL, 10.0),))
            self.paused.discard(name)

    async def pause(self, *names: str) -> None:
        """SIGSTOP, between two transactions: a process that holds locks for ever is a fault of its own kind."""
        for name in names:
            while True:
                self._signal(name, signal.SIGSTOP)
                if not await self._left_open():
                    break
                self._signal(name, signal.SIGCONT)
                await asyncio.sleep(POLL_SECONDS)
            self.paused.add(name)

    def resume(self, *names: str) -> None:
        """Let the paused ones go on."""
        for name in self.paused.intersection(names):
            self._signal(name, signal.SIGCONT)
            self.paused.discard(name)

    async def up(self) -> None:
        """Everything runs and is ready; the spare worker is gone."""
        self.resume(*self.paused)
        self.kill(SPARE)
        await self.ready("wechat", "api", *WORKERS)

    async def ready(self, *names: str) -> None:
        """These run and answer. Raises Stuck."""
        self.start(*names)
        for name in names:
            await until(f"{name} is ready", self.children[name].is_ready, 120)

    def _signal(self, name: str, number: signal.Signals) -> None:
        pid = pid_of(self.layout.lock(name))
        if pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, number)

    async def _left_open(self) -> bool:
        """Whether a transaction stays open without doing anything, as that of a paused process does."""
        for _ in range(3):
            rows = await database.fetch(
                "select from pg_stat_activity where state = 'idle in transaction' and application_name <> $1", HOLDER
            )
            if not rows:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def rounds(self, name: str, sweep: str) -> float:
        """How many rounds of a sweep a worker has made, by its own metrics."""
        async with self.session.get(str(self.children[name].ready)) as response:
            lines = (await response.text()).splitlines()
        counted = f'zhuoluo_job_seconds_count{{job="{sweep}"}} '
        return next((float(line.removeprefix(counted)) for line in lines if line.startswith(counted)), 0.0)

    # Services.

    async def end_service(self, name: str, number: signal.Signals) -> None:
        """Send `postgres` or `valkey` a signal and wait for its end."""
        await asyncio.to_thread(terminate, self.layout.lock(name), signals=((number, 20.0), (signal.SIGKILL, 5.0)))

    async def start_services(self) -> None:
        """Start what does not run of PostgreSQL and Valkey, and wait for it."""
        await asyncio.to_thread(local.start, self.stack.data_dir)

    @asynccontextmanager
    async def postgres_paused(self) -> AsyncIterator[None]:
        """No process of the server gets any time, as when its disk or machine hangs."""
        pids = [row["pid"] for row in await database.fetch("select pid from pg_stat_activity")]
        pids.append(pid_of(self.layout.lock("postgres")) or 0)
        _each(pids, signal.SIGSTOP)
        try:
            yield
        finally:
            _each(pids, signal.SIGCONT)

    @asynccontextmanager
    async def redis(self) -> AsyncIterator[Redis]:
        """A connection to Valkey."""
        client = Redis.from_url(self.stack.services.redis_url)
        try:
            yield client
        finally:
            await client.aclose()

    # Locks.

    @asynccontextmanager
    async def held(self, *statements: str, zone: Any = None) -> AsyncIterator[None]:
        """Keep what these lock until the block ends: whoever comes there waits. `$1` stands for `zone`."""
        connection = await asyncpg.connect(
            self.stack.services.database_url, server_settings={"application_name": HOLDER}
        )
        try:
            await connection.execute("begin")
            for statement in statements:
                await connection.execute(statement, *([zone] if "$1" in statement else []))
            yield
        finally:
            with suppress(asyncpg.PostgresError, OSError):
                await connection.close()

    async def end_session(self, pid: int) -> None:
        """End one of the server's processes and its transaction."""
        await database.fetch("select pg_terminate_backend($1)", pid)

    async def blocked(self, doing: str = "", *, by: int | None = None) -> list[int]:
        """As `waiting`, once there is one. Raises Stuck."""
        return await until(f"somebody waits for a lock {doing}", lambda: self.waiting(doing, by=by))

    async def waiting(self, doing: str = "", *, by: int | None = None) -> list[int]:
        """The server's processes that wait for a lock; `doing`: part of their statement, `by`: who blocks them."""
        rows = await database.fetch(
            "select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            " and query ilike '%' || $1 || '%' and ($2::int is null or $2 = any(pg_blocking_pids(pid)))",
            doing,
            by,
        )
        return [row["pid"] for row in rows]

    # Time and the platform.

    async def move(self, seconds: float) -> None:
        """Make it that much later (or earlier) for the product and for the platform."""
        clock.move(timedelta(seconds=seconds))
        await self.control("POST", "clock", offset_seconds=clock.offset().total_seconds())

    async def control(self, method: str, what: str, **content: Any) -> Any:
        """The platform's control side."""
        if method == "GET":
            return await self.platform.ask("GET", f"/_control/{what}", params=content)
        return await self.platform.ask(method, f"/_control/{what}", json=content or None)

    async def fault(self, path: str, kind: str, **options: Any) -> None:
        """Order a fault of the platform."""
        await self.control("POST", "faults", path=path, kind=kind, **options)

    async def heal(self) -> None:
        """No more faults of the platform."""
        await self.control("DELETE", "faults")

    async def calls(self, path: str) -> int:
        """How often the platform was called there, of all time."""
        return int((await self.control("GET", "stats"))["calls"].get(path, 0))

    async def sent(self, after: int = 0) -> list[dict[str, Any]]:
        """Messages that the platform took since number `after`, oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self.control("GET", "sent", after=after, limit=1000)
            found += page["items"]
            if not page["next"]:
                return found
            after = page["next"]

    async def last(self) -> int:
        """The number of the last message that the platform took."""
        return int((await self.control("GET", "sent", limit=1))["total"])


def _each(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in filter(None, pids):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Arena]:
    """An arena under `folder`, everything ready, with this process connected to its database; all is ended after.

    What an earlier one left there is removed. The disk's safety is on: a killed server must not forget.
    """
    await asyncio.to_thread(_clear, folder)
    async with AsyncExitStack() as ending:
        services = ending.enter_context(await asyncio.to_thread(local.start, folder))
        stack = prepare(services, preferred=ANY_PORTS)
        await migrations.upgrade(services.database_url)
        await database.disconnect()
        clock.allow_moving(folder / "clock")
        ending.callback(clock.allow_moving, None)
        session = await ending.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
        wires = Wire(session, stack.wechat_url), Wire(session, stack.api_url)
        arena = Arena(stack, session, *wires, {child.name: child for child in _children(stack)}, set())
        ending.callback(arena.kill, *arena.children)
        await database.connect(services.database_url)
        ending.push_async_callback(database.disconnect)
        await arena.up()
        yield arena


def _clear(folder: Path) -> None:
    if folder.exists():
        for name in ("wechat", "api", *WORKERS, SPARE):
            terminate(Layout(folder).lock(name), signals=((signal.SIGKILL, 10.0),))
        local.stop(folder)
        shutil.rmtree(folder)


def _children(stack: Stack) -> list[Child]:
    """The stack's own, with as many workers as there may be; the platform repeats a push sooner than in life."""
    wechat, api, worker = stack.children()
    wechat = replace(wechat, env={**wechat.env, "WECHAT_MOCK_PUSH_RETRY_MS": "300"})
    return [wechat, api, *(_worker(worker, name) for name in (*WORKERS, SPARE))]


def _worker(worker: Child, name: str) -> Child:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**worker.env, "ZHUOLUO_METRICS_PORT": str(port)}
    return replace(worker, name=name, env=environment, ready=f"http://127.0.0.1:{port}/metrics")
