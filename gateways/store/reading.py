"""Objects as seekable files that fetch what is read, which Pillow, zipfile and the like ask for."""

import io
from collections.abc import Callable
from typing import Any

from gateways.store.keys import HEADER, Opened
from gateways.store.sealing import CHUNK, SEALED, last_chunk, open_chunk, sealed_size

Fetch = Callable[[int, int], bytes]
"""`(start, length)` in bytes of the object as it is kept; blocks."""
Read = Callable[[int, int], bytes]
"""`(start, length)` in bytes of the content: some of them, at least one; blocks."""


class Seekable(io.RawIOBase):
    """Content of `size` bytes as Python's file protocol, opened by its first read. Raises what `open_` raises."""

    def __init__(self, open_: Callable[[], Read], size: int) -> None:
        self._open, self._size, self._at = open_, size, 0
        self._opened: Read | None = None

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
        if not length:
            return 0
        self._opened = self._opened or self._open()
        content = self._opened(self._at, length)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


class SealedContent:
    """The content of a sealed object of `size` bytes; the chunk that was read last is kept."""

    def __init__(self, fetch: Fetch, opened: Opened, size: int) -> None:
        self._fetch, self._aead, self._size = fetch, opened.aead, size
        self._number, self._chunk = -1, b""

    def read(self, start: int, length: int) -> bytes:
        """As Read says, of one chunk. Raises Damaged."""
        number, within = divmod(start, CHUNK)
        if number != self._number:
            self._chunk = self._opened(number)
            self._number = number
        return self._chunk[within : within + length]

    def _opened(self, number: int) -> bytes:
        start = number * SEALED
        sealed = self._fetch(HEADER.size + start, min(SEALED, sealed_size(self._size) - start))
        return open_chunk(self._aead, number, sealed, last=number == last_chunk(self._size))
