"""The load, in a process of its own: `connections` keep-alive connections, each asking again as soon as it is answered.

Raw HTTP/1.1 over asyncio, because the client shares the machine with what it measures and must cost next to nothing.
`python -m tests.bench.load` reads a `Run` as JSON from standard input and writes an `Outcome` as JSON.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import cast

import uvloop

from tests.bench.asking import requests

SLACK = 8
"""Bytes by which replies of one route may differ: an instant's fraction may end in zeros."""


@dataclass(frozen=True)
class Run:
    """`numbers` (first, count) are asked in order; `again` starts over at the end, else the run ends there.

    Replies of the first `warm` seconds are not counted. `size` is the right reply's length in bytes.
    """

    port: int
    ask: str
    numbers: tuple[int, int]
    tokens: str
    size: int
    connections: int = 64
    warm: float = 1.0
    seconds: float = 4.0
    again: bool = True


@dataclass(frozen=True)
class Outcome:
    """Right replies a second, their latencies in milliseconds, and how many replies were wrong, by what."""

    rate: float
    p50: float
    p99: float
    replies: int
    wrong: dict[str, int] = field(default_factory=dict)


class Load:
    """One run: the requests still to send and the replies so far."""

    def __init__(self, run: Run, pending: Iterator[bytes]) -> None:
        self.run, self.pending = run, pending
        self.latencies: list[float] = []
        self.wrong: Counter[str] = Counter()
        self.open = run.connections
        self.over = asyncio.get_running_loop().create_future()
        self.from_ = perf_counter() + run.warm
        self.until = self.from_ + run.seconds
        self.last = self.from_

    def take(self, began: float, status: bytes, size: int) -> None:
        """A whole reply has come."""
        now = perf_counter()
        if status[:1] != b"2" or abs(size - self.run.size) > SLACK:
            self.wrong[f"{status.decode()} with {size} bytes"] += 1
        elif self.from_ <= now <= self.until:
            self.latencies.append(now - began)
            self.last = now

    def next(self) -> bytes | None:
        """The next request, until time or requests run out."""
        return next(self.pending, None) if perf_counter() < self.until else None

    def closed(self) -> None:
        """A connection has ended."""
        self.open -= 1
        if not self.open and not self.over.done():
            self.over.set_result(None)

    def outcome(self) -> Outcome:
        """After the end. A run that ran out of requests is counted up to its last reply."""
        seconds = max(self.last - self.from_, 1e-9)
        cuts = quantiles(self.latencies, n=100) if len(self.latencies) > 1 else [0.0] * 99
        replies = len(self.latencies)
        return Outcome(replies / seconds, 1e3 * cuts[49], 1e3 * cuts[98], replies, dict(self.wrong))


class Connection(asyncio.Protocol):
    """Sends one request, reads its whole reply, sends the next."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._held = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        request = self._load.next()
        if request is None:
            self._transport.close()
            return
        self._began = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held = data = self._held + data if self._held else data
        head = data.find(b"\r\n\r\n")
        if head < 0:
            return
        size = _content_length(data[:head])
        if len(data) < head + 4 + size:
            return
        self._held = b""
        self._load.take(self._began, data[9:12], size)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._load.wrong[type(exc).__name__] += 1
        self._load.closed()


def _content_length(head: bytes) -> int:
    lines = head.lower()
    at = lines.index(b"content-length:") + 15
    end = lines.find(b"\r\n", at)
    return int(lines[at : end if end > 0 else None])


async def drive(run: Run, tokens: list[str]) -> Outcome:
    """Run to the end."""
    first, count = run.numbers
    made = requests(run.ask, range(first, first + count), tokens)
    load = Load(run, cycle(made) if run.again else iter(made))
    loop = asyncio.get_running_loop()
    for _ in range(run.connections):
        await loop.create_connection(lambda: Connection(load), "127.0.0.1", run.port)
    await load.over
    return load.outcome()


if __name__ == "__main__":
    asked = Run(**json.load(sys.stdin))
    json.dump(asdict(uvloop.run(drive(asked, json.loads(Path(asked.tokens).read_text())))), sys.stdout)
