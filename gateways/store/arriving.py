"""Streams on their way into the object store, each with the same little memory, however many come and however slowly.

obstore holds a part of S3's own size (5 MB) of every stream until it can write it: of two hundred phones at once, a
gigabyte. So a stream goes to the disk as it comes. In a store on the local disk it goes to the file that it will be;
for S3 to a nameless one, which ends with its process, and from there a few at a time.

Hashing, sealing and writing are one visit to a thread, and a visit is for as many bytes as the streams under way leave
room for: the fewer visits, the less is asked of the event loop.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO

import obstore
from obstore.store import ObjectStore

from gateways.store.streaming import Passage

PART = 5 * 1024 * 1024
"""Bytes of one part of an object that S3 takes in parts: its least."""
AT_ONCE = 4
"""Objects on their way to S3 from one process; each takes two parts of memory."""
ROOM = 16 * 1024 * 1024
"""Bytes that the streams into one store gather together before they are written."""
LEAST, MOST = 64 * 1024, 512 * 1024
"""Bytes that one of them gathers, however many or few they are."""


class Arrivals:
    """The streams into one store; `folder` is where a store on the local disk keeps its objects."""

    def __init__(self, objects: ObjectStore, folder: Path | None) -> None:
        self._objects, self._folder = objects, folder
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._under_way = 0

    async def keep(self, key: str, content: AsyncIterator[bytes], passage: Passage) -> None:
        """Keep what `passage` makes of `content` under `key`, whole or not at all.

        Raises what `content` raises, OSError, obstore's.
        """
        if self._folder is not None:
            await self._to_file(_place(self._folder, key), content, passage)
            return
        with await asyncio.to_thread(_nameless) as file:
            await self._write(file, content, passage)
            async with self._turn:
                await asyncio.to_thread(file.seek, 0)
                await obstore.put_async(self._objects, key, file, chunk_size=PART, max_concurrency=2)

    async def _to_file(self, place: Path, content: AsyncIterator[bytes], passage: Passage) -> None:
        unfinished = place.with_name(f"{place.name}#{secrets.randbelow(10**12)}")  # as obstore names such a file
        file = await asyncio.to_thread(_created, unfinished)
        try:
            with file:
                await self._write(file, content, passage)
            unfinished.rename(place)  # of a directory's entry only: no bytes are moved
        except BaseException:
            unfinished.unlink(missing_ok=True)  # not awaited: a cancelled task may not get the chance
            raise

    async def _write(self, file: IO[bytes], content: AsyncIterator[bytes], passage: Passage) -> None:
        """What has been gathered is written while more comes."""
        writing = _Writing(file, passage)
        self._under_way += 1
        try:
            async for chunk in content:
                if writing.gathered(chunk) >= min(MOST, max(LEAST, ROOM // self._under_way)):
                    await writing.begin()
            await writing.begin(last=True)
        finally:
            self._under_way -= 1
            await writing.ended()


class _Writing:
    """One stream's file: chunks are gathered here, and written by one thread at a time."""

    def __init__(self, file: IO[bytes], passage: Passage) -> None:
        self._file, self._passage = file, passage
        self._chunks: list[bytes] = []
        self._size, self._begun = 0, False
        self._at_work: asyncio.Future[None] | None = None

    def gathered(self, chunk: bytes) -> int:
        """Take one more chunk; bytes that wait now."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        return self._size

    async def begin(self, *, last: bool = False) -> None:
        """Have a thread write what has been gathered, once it is done with what was before. Raises OSError."""
        await self.ended()
        chunks, self._chunks, self._size = self._chunks, [], 0
        self._at_work = asyncio.get_running_loop().run_in_executor(None, self._pass, chunks, last)

    async def ended(self) -> None:
        """No thread is at the file any more, even if whoever waits is cancelled. Raises OSError."""
        if self._at_work is None:
            return
        await asyncio.wait((self._at_work,))  # unlike awaiting it, does not give it up where we are cancelled
        at_work, self._at_work = self._at_work, None
        at_work.result()

    def _pass(self, chunks: list[bytes], last: bool) -> None:
        if not self._begun:
            self._begun = True
            self._fill(self._passage.start())
        if chunks:  # in one piece: at each step a thread waits anew for the interpreter
            self._fill(self._passage.add(b"".join(chunks)))
        if last:
            self._fill(self._passage.end())

    def _fill(self, content: bytes) -> None:
        """All of it: a disk that fills up takes a part, and says so only when it is asked again."""
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]


def _place(folder: Path, key: str) -> Path:
    """Raises ValueError for a key that would leave the folder."""
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or {"..", "."} & set(key.split("/")):
        raise ValueError("a key is a relative path of plain segments")
    return folder.joinpath(*parts)


def _created(place: Path) -> IO[bytes]:
    place.parent.mkdir(parents=True, exist_ok=True)
    return place.open("xb", buffering=0)


def _nameless() -> IO[bytes]:
    return TemporaryFile(buffering=0)
