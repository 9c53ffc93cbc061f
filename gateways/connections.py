"""HTTP/1.1 connections to one origin that are kept open: one request at a time on each, read by httptools.

A message is one small request to one host. A whole HTTP client's redirects, cookies, encodings and streams take as
long for it as all our own work together (measured, ADR 23), so only what a message needs is here.
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
KEPT_SECONDS = 10.0
"""Shorter than a server's idle limit: a connection closed under a request would leave its outcome unknown."""
MOST_AT_ONCE = 256
MOST_BYTES = 4 * 1024 * 1024


class Unreachable(Exception):
    """No connection was made, so nothing has left."""


class Broken(Exception):
    """The request may have left, and no whole answer came."""


@dataclass(slots=True)
class Reply:
    """What came back, whole. Names of headers are in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def content_type(self) -> str:
        """The media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Connections:
    """Made as they are needed, inside the running loop, up to `most` at once; whoever comes then waits."""

    def __init__(self, origin: str, total_seconds: float = TOTAL_SECONDS, most: int = MOST_AT_ONCE) -> None:
        parts = urlsplit(origin)
        self._total_seconds = total_seconds
        self._host, self._tls = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._idle: deque[_Connection] = deque()
        self._places = asyncio.Semaphore(most)

    async def ask(self, request: bytes) -> Reply:
        """The reply to a whole request (head and body). Raises Unreachable, Broken."""
        async with self._places:
            connection = self._kept() or await self._made()
            try:
                return await connection.ask(request, self._total_seconds)
            finally:
                if connection.answered:
                    self._idle.append(connection)
                else:
                    connection.close()

    def close(self) -> None:
        """Let go of those that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> "_Connection | None":
        fresh = asyncio.get_running_loop().time() - KEPT_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.open and connection.answered_at > fresh:
                return connection
            connection.close()
        return None

    async def _made(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        tls = ssl.create_default_context() if self._tls else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await loop.create_connection(lambda: _Connection(loop), self._host, self._port, ssl=tls)
        except (OSError, TimeoutError) as refused:
            raise Unreachable(type(refused).__name__) from None
        return connection


class _Connection(asyncio.Protocol):
    """The methods `on_…` are called by the parser while it is fed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[Reply] | None = None
        self._reply, self._content = Reply(), bytearray()
        self._parser = HttpResponseParser(self)
        self.open, self.answered, self.answered_at = False, False, 0.0

    async def ask(self, request: bytes, seconds: float) -> Reply:
        self._waiter = self._loop.create_future()
        self.answered = False
        timer = self._loop.call_later(seconds, self._fail, "TimeoutError")
        self._transport.write(request)
        try:
            return await self._waiter
        finally:
            timer.cancel()
            self._waiter = None

    def close(self) -> None:
        if self.open:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        self._fail(type(exc).__name__ if exc else "Disconnected")

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError as odd:
            self._fail(type(odd).__name__)

    def on_message_begin(self) -> None:
        self._reply, self._content = Reply(), bytearray()
        if self._waiter is None or self._waiter.done():  # nobody's, and might be taken for another's
            self.answered = False
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._reply.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._content += body
        if len(self._content) > MOST_BYTES:
            self._fail("answer too large")

    def on_message_complete(self) -> None:
        self._reply.status = self._parser.get_status_code()
        if self._reply.status < 200:  # an interim answer; the one that counts follows
            return
        self._reply.content = bytes(self._content)
        if self._waiter and not self._waiter.done():
            self.answered, self.answered_at = self._parser.should_keep_alive(), self._loop.time()
            self._waiter.set_result(self._reply)

    def _fail(self, why: str) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(Broken(why))
