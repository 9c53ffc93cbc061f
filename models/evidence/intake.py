"""Taking a file in: streamed to the object store while it is hashed, examined there, then moved to its address.

Until that last move nothing of it is seen anywhere; what an interrupted process leaves under `incoming/` is swept.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol
from uuid import UUID

from models.base import clock
from models.base.errors import Invalid, TooLarge
from models.base.ids import new_id
from models.evidence.contents import MEGABYTE, SIZE_LIMITS, Content, examine
from models.evidence.holding import hold
from models.evidence.tables import Kind

INCOMING = "incoming"
LEFT_BEHIND = timedelta(days=4)
"""Longer than an upload in parts may take (uploads.LASTS): what is older belongs to none."""


class Objects(Protocol):
    """The part of the object store that evidence uses (gateways.store.Store is one)."""

    async def put(
        self, key: str, content: bytes | AsyncIterator[bytes], *, witness: Callable[[bytes], object] | None = None
    ) -> bool:
        """Keep `content` under `key`, whole or not at all; False where something stood there, which stays.

        `witness` is told every chunk of a stream in its order, off the event loop.
        """

    @property
    def direct(self) -> "Parts | None":
        """Where clients may bring parts to the store themselves."""

    def get(self, key: str) -> AsyncIterator[bytes]:
        """The object in chunks."""

    def raw(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        """What a client brought, as it is, from `start` on."""

    async def promote(self, key: str, to: str) -> bool:
        """Move an object to its address; False where the same one stands there already."""

    async def delete(self, key: str) -> None:
        """Remove the object, if there is one."""

    def reader(self, key: str, size: int) -> BinaryIO:
        """The object as a seekable, blocking file."""

    async def older(self, prefix: str, than: datetime) -> list[str]:
        """Keys under `prefix` written before `than`."""

    async def sweep_unfinished(self, prefix: str, than: datetime) -> int:
        """Remove what killed puts under `prefix` left before `than`; how many files."""


class Parts(Protocol):
    """An upload in parts that go to the store directly (gateways.store.Direct is one)."""

    async def begin(self, key: str) -> str:
        """The store's own id of a new one to `key`."""

    def url(self, key: str, multipart: str, number: int, size: int) -> str:
        """Where part `number` (from 1) of `size` bytes is PUT."""

    async def arrived(self, key: str, multipart: str) -> dict[int, int] | None:
        """Bytes of each part that is there, by number; None where the upload was completed or given up."""

    async def complete(self, key: str, multipart: str) -> None:
        """Make one object of the parts that are there."""

    async def abandon(self, key: str, multipart: str) -> None:
        """Give it up, with the parts that are there."""


Scan = Callable[[Objects, str, int], Awaitable[str | None]]
"""A virus scanner: `(store, key, size)` to the name of what it found, or None."""


async def no_scan(store: Objects, key: str, size: int) -> str | None:
    """The scanner of a zone that has none."""
    return None


@dataclass(frozen=True, slots=True)
class Received:
    """A file that stands at its address. `size` in bytes."""

    sha256: str
    size: int
    content: Content


def address(zone_id: UUID, sha256: str) -> str:
    """The key of the bytes with this SHA-256 (hex) in the zone."""
    return f"{zone_id}/{sha256[:2]}/{sha256}"


async def take_in(
    zone_id: UUID,
    kind: Kind,
    chunks: AsyncIterator[bytes],
    *,
    store: Objects,
    scan: Scan = no_scan,
    claimed: str | None = None,
) -> Received:
    """Store the file that `chunks` bring; `claimed` is the SHA-256 (hex) that the sender computed.

    Raises TooLarge, UnsupportedType, Invalid, Unavailable; nothing of a refused file stays.
    """
    key, counted, hashed = f"{INCOMING}/{zone_id}/{new_id()}", _Counted(chunks, SIZE_LIMITS[kind]), hashlib.sha256()
    await store.put(key, counted, witness=hashed.update)
    try:
        sha256 = hashed.hexdigest()
        return await promote(zone_id, kind, key, sha256, counted.size, store=store, scan=scan, claimed=claimed)
    except BaseException:
        await store.delete(key)
        raise


async def promote(
    zone_id: UUID,
    kind: Kind,
    key: str,
    sha256: str,
    size: int,
    *,
    store: Objects,
    scan: Scan = no_scan,
    claimed: str | None = None,
) -> Received:
    """Examine the object under `key`, whose hash and size (bytes) are known, and move it to its address.

    Raises UnsupportedType, Invalid, Unavailable; then it still stands under `key`.
    """
    _refuse_unlike(claimed, sha256, size)
    content = await asyncio.to_thread(examine, store.reader(key, size), kind)
    if await scan(store, key, size):
        raise Invalid("infected", "安全检查认为这个文件有病毒，没有保存。请检查您的设备。")
    await hold(zone_id, sha256)
    await store.promote(key, address(zone_id, sha256))
    return Received(sha256, size, content)


class _Counted(AsyncIterator[bytes]):
    """The chunks as they pass, measured."""

    def __init__(self, chunks: AsyncIterator[bytes], limit: int) -> None:
        self._chunks, self._limit, self.size = chunks, limit, 0

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self.size += len(chunk)
        if self.size > self._limit:
            raise too_large(self._limit)
        return chunk


def too_large(limit: int) -> TooLarge:
    """Of a file over `limit` bytes."""
    return TooLarge("file_too_large", f"文件超过了 {limit // MEGABYTE} MB，没有保存。请压缩后再传。")


def empty() -> Invalid:
    """Of a file without a byte."""
    return Invalid("file_empty", "文件是空的，没有保存。请重新选择。")


def _refuse_unlike(claimed: str | None, sha256: str, size: int) -> None:
    if size == 0:
        raise empty()
    if claimed is not None and claimed.lower() != sha256:
        raise Invalid("sha256_mismatch", "文件在传输中发生了变化，没有保存。请重新上传。")


async def sweep_incoming(store: Objects) -> int:
    """Remove what interrupted uploads left days ago; how many."""
    written_by_the_machines_clock = clock.now() - clock.offset()
    before = written_by_the_machines_clock - LEFT_BEHIND
    left = await store.older(INCOMING, before)
    for key in left:
        await store.delete(key)
    return len(left) + await store.sweep_unfinished(INCOMING, before)
