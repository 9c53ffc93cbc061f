"""Where bytes are kept: objects under keys, on the local disk or in S3, named by one URL.

An object is seen whole or not at all. Keys are relative paths (`<zone>/<sha256[:2]>/<sha256>`).
"""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError, NotSupportedError
from obstore.store import LocalStore, ObjectStore, from_url

from gateways.arriving import Arrivals

CHUNK = 1024 * 1024
UNFINISHED = re.compile(r".*#\d+")
"""How obstore names a file on the local disk until it is whole; it lists no such file."""


class Missing(LookupError):
    """There is no object under this key."""


class Store:
    """Objects of one place. Memory is bounded by one chunk per upload (gateways.arriving) and per download."""

    def __init__(self, objects: ObjectStore, folder: Path | None = None) -> None:
        self._objects, self._folder, self._arrivals = objects, folder, Arrivals(objects, folder)

    @classmethod
    def open(cls, url: str, **options: Any) -> "Store":
        """`file:///folder` (made if absent) or `s3://bucket/prefix`.

        S3 takes its endpoint and keys from `options` or the usual environment, as obstore reads it:
        `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, and `AWS_ALLOW_HTTP=true` for
        an endpoint without TLS.
        """
        if url.startswith("file:"):
            folder = Path(unquote(urlsplit(url).path))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # evidence is nobody else's on this machine
            return cls(LocalStore(folder), folder)
        return cls(from_url(url, **options))

    async def put(self, key: str, content: bytes | AsyncIterator[bytes]) -> None:
        """Keep `content`, replacing what was there. If the iterator raises, nothing is seen under `key`."""
        if isinstance(content, bytes):
            await obstore.put_async(self._objects, key, content)
        else:
            await self._arrivals.keep(key, content)

    async def promote(self, key: str, to: str) -> bool:
        """Move an object to an address where there may be the same one already (then False: that one stays)."""
        try:
            await self._promoted(key, to)
        except AlreadyExistsError:
            await self.delete(key)
            return False
        return True

    async def _promoted(self, key: str, to: str) -> None:
        try:
            await obstore.rename_async(self._objects, key, to, overwrite=False)
        except NotSupportedError:  # an S3 without conditional copies; both are the same bytes, so order is no matter
            if await self.exists(to):
                raise AlreadyExistsError(to) from None
            await obstore.rename_async(self._objects, key, to)

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """The object in chunks. Raises Missing at the first one."""
        try:
            found = await obstore.get_async(self._objects, key)
        except (NotFoundError, FileNotFoundError):
            raise Missing(key) from None
        async for chunk in found.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)

    async def read(self, key: str) -> bytes:
        """The whole object; for small ones. Raises Missing."""
        return b"".join([chunk async for chunk in self.get(key)])

    async def exists(self, key: str) -> bool:
        """Whether there is an object."""
        try:
            await obstore.head_async(self._objects, key)
        except (NotFoundError, FileNotFoundError):
            return False
        return True

    async def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        try:
            await obstore.delete_async(self._objects, key)
        except (NotFoundError, FileNotFoundError):
            return

    def reader(self, key: str, size: int) -> io.BufferedReader:
        """The object of `size` bytes as a seekable file that fetches what is read; blocking, so only for a thread."""
        return io.BufferedReader(_Seekable(self._objects, key, size), buffer_size=64 * 1024)

    async def older(self, prefix: str, than: datetime) -> list[str]:
        """Keys under `prefix` that were written before `than`, a thousand at most."""
        keys: list[str] = []
        async for page in obstore.list(self._objects, prefix, chunk_size=1000):
            keys += [meta["path"] for meta in page if meta["last_modified"] < than]
            if len(keys) >= 1000:
                break
        return keys[:1000]

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


class _Seekable(io.RawIOBase):
    """obstore's ranged reads as Python's file protocol, which Pillow and zipfile ask for."""

    def __init__(self, objects: ObjectStore, key: str, size: int) -> None:
        self._objects, self._key, self._size, self._at = objects, key, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = max(0, min(len(buffer), self._size - self._at))
        if length:
            chunk = obstore.get_range(self._objects, self._key, start=self._at, length=length)
            buffer[: len(chunk)] = memoryview(chunk)
            self._at += length
        return length
