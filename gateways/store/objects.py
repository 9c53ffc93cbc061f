"""Objects under keys, on the local disk or in S3, sealed where there is a key to seal with."""

import asyncio
import io
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

from gateways.store.arriving import Arrivals
from gateways.store.direct import Direct
from gateways.store.faults import Damaged, KeyMissing, Missing, named, reported
from gateways.store.keys import HEADER, Header, Keys, Opened
from gateways.store.reading import Read, SealedContent, Seekable
from gateways.store.retention import NONE, ObjectLock, Retention
from gateways.store.sealing import Sealing, sealed_size
from gateways.store.streaming import Opener, Passage, Source, Witness
from models.base import clock
from models.base.ids import new_id

CHUNK = 1024 * 1024
PAGE = 1000
ENVELOPES = "envelopes"
"""Where newer envelopes lie, each under its object's key."""
UNFINISHED = re.compile(r".*#\d+")
"""How obstore names a file on the local disk until it is whole; it lists no such file."""
S3_OPTIONS: dict[str, Any] = {
    "copy_if_not_exists": "header: if-none-match: *",
    # an upload should be told within its own patience, not after obstore's three minutes
    "retry_config": {"max_retries": 3, "retry_timeout": timedelta(seconds=10)},
}


@dataclass(frozen=True, slots=True)
class Kept:
    """An object as a listing names it; `written_at` by the store's clock."""

    key: str
    written_at: datetime


