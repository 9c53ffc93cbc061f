"""Content on its way in and out, sealed and opened as it passes."""

import asyncio
from collections.abc import AsyncIterator, Callable

from gateways.store.keys import Opened
from gateways.store.sealing import Opening, Sealing


class Source(AsyncIterator[bytes]):
    """What a sender sends; remembers why it broke off, to tell the sender's failures from the store's."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self._content = content
        self.failure: Exception | None = None

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._content)
        except StopAsyncIteration:
            raise
        except Exception as failure:
            self.failure = failure
            raise


Witness = Callable[[bytes], object]
"""Told every chunk of a stream in its order, in the thread that keeps it: whoever hashes it."""


class Passage:
    """What becomes of a stream's chunks on their way: told to a witness, and sealed where there is a key. Blocks."""

    def __init__(self, witness: Witness | None, sealed_by: tuple[bytes, Opened] | None) -> None:
        self._witness = witness
        self._header, opened = sealed_by or (b"", None)
        self._working = Sealing(opened.aead) if opened else None

    def start(self) -> bytes:
        """What the object begins with."""
        return self._header

    def add(self, chunk: bytes) -> bytes:
        """What can be kept now."""
        if self._witness is not None:
            self._witness(chunk)
        return self._working.add(chunk) if self._working else chunk

    def end(self) -> bytes:
        """What was kept back."""
        return self._working.end() if self._working else b""


class Opener:
    """The content of an object as its pieces arrive; of one that is not sealed, the pieces."""

    def __init__(self, opened: Opened | None) -> None:
        self._working = Opening(opened.aead) if opened else None
        self._slow = opened is not None and opened.slow

    async def add(self, piece: bytes) -> bytes:
        """The content that is certain now. Raises Damaged."""
        if self._working is None:
            return piece
        return await asyncio.to_thread(self._working.add, piece) if self._slow else self._working.add(piece)

    async def end(self) -> bytes:
        """What was kept back. Raises Damaged."""
        return self._working.end() if self._working else b""
