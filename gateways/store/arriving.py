"""Streams on their way into the object store, each with the same little memory, however many come and however slowly.

obstore holds a part of S3's own size (5 MB) of every stream until it can write it: of two hundred phones at once, a
gigabyte. So a stream goes to the disk as it comes. In a store on the local disk it goes to the file that it will be;
for S3 to a nameless one, which ends with its process, and from there a few at a time.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO

import obstore
from obstore.store import ObjectStore

PART = 5 * 1024 * 1024
"""Bytes of one part of an object that S3 takes in parts: its least."""
AT_ONCE = 4
"""Objects on their way to S3 from one process; each takes two parts of memory."""


class Arrivals:
    """The streams into one store; `folder` is where a store on the local disk keeps its objects."""

    def __init__(self, objects: ObjectStore, folder: Path | None) -> None:
        self._objects, self._folder = objects, folder
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def keep(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Keep what `content` brings under `key`, whole or not at all. Raises what it raises, OSError, obstore's."""
        if self._folder is not None:
            await _to_file(_place(self._folder, key), content)
            return
        with await asyncio.to_thread(TemporaryFile) as file:
            await _write(file, content)
            async with self._turn:
                await asyncio.to_thread(file.seek, 0)
                await obstore.put_async(self._objects, key, file, chunk_size=PART, max_concurrency=2)


def _place(folder: Path, key: str) -> Path:
    """Raises ValueError for a key that would leave the folder."""
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or {"..", "."} & set(key.split("/")):
        raise ValueError("a key is a relative path of plain segments")
    return folder.joinpath(*parts)


async def _to_file(place: Path, content: AsyncIterator[bytes]) -> None:
    unfinished = place.with_name(f"{place.name}#{secrets.randbelow(10**12)}")  # as obstore names such a file
    file = await asyncio.to_thread(_created, unfinished)
    try:
        with file:
            await _write(file, content)
        unfinished.rename(place)  # of a directory's entry only: no bytes are moved
    except BaseException:
        unfinished.unlink(missing_ok=True)  # not awaited: a cancelled task may not get the chance
        raise


def _created(place: Path) -> IO[bytes]:
    place.parent.mkdir(parents=True, exist_ok=True)
    return place.open("xb", buffering=0)


async def _write(file: IO[bytes], content: AsyncIterator[bytes]) -> None:
    """One chunk is written while the next one comes."""
    writing = None
    try:
        async for chunk in content:
            if writing is not None:
                await writing
            writing = asyncio.get_running_loop().run_in_executor(None, file.write, chunk)
    finally:
        if writing is not None:
            await writing
