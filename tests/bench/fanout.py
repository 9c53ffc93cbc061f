"""The fan-out: how fast messages reach the platform, from the product's workers and from everybody else.

Rates are the platform's: from the first message that it accepted to the last, so that nobody's start-up counts. Queues
are full, and the product's messages due, before that.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import time
from urllib.parse import urlsplit

from tests.bench.crews import Process, done, heaviest, running, workers
from tests.bench.figures import Figure, Goal
from tests.bench.measuring import Bench
from tests.bench.recipients import Recipients, reachable
from tests.bench.serving import BenchError

LOOK_SECONDS = 0.25
PATIENCE_SECONDS = 600.0
AN_OFFICE = 1300
"""Everybody of a large zone at once."""
STEADY_SECONDS = 8
ONE_WORKER = Goal(of_limit=0.6, of_peer=8)
DRAMATIQ = ("dramatiq", "tests.bench.senders.dramatiq_actors", "--processes", "1", "--threads", "64")


@dataclass
class Fanout:
    """The measurement under way. `settings` are the workers'; `memory` is (share sent, MB) of one worker's run."""

    bench: Bench
    to: Recipients
    settings: Mapping[str, str]
    folder: Path
    jobs: int
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    memory: list[tuple[float, float]] = field(default_factory=list)

    @property
    def _environment(self) -> dict[str, str]:
        redis = urlsplit(self.bench.services.redis_url)._replace(path="/2").geturl()
        return {"BENCH_ORIGIN": self.to.platform, "BENCH_OPENIDS": str(self.to.openids), "BENCH_REDIS": redis}

    async def rounds(self) -> None:
        """Everybody in turn, as often as the bench has rounds."""
        for number in range(self.bench.rounds):
            for who, send in self._everybody().items():
                self.bench.told(f"fan-out: {who}, round {number + 1}")
                self.rates[who].append(await send())

    def _everybody(self) -> dict[str, Callable[[], Awaitable[float]]]:
        return {
            "bare": self._bare,
            "one": lambda: self._ours(1),
            "two": lambda: self._ours(2),
            "arq": lambda: self._queue("tests.bench.senders.arq_jobs", ("tests.bench.senders.arq_jobs", "work")),
            "dramatiq": lambda: self._queue(DRAMATIQ[1], DRAMATIQ),
        }

    async def _bare(self) -> float:
        command = ("tests.bench.senders.bare", "0", str(self.to.count))
        return await self._rate(self.to.count, running(command, self._environment, self.folder / "bare.log"))

    async def _queue(self, module: str, work: tuple[str, ...]) -> float:
        log = self.folder / f"{work[0].rpartition('.')[2]}.log"
        await done((module, "put", "0", str(self.jobs)), self._environment, log)
        return await self._rate(self.jobs, running(work, self._environment, log))

    async def _ours(self, count: int) -> float:
        async with workers(count, self.to, self.settings, self.folder) as crew:
            before = await self.to.accepted()
            await self.to.owe(self.to.count)
            await self._until(before, self.to.count, crew)
            await self.to.settled(self.to.count)
            return await self._between(before, self.to.count)

    async def _rate(self, count: int, sender: AbstractAsyncContextManager[Process]) -> float:
        before = await self.to.accepted()
        async with sender:
            await self._until(before, count)
        return await self._between(before, count)

    async def _until(self, before: int, count: int, crew: list[Process] | None = None) -> None:
        """Until the platform has all of them. Raises BenchError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (sent := await self.to.accepted() - before) < count:
                if crew and len(crew) == 1:
                    self.memory.append((sent / count, await heaviest(crew)))
                await asyncio.sleep(LOOK_SECONDS)
        if sent > count:
            raise BenchError(f"{sent} messages were sent of {count}")

    async def _between(self, before: int, count: int) -> float:
        first, last = [await self.to.accepted_at(seq) for seq in (before + 1, before + count)]
        return (count - 1) / (last - first)

    async def an_office(self) -> list[float]:
        """Seconds until the last of 1,300 recipients was accepted, from the instant at which all were due."""
        took: list[float] = []
        count = min(AN_OFFICE, self.to.count)
        async with workers(2, self.to, self.settings, self.folder):
            for number in range(self.bench.rounds):
                self.bench.told(f"fan-out: {count:,} recipients, round {number + 1}")
                before, due = await self.to.accepted(), time()
                await self.to.owe(count)
                await self._until(before, count)
                await self.to.settled(count)
                took.append(await self.to.accepted_at(before + count) - due)
        return took

    async def steady(self, rate: float) -> tuple[float, float]:
        """Seconds from due to sent (p50, p99) while so many come due every second, of two workers."""
        count = min(self.to.count, int(rate * STEADY_SECONDS))
        self.bench.told(f"fan-out: {rate:,.0f} due every second")
        async with workers(2, self.to, self.settings, self.folder):
            before = await self.to.accepted()
            await self.to.owe(count, over_seconds=count / rate)
            await self._until(before, count)
            return await self.to.settled(count)


async def measure_fanout(bench: Bench, people: int, jobs: int, settings: Mapping[str, str], folder: Path) -> None:
    """All figures of the fan-out to so many people; the queues' are taken over `jobs` messages."""
    bench.told(f"registering {people:,} phones")
    async with reachable(bench.services, people, folder) as to:
        fanout = Fanout(bench, to, settings, folder, jobs)
        await fanout.rounds()
        bare, one, two, arq, dramatiq = (median(fanout.rates[who]) for who in ("bare", "one", "two", "arq", "dramatiq"))
        bench.figures.add(
            Figure("fan-out, one worker (limit: bare loop, peer: arq)", one, "/s", bare, arq, ONE_WORKER),
            Figure("fan-out, one worker (peer: dramatiq)", one, "/s", None, dramatiq, Goal(of_peer=5)),
            Figure("fan-out, two workers (limit: bare loop)", two, "/s", bare, None, Goal(of_limit=0.9)),
            *_memory(fanout.memory, people),
        )
        name = f"{min(AN_OFFICE, people):,} recipients, the last accepted after"
        bench.figures.add(Figure(name, median(await fanout.an_office()), "s", goal=Goal(most=2)))
        p50, p99 = await fanout.steady(two / 2)
        name = f"due to sent at {two / 2:,.0f}/s"
        bench.figures.add(Figure(f"{name}, p50", p50, "s"), Figure(f"{name}, p99", p99, "s"))


def _memory(seen: list[tuple[float, float]], people: int) -> list[Figure]:
    early = median(memory for share, memory in seen if 0 < share <= 0.25)
    late = median(memory for share, memory in seen if share > 0.75)
    peak = max(memory for _, memory in seen)
    return [
        Figure(f"a worker's peak memory over {people:,} messages", peak, "MB", goal=Goal(most=150)),
        Figure("a worker's memory, last quarter over first", late / early, "×", goal=Goal(most=1.1)),
    ]
