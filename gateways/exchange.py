"""How a call leaves: bounded waits and answers, and one reading of what happens on the way."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from gateways.connections import TOTAL_SECONDS, Broken, Connections, Reply, Unreachable
from gateways.refusals import Refusal, RefusalKind, no_answer, not_sent

__all__ = ["Exchange", "Reply", "readable", "refuse_status"]


@contextmanager
def readable() -> Iterator[None]:
    """An answer that lacks what was promised is no answer."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as odd:
        raise no_answer(f"answer is odd: {type(odd).__name__}") from None


class Exchange:
    """Requests to one address and what lies below it."""

    def __init__(self, url: str, total_seconds: float = TOTAL_SECONDS) -> None:
        parts = urlsplit(url)
        self._host, self._path = parts.netloc.rpartition("@")[2], parts.path.rstrip("/")
        self._connections = Connections(url, total_seconds)

    async def close(self) -> None:
        """Let go of the connections."""
        self._connections.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The reply, whatever its status; redirects are not followed. Raises Refusal.

        A connection that was never made is `retry_after`; any failure after that is `unknown`.
        """
        target = (self._path + path or "/") + ("?" + urlencode(params) if params else "")
        request = _request(method, target, self._host, headers or {}, content)
        try:
            return await self._connections.ask(request)
        except Unreachable as unreachable:
            refusal = not_sent(str(unreachable))
        except Broken as broken:
            refusal = no_answer(str(broken))
        raise refusal from None


def _request(method: str, target: str, host: str, headers: Mapping[str, str], content: bytes | None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}"]
    if content is not None:
        lines += ["content-type: application/json", f"content-length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break within a request's head")
    return "\r\n".join([*lines, "", ""]).encode() + (content or b"")


def refuse_status(status: int) -> None:
    """Raises Refusal for every status but 2xx: turned away at the door, broken behind it, or refused for good."""
    if status in (429, 503):
        raise not_sent(f"HTTP {status}")
    if status >= 500:
        raise no_answer(f"HTTP {status}")
    if not 200 <= status < 300:
        raise Refusal(RefusalKind.PERMANENT, reason=f"HTTP {status}")
