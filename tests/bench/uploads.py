"""Uploads: photos of 5 MB, many at once, beside a bare Sanic that hashes and writes; and the memory that 200 take.

Ours signs the sender in, counts what may be sent, looks at the content and makes evidence of it: an item's lock, an
audit row, a promise of pictures.
"""

import asyncio
import json
import shutil
from base64 import b64encode
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import uuid4

from tests import photos
from tests.bench.figures import Figure, Goal
from tests.bench.measuring import Bench
from tests.bench.serving import BenchError, Server
from tests.bench.zones import ITEM, bench_id

MEGABYTE = 2**20
SIZE = 5 * MEGABYTE
AT_ONCE, CROWD = 32, 200
BATCHES = 3
BYTES = "application/offset+octet-stream"


@dataclass(frozen=True)
class Sender:
    """Sends photos to one server, each unlike any other."""

    server: Server
    photo: bytearray
    tokens: list[str]
    numbers: Iterator[int]

    async def whole(self, path: str = "/api/mini/evidence/upload") -> None:
        """One request with all of it. Raises BenchError."""
        number = next(self.numbers)
        query = f"?kind=photo&item_id={self.item(number)}"
        headers = {"idempotency-key": str(uuid4()), "content-type": "application/octet-stream"}
        await self.asked("POST", path + query, number, headers, body=True)

    async def in_parts(self) -> None:
        """Begun, and then sent in one part. Raises BenchError."""
        number = next(self.numbers)
        facts = {"kind": "photo", "client_id": str(uuid4()), "item_id": self.item(number)}
        said = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in facts.items())
        begun = {"tus-resumable": "1.0.0", "upload-length": str(SIZE), "upload-metadata": said}
        head = await self.asked("POST", "/api/mini/evidence/uploads", number, begun, body=False)
        place = head.split("location: ")[1].split("\r\n")[0]
        sent = {"tus-resumable": "1.0.0", "upload-offset": "0", "content-type": BYTES}
        await self.asked("PATCH", place, number, sent, body=True)

    def item(self, number: int) -> str:
        """Of whoever sends the photo so numbered."""
        return str(bench_id(ITEM, number % len(self.tokens)))

    async def asked(self, method: str, path: str, number: int, headers: dict[str, str], *, body: bool) -> str:
        """The head of a right reply. Raises BenchError."""
        lines = {
            "host": "bench",
            "authorization": f"Bearer {self.tokens[number % len(self.tokens)]}",
            "content-length": str(SIZE if body else 0),
            "connection": "close",
            **headers,
        }
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{told}\r\n".encode())
        if body:
            writer.write(memoryview(self.photo)[:-16])
            writer.write(number.to_bytes(16))
            await writer.drain()
        said = await reader.read()
        writer.close()
        if not said.startswith(b"HTTP/1.1 20"):
            raise BenchError(f"{self.server.name} answers an upload with {said[:600].decode(errors='replace')}")
        return said.partition(b"\r\n\r\n")[0].decode().lower()


def sender(server: Server) -> Sender:
    """With a photo's beginning and noise behind it."""
    photo = photos.jpeg()
    return Sender(server, bytearray(photo.ljust(SIZE, b"\x5a")), json.loads(server.tokens.read_text()), count())


async def measure_uploads(bench: Bench, ours: Server, bare: Server, folder: Path) -> None:
    """Megabytes a second of each way, in turn."""
    product, limit = sender(ours), sender(bare)
    ways: dict[str, Callable[[], Awaitable[None]]] = {
        "limit": lambda: limit.whole("/upload"),
        "whole": product.whole,
        "in parts": product.in_parts,
    }
    rates: dict[str, list[float]] = defaultdict(list)
    for number in range(-1, bench.rounds):
        for name, send in ways.items():
            bench.told(f"uploads: {name}, round {number + 1}")
            began = perf_counter()
            await at_once(send, AT_ONCE, BATCHES * AT_ONCE)
            if number >= 0:  # the first opens connections and prepares statements
                rates[name].append(BATCHES * AT_ONCE * SIZE / 1e6 / (perf_counter() - began))
            empty(folder)
    goal, sizes = Goal(of_limit=0.7), f"{SIZE // MEGABYTE} MB × {AT_ONCE} at once"
    for name in ("whole", "in parts"):
        title = f"upload {name}, {sizes} (limit: hashed to the disk)"
        bench.figures.add(Figure(title, median(rates[name]), "MB/s", median(rates["limit"]), goal=goal))


async def measure_upload_memory(bench: Bench, fresh: Server, folder: Path) -> None:
    """What a process that has served a few uploads grows by while it takes a crowd's at once."""
    product = sender(fresh)
    await at_once(product.in_parts, 4, 8)
    for name, send in (("in parts", product.in_parts), ("whole", product.whole)):
        bench.told(f"uploads: memory, {name}")
        before, peak = fresh.resident_now(), 0.0
        sending = asyncio.ensure_future(at_once(send, CROWD, CROWD))
        while not sending.done():
            peak = max(peak, fresh.resident_now())
            await asyncio.sleep(0.02)
        await sending
        title = f"memory that {CROWD} uploads of {SIZE // MEGABYTE} MB at once take, {name}"
        bench.figures.add(Figure(title, max(0.0, peak - before), "MB", goal=Goal(most=64)))
        empty(folder)


async def at_once(send: Callable[[], Awaitable[None]], width: int, number: int) -> None:
    """`send` so often, so many at a time."""
    left = iter(range(number))

    async def one_after_another() -> None:
        for _ in left:
            await send()

    async with asyncio.TaskGroup() as group:
        for _ in range(width):
            group.create_task(one_after_another())


def empty(folder: Path) -> None:
    """What was uploaded is not wanted, and the disk is the machine's."""
    for name in ("objects", "bare"):
        for place in (folder / name).glob("*"):
            shutil.rmtree(place) if place.is_dir() else place.unlink()
