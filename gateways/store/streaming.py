"""Content on its way in and out, sealed and opened as it passes."""

import asyncio
from collections.abc import AsyncIterator

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


async def seal(content: AsyncIterator[bytes], header: bytes, opened: Opened) -> AsyncIterator[bytes]:
    """The object as it is kept, as its content arrives."""
    working = Sealing(opened.aead)
    yield header
    async for piece in content:
        sealed = await asyncio.to_thread(working.add, piece) if opened.slow else working.add(piece)
        if sealed:
            yield sealed
    yield working.end()


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
