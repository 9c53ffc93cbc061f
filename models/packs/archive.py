"""A ZIP that is read while it is written: nothing of it is kept but the list of its files.

Python's own zipfile writes to a stream that cannot be rewound; sizes follow each file. Pictures are stored as they
are, text is deflated. Past 4 GB or 65,535 files it is ZIP64.
"""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from models.base import clock
from models.packs.manifest import FileFact


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to be added, brought by `chunks`."""

    path: str
    what: str
    chunks: AsyncIterator[bytes]
    item: str | None = None
    deflate: bool = True


class _Written:
    """What zipfile has written and nobody has taken yet."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing below."""

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Archive:
    """`add` each entry and `end`, passing on what they yield. `files` lists what has been added."""

    def __init__(self, made_at: datetime) -> None:
        self.files: list[FileFact] = []
        self._at = clock.local(made_at).timetuple()[:6]
        self._written = _Written()
        self._zip = ZipFile(self._written, "w")  # type: ignore[call-overload]  # a stream need not rewind

    async def add(self, entry: Entry) -> AsyncIterator[bytes]:
        """The bytes by which the archive grows, as the entry's own come in."""
        info = ZipInfo(entry.path, self._at)
        info.compress_type = ZIP_DEFLATED if entry.deflate else ZIP_STORED
        info.external_attr = 0o644 << 16
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w") as file:
            async for chunk in entry.chunks:
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
                yield self._written.taken()
        fact = {"path": entry.path, "size": size, "sha256": digest.hexdigest(), "what": entry.what, "item": entry.item}
        self.files.append(FileFact.model_validate(fact))
        yield self._written.taken()

    def end(self) -> bytes:
        """The directory of the archive."""
        self._zip.close()
        return self._written.taken()


async def whole(content: bytes) -> AsyncIterator[bytes]:
    """`content` as the chunks of an entry."""
    yield content
