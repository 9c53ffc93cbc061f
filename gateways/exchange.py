"""How a call leaves: one HTTP session, bounded waits and answers, and one reading of what happens on the way."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from gateways.refusals import Refusal, RefusalKind, no_answer, not_sent

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
MOST_AT_ONCE = 256
MOST_BYTES = 4 * 1024 * 1024


@contextmanager
def readable() -> Iterator[None]:
    """An answer that lacks what was promised is no answer."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as odd:
        raise no_answer(f"answer is odd: {type(odd).__name__}") from None


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    content_type: str
    content: bytes


class Exchange:
    """Requests to one origin. Connects on first use, inside the running loop."""

    def __init__(self, origin: str, timeout: aiohttp.ClientTimeout = TIMEOUT) -> None:
        self._origin, self._timeout = origin.rstrip("/"), timeout
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The reply, whatever its status. Raises Refusal.

        A connection that was never made is `retry_after`; any failure after that is `unknown`. The cause is not
        chained: it holds the whole address, and so the token.
        """
        try:
            return await self._whole(method, path, params, content, headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as unreachable:
            refusal = not_sent(type(unreachable).__name__)
        except (aiohttp.ClientError, TimeoutError) as broken:
            refusal = no_answer(type(broken).__name__)
        raise refusal from None

    async def _whole(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Reply:
        kinds = {} if content is None else {"content-type": "application/json"}
        query = "?" + urlencode(params) if params else ""
        async with self._opened().request(
            method,
            URL(self._origin + path + query, encoded=True),
            data=content,
            headers={**kinds, **(headers or {})},
            allow_redirects=False,
        ) as response:
            return Reply(response.status, response.headers, response.content_type, await _bounded(response))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                # shorter than a server's idle limit: a connection closed under a send would be an `unknown`
                connector=aiohttp.TCPConnector(limit=MOST_AT_ONCE, keepalive_timeout=10),
            )
        return self._session


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MOST_BYTES:
            raise no_answer("answer too large")
    return bytes(content)


def refuse_status(status: int) -> None:
    """Raises Refusal for every status but 2xx: turned away at the door, broken behind it, or refused for good."""
    if status in (429, 503):
        raise not_sent(f"HTTP {status}")
    if status >= 500:
        raise no_answer(f"HTTP {status}")
    if not 200 <= status < 300:
        raise Refusal(RefusalKind.PERMANENT, reason=f"HTTP {status}")