class Store:
    """Objects of one place. What is written is never replaced: the first under a key stays.

    Memory is bounded by one chunk per upload (`Arrivals`) and per download. Every method raises Unavailable
    (`store_unavailable`) where the place does not answer, is full or refuses us.
    """

    def __init__(
        self,
        objects: ObjectStore,
        folder: Path | None = None,
        *,
        keys: Keys | None = None,
        lock: ObjectLock | None = None,
        direct: Direct | None = None,
    ) -> None:
        self._objects, self._folder, self._keys, self._lock = objects, folder, keys, lock
        self.direct = direct
        """Where clients may bring parts to the place themselves."""
        self._arrivals = Arrivals(objects, folder)

    @classmethod
    def open(
        cls, url: str, *, keys: Keys | None = None, retention: Retention = NONE, public: str = "", **options: Any
    ) -> "Store":
        """`file:///folder` (made if absent) or `s3://bucket/prefix`; without `keys` what is written is not sealed.

        `public` is the address at which clients reach S3 themselves; without it they do not.
        S3 takes its endpoint and keys from `options` or the usual environment, as obstore reads it:
        `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, and `AWS_ALLOW_HTTP=true` for
        an endpoint without TLS.
        """
        if url.startswith("file:"):
            folder = Path(unquote(urlsplit(url).path))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # evidence is nobody else's on this machine
            return cls(LocalStore(folder), folder, keys=keys)
        objects = from_url(url, **(S3_OPTIONS | options))
        if not isinstance(objects, S3Store):
            return cls(objects, keys=keys)
        lock = ObjectLock(objects, retention) if retention.days else None
        return cls(objects, keys=keys, lock=lock, direct=Direct(objects, public) if public else None)

    async def retains(self) -> bool:
        """Whether originals are retained; where the store does not offer it, it is not asked for it from now on.

        Raises OSError where it does not answer.
        """
        if self._lock is not None and not await self._lock.offered():
            self._lock = None
        return self._lock is not None

    @property
    def sealed_with(self) -> str | None:
        """The fingerprint of the master key under which what is written is sealed; None where it is not."""
        return self._keys.current if self._keys else None

    async def shortcomings(self) -> list[str]:
        """What the place must do and does not, after trying it with two small objects. Raises Unavailable."""
        one, other = (f"incoming/{new_id()}" for _ in range(2))
        found = []
        try:
            await self.put(one, b"one")
            await self.put(other, b"other")
            if await self.put(one, b"other"):
                found.append("put replaces what is there")
            with named(one), suppress(AlreadyExistsError):
                await obstore.copy_async(self._objects, other, one, overwrite=False)
                found.append("copy replaces what is there")
        finally:
            await self.delete(one)
            await self.delete(other)
        return found

    async def put(self, key: str, content: bytes | AsyncIterator[bytes], *, witness: Witness | None = None) -> bool:
        """Keep `content`; False where something stood under `key`: that stays, untouched.

        A stream goes only to a key of its own, such as a fresh id (S3 cannot refuse the second of two streams), and
        is `promote`d from there; its `witness` has seen all of it, unsealed, when this returns. If it raises, nothing
        is seen under `key`.
        """
        if not isinstance(content, bytes):
            return await self._put_stream(key, content, witness)
        try:
            with named(key):
                await obstore.put_async(self._objects, key, await self._sealed(content), mode="create")
        except AlreadyExistsError:
            return False
        return True

    async def _put_stream(self, key: str, content: AsyncIterator[bytes], witness: Witness | None) -> bool:
        source = Source(content)
        passage = Passage(witness, self._keys.fresh() if self._keys else None)
        try:
            with named(key):
                await self._arrivals.keep(key, source, passage)
        except Exception:
            if source.failure is not None:
                raise source.failure from None  # the sender's, not the store's
            raise
        return True

    async def _sealed(self, content: bytes) -> bytes:
        if self._keys is None:
            return content
        header, opened = self._keys.fresh()
        working = Sealing(opened.aead)
        return header + await asyncio.to_thread(lambda: working.add(content) + working.end())

    async def promote(self, key: str, to: str) -> bool:
        """Move an object to an address where there may be the same one already (then False: that one stays).

        What is promoted is an original: it is retained, where that is set and offered.
        """
        try:
            with named(key):
                await obstore.rename_async(self._objects, key, to, overwrite=False)
            fresh = True
        except AlreadyExistsError:
            await self.delete(key)
            fresh = False
        if self._lock is not None:
            with named(to):
                await self._lock.retain(to, clock.now() - clock.offset())
        return fresh

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """The content in chunks. Raises Missing or KeyMissing at the first one, Damaged at the one that is."""
        working: Opener | None = None
        with named(key), reported(key):
            kept = (await obstore.get_async(self._objects, key)).stream(min_chunk_size=CHUNK)
            async for part in kept:
                piece = bytes(part)
                if working is None:
                    header = Header.read(piece)
                    working = Opener(await asyncio.to_thread(self._opened, key, header) if header else None)
                    piece = piece[HEADER.size if header else 0 :]
                if content := await working.add(piece):
                    yield content
            if working is not None and (content := await working.end()):
                yield content

    async def raw(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        """What lies there as it is from `start` on, in chunks, sealed or not: a client's own bytes (`Direct`).

        Raises Missing.
        """
        with named(key):
            kept = await obstore.get_async(self._objects, key, options={"range": {"offset": start}})
            async for part in kept.stream(min_chunk_size=CHUNK):
                yield bytes(part)

    async def read(self, key: str) -> bytes:
        """The whole content; for small objects. Raises Missing, KeyMissing, Damaged."""
        return b"".join([chunk async for chunk in self.get(key)])

    def reader(self, key: str, size: int) -> io.BufferedReader:
        """The content of `size` bytes as a seekable file that fetches what is read; blocking, so only for a thread.

        Reading raises Missing, KeyMissing, Damaged.
        """

        return io.BufferedReader(Seekable(lambda: self._content(key, size), size), buffer_size=64 * 1024)

    def _content(self, key: str, size: int) -> Read:
        def fetch(start: int, length: int) -> bytes:
            with named(key):
                return bytes(obstore.get_range(self._objects, key, start=start, length=length))

        with named(key):
            kept = obstore.head(self._objects, key)["size"]
        header = Header.read(fetch(0, min(kept, HEADER.size))) if kept else None
        if kept != (size if header is None else HEADER.size + sealed_size(size)):
            raise Damaged(f"{kept} bytes are kept of a content of {size}")
        return fetch if header is None else SealedContent(fetch, self._opened(key, header), size).read

    def _opened(self, key: str, header: Header) -> Opened:
        """The object's own key at work. Blocks."""
        if self._keys is None:
            raise KeyMissing("sealed, and ZHUOLUO_STORE_KEYS holds no key")
        return self._keys.open(header if self._keys.holds(header) else self._newer(key, header) or header)

    def _newer(self, key: str, header: Header) -> Header | None:
        """The envelope beside the object, if there is one, and of this very object. Blocks."""
        try:
            with named(key):
                newer = Header.read(bytes(obstore.get(self._objects, f"{ENVELOPES}/{key}").bytes()))
        except Missing:
            return None
        return newer if newer is not None and newer.bound == header.bound else None

    async def rewrap(self, key: str) -> bool:
        """Have the object's own key wrapped under the master key that seals; whether it was not yet.

        The object is not touched: the new envelope lies beside it. Raises Missing, KeyMissing, Damaged.
        """
        return await asyncio.to_thread(self._rewrap, key)

    def _rewrap(self, key: str) -> bool:
        with named(key):
            kept = obstore.head(self._objects, key)["size"]
            start = (
                bytes(obstore.get_range(self._objects, key, start=0, length=min(kept, HEADER.size))) if kept else b""
            )
        header = Header.read(start)
        if header is None or self._keys is None or self._keys.is_current(header):
            return False
        newer = self._newer(key, header)
        if newer is not None and self._keys.is_current(newer):
            return False
        known = header if newer is None or self._keys.holds(header) else newer
        with named(key):
            obstore.put(self._objects, f"{ENVELOPES}/{key}", self._keys.rewrapped(known), mode="overwrite")
        return True

    async def exists(self, key: str) -> bool:
        """Whether there is an object."""
        try:
            with named(key):
                await obstore.head_async(self._objects, key)
        except Missing:
            return False
        return True

    async def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        with suppress(Missing), named(key):
            await obstore.delete_async(self._objects, key)

    async def pages(self, prefix: str = "") -> AsyncGenerator[list[Kept], None]:
        """All objects under `prefix` (whole parts of a path), in no order, so many at a time."""
        with named(prefix):
            async for page in obstore.list(self._objects, prefix or None, chunk_size=PAGE):
                yield [Kept(meta["path"], meta["last_modified"]) for meta in page]

    async def older(self, prefix: str, than: datetime) -> list[str]:
        """Keys under `prefix` that were written before `than`, a thousand at most."""
        keys: list[str] = []
        async with aclosing(self.pages(prefix)) as pages:
            async for page in pages:
                keys += [kept.key for kept in page if kept.written_at < than]
                if len(keys) >= PAGE:
                    break
        return keys[:PAGE]

    async def sweep_unfinished(self, prefix: str, than: datetime) -> int:
        """Remove what killed or cancelled puts under `prefix` left on the local disk before `than`; how many files.

        In S3 a lifecycle rule of the bucket does it (AbortIncompleteMultipartUpload).
        """
        return await asyncio.to_thread(_sweep, self._folder / prefix, than.timestamp()) if self._folder else 0


def _sweep(folder: Path, than: float) -> int:
    removed = 0
    for path in folder.rglob("*#*"):
        with suppress(FileNotFoundError):  # it has just been finished, or another worker sweeps too
            if UNFINISHED.fullmatch(path.name) and path.stat().st_mtime < than:
                path.unlink()
                removed += 1
    return removed
