"""The fan-out: everybody is owed a message at once, with consent, budget and outcomes, beside others who only send.

Processes are started before anything is due, so starting counts for nobody: ours is measured from the commit that owes
the messages to the last outcome, the others from the first message at the platform to the last.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import orjson
from redis.asyncio import Redis

from deploy import local
from miniprogram_mock.wechat import process as wechat
from tests.bench.crowd import TEMPLATE, Crowd, gather_crowd
from tests.bench.figures import Figure, Figures, Goal
from tests.bench.senders import Order
from tests.bench.serving import CHECKOUT, BenchError, free_port

APPID, SECRET = "wx5a1e0000000000aa", "bench-mini-secret"
AT_ONCE = 200
"""Of one worker (workers.deliveries.AT_ONCE); the bare loop sends as many at once as the workers beside it."""
LATENCY_MS = 5
PATIENCE_SECONDS = 600.0
ONE_OFFICE = 1_300
STEADY_A_SECOND, STEADY_SECONDS = 1_500, 8
STARTED = "worker_started"
QUEUE_REDIS = "/9"


async def measure_fanout(
    services: local.Services, figures: Figures, told: Callable[[str], None], folder: Path, *, people: int, jobs: int
) -> None:
    """`people` get a message each; queues with a job a message send `jobs` of them (a rate does not need more)."""
    told(f"fan-out: {people:,} phones at the mock platform")
    log = folder / "wechat.log"
    mock = await asyncio.to_thread(wechat.start, log=log, latency_ms=LATENCY_MS, appid=APPID, secret=SECRET)
    with mock:
        crowd = await gather_crowd(services, mock.url, people)
        bench = Fanout(services, crowd, folder, told)
        bare = [await bench.bare(AT_ONCE), await bench.bare(2 * AT_ONCE)]
        arq, dramatiq = await bench.queue("arq_jobs", jobs), await bench.queue("dramatiq_jobs", jobs)
        one, two = await bench.ours(1), await bench.ours(2)
        figures.add(
            Figure("fan-out, one worker (peer: arq, a job a message)", one, "/s", bare[0], arq, Goal(0.6, 8)),
            Figure("fan-out, two workers (peer: dramatiq)", two, "/s", bare[1], dramatiq, Goal(0.9, 5)),
            Figure("fan-out, a worker's peak memory", bench.peak, "MB", goal=Goal(most=150)),
            Figure("fan-out, memory from a tenth to all", bench.growth, "MB", goal=Goal(most=20)),
        )
        figures.add(*await bench.one_office(), *await bench.steady())


class Fanout:
    """The same crowd, told by each in turn."""

    def __init__(self, services: local.Services, crowd: Crowd, folder: Path, told: Callable[[str], None]) -> None:
        self._services, self._crowd, self._folder, self._told = services, crowd, folder, told
        self._redis_url = urlsplit(services.redis_url)._replace(path=QUEUE_REDIS).geturl()
        self.peak = self.growth = 0.0

    async def bare(self, at_once: int) -> float:
        """Messages a second of nothing but a loop."""
        self._told(f"fan-out: a bare loop, {at_once} at once")
        return await self._others("bare", self._crowd.people, at_once)

    async def queue(self, name: str, jobs: int) -> float:
        """Messages a second of a queue with a job a message."""
        self._told(f"fan-out: {name}")
        async with Redis.from_url(self._redis_url) as redis:
            await redis.flushdb()
        return await self._others(name, jobs, AT_ONCE)

    async def ours(self, workers: int) -> float:
        """Messages a second of so many workers."""
        self._told(f"fan-out: ours, {workers} worker(s)")
        await self._crowd.calm()
        async with self._working(workers) as processes:
            await self._crowd.owe(self._crowd.people)
            begun = perf_counter()
            await self._until(lambda: self._told_at_least(self._crowd.people // 10))
            early = max(_memory(process, "VmRSS") for process in processes)
            await self._until(self._all_told)
            seconds = perf_counter() - begun
            self.growth = max(self.growth, max(_memory(process, "VmRSS") for process in processes) - early)
            self.peak = max(self.peak, *(_memory(process, "VmHWM") for process in processes))
        await self._check(self._crowd.people)
        return self._crowd.people / seconds

    async def one_office(self) -> list[Figure]:
        """1,300 people at once, as a zone's circular would reach (GoAlert's published limits imply some 22 minutes)."""
        self._told(f"fan-out: {ONE_OFFICE:,} recipients")
        await self._crowd.calm()
        async with self._working(2):
            await self._crowd.owe(ONE_OFFICE)
            begun = perf_counter()
            await self._until(self._all_told, every=0.01)
            seconds = perf_counter() - begun
        await self._check(ONE_OFFICE)
        return [Figure(f"{ONE_OFFICE:,} recipients, all accepted", seconds, "s", goal=Goal(most=2))]

    async def steady(self) -> list[Figure]:
        """From due to sent, while so many become due every second."""
        self._told(f"fan-out: {STEADY_A_SECOND:,} a second")
        await self._crowd.calm()
        count = min(STEADY_A_SECOND * STEADY_SECONDS, self._crowd.people)
        async with self._working(2):
            begun, owed = perf_counter(), 0
            while owed < count:
                due = min(int((perf_counter() - begun) * STEADY_A_SECOND) + 1, count) - owed
                await self._crowd.owe(due)
                owed += due
                await asyncio.sleep(0.1)
            await self._until(self._all_told)
        await self._check(count)
        p50, p99 = await self._waits()
        name = f"due to sent, {STEADY_A_SECOND:,} a second"
        return [Figure(f"{name}, p50", p50 * 1000, "ms"), Figure(f"{name}, p99", p99 * 1000, "ms")]

    async def _others(self, name: str, count: int, at_once: int) -> float:
        before = await self._crowd.sent()
        file = self._folder / f"{name}.json"
        file.write_bytes(orjson.dumps(self._crowd.openids[:count]))
        order = Order(self._crowd.origin, APPID, SECRET, TEMPLATE, str(file), at_once, self._redis_url)
        with (self._folder / f"{name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"tests.bench.senders.{name}"),
                stdin=PIPE,
                stdout=log,
                stderr=log,
                cwd=CHECKOUT,
                start_new_session=True,
            )
        assert process.stdin
        process.stdin.write(orjson.dumps(vars(order)))
        process.stdin.write_eof()
        try:
            return await self._rate_at_the_platform(before, count)
        finally:
            _end(process)
            await process.wait()

    async def _rate_at_the_platform(self, before: int, count: int) -> float:
        """Of the messages between the first look that sees some and the one that sees all."""

        async def arrived() -> bool:
            return await self._crowd.sent() > before

        async def complete() -> bool:
            return await self._crowd.sent() >= before + count

        await self._until(arrived, every=0.02)
        begun, first = perf_counter(), await self._crowd.sent()
        await self._until(complete, every=0.05)
        return (before + count - first) / (perf_counter() - begun)

    @asynccontextmanager
    async def _working(self, workers: int) -> AsyncIterator[list[Process]]:
        """So many of the product's workers, ready."""
        async with AsyncExitStack() as running:
            yield [await running.enter_async_context(self._worker(number)) for number in range(workers)]

    @asynccontextmanager
    async def _worker(self, number: int) -> AsyncIterator[Process]:
        told = {
            "ZHUOLUO_MODE": "production",
            "ZHUOLUO_DATA_DIR": str(self._folder),
            "ZHUOLUO_DATABASE_URL": self._crowd.url,
            "ZHUOLUO_REDIS_URL": self._services.redis_url,
            "ZHUOLUO_SIGNING_KEY": "b" * 32,
            "ZHUOLUO_METRICS_PORT": str(port := free_port()),
            "ZHUOLUO_WECHAT_ORIGIN": self._crowd.origin,
            "ZHUOLUO_WECHAT_APPID": APPID,
            "ZHUOLUO_WECHAT_SECRET": SECRET,
            "ZHUOLUO_WECHAT_SUBSCRIBE_TEMPLATE": TEMPLATE,
        }
        with (self._folder / f"worker-{number}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "workers"),
                env={**os.environ, **told},
                stdout=DEVNULL,
                stderr=log,
                cwd=CHECKOUT,
                start_new_session=True,
            )
        try:
            await self._until(lambda: _answers(port))
            yield process
        finally:
            process.terminate()
            await process.wait()

    async def _all_told(self) -> bool:
        return not await self._fetch(
            "select exists (select from delivery where state in ('queued','leased','sending'))"
        )

    async def _told_at_least(self, count: int) -> bool:
        return bool(await self._fetch("select count(*) from delivery where state = 'sent'") >= count)

    async def _waits(self) -> tuple[float, float]:
        found = await self._fetch(
            "select percentile_cont(array[0.5, 0.99]) within group"
            " (order by extract(epoch from settled_at - not_before)::float8) from delivery"
        )
        return found[0], found[1]

    async def _check(self, count: int) -> None:
        """Everybody has one message over subscribe. Raises BenchError."""
        sent = await self._fetch("select count(*) from delivery where state = 'sent' and channel = 'subscribe'")
        if sent != count:
            raise BenchError(f"{sent} of {count} were sent")

    async def _fetch(self, sql: str) -> Any:
        connection = await asyncpg.connect(self._crowd.url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    async def _until(self, true: Callable[[], Awaitable[bool]], *, every: float = 0.1) -> None:
        """Look until it is so. Raises BenchError."""
        until = perf_counter() + PATIENCE_SECONDS
        while not await true():
            if perf_counter() > until:
                raise BenchError("the messages did not arrive")
            await asyncio.sleep(every)


async def _answers(port: int) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics"):
            return True
    except aiohttp.ClientError:
        return False


def _memory(process: Process, what: str) -> float:
    """Resident memory of a process now (VmRSS) or at most (VmHWM), in MB (10⁶ bytes)."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) * 1024 / 1e6


def _end(process: Process) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
