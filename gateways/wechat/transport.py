"""How a call reaches the platform: one HTTP session, bounded waits and answers, and one reading of every outcome."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import orjson
import structlog

from gateways.wechat.refusals import Refusal, RefusalKind, no_answer, not_sent, refusal_of

log = structlog.get_logger()

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


class Transport:
    """Plain calls to one origin. Connects on first use, inside the running loop."""

    def __init__(self, origin: str, timeout: aiohttp.ClientTimeout = TIMEOUT) -> None:
        self._origin, self._timeout = origin.rstrip("/"), timeout
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, path: str, params: dict[str, Any], body: dict[str, Any] | None) -> Any:
        """The JSON object, or the bytes of a picture, that the platform answers. Raises Refusal.

        A connection that was never made is `retry_after`; any failure after that is `unknown`. The cause is not
        chained: it holds the whole address, and so the token.
        """
        try:
            return await self._answer(method, path, params, body)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as unreachable:
            refusal = not_sent(type(unreachable).__name__)
        except (aiohttp.ClientError, TimeoutError) as broken:
            refusal = no_answer(type(broken).__name__)
        except Refusal as refused:
            refusal = refused
        _tell(path, refusal)
        raise refusal from None

    async def _answer(self, method: str, path: str, params: dict[str, Any], body: dict[str, Any] | None) -> Any:
        session = self._opened()
        async with session.request(
            method,
            self._origin + path,
            params=params,
            data=None if body is None else orjson.dumps(body),
            headers={} if body is None else {"content-type": "application/json"},
            allow_redirects=False,
        ) as response:
            _refuse_status(response.status)
            return _read(response.content_type, await _whole(response))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                # shorter than a server's idle limit: a connection closed under a send would be an `unknown`
                connector=aiohttp.TCPConnector(limit=MOST_AT_ONCE, keepalive_timeout=10),
            )
        return self._session


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MOST_BYTES:
            raise no_answer("answer too large")
    return bytes(content)


def _refuse_status(status: int) -> None:
    if status in (429, 503):  # the front door turned the request away
        raise not_sent(f"HTTP {status}")
    if status >= 500:  # something behind the door broke, before or after doing it
        raise no_answer(f"HTTP {status}")
    if status != 200:
        raise Refusal(RefusalKind.PERMANENT, reason=f"HTTP {status}")


def _read(content_type: str, content: bytes) -> Any:
    if content_type.startswith("image/"):
        return content
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise no_answer("answer is not JSON") from None
    if not isinstance(answer, dict):
        raise no_answer("answer is not an object")
    with readable():
        errcode = int(answer.get("errcode") or 0)
    if errcode:
        raise refusal_of(errcode, str(answer.get("errmsg", "")))
    return answer


def _tell(path: str, refusal: Refusal) -> None:
    tell = log.error if refusal.alarm else log.info
    tell("wechat.refused", path=path, kind=refusal.kind, errcode=refusal.errcode, reason=refusal.reason)
