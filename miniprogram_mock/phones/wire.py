"""HTTP as a phone does it: JSON in and out, problems raised by their code, a repeat where no answer came."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

TRIES = 4
FIRST_PAUSE_SECONDS = 0.25
PATIENCE = aiohttp.ClientTimeout(total=60)


class Problem(Exception):
    """A refusal: RFC 9457 problem details of the API, or the mock platform's error."""

    def __init__(self, status: int, content: Mapping[str, Any]) -> None:
        self.status, self.content = status, dict(content)
        self.code: str = self.content.get("code") or self.content.get("error", "")
        super().__init__(f"{status} {self.code}: {self.content.get('detail', '')}")


class Wire:
    """One server, reached through a shared session."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session, self._origin = session, origin.rstrip("/")

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """The answer's JSON (bytes where it is something else, None for nothing). Raises Problem, ClientError.

        Where the connection broke, the same request is sent again, as phones do: writes must be safe to repeat. So it
        is where the server asks to wait (429, 503), unless for longer than a person would.
        """
        body = None if json is None else orjson.dumps(json)
        sent = {**({"content-type": "application/json"} if json is not None else {}), **(headers or {})}
        for attempt in range(TRIES):
            try:
                return await self._once(method, path, body if data is None else data, sent, params)
            except aiohttp.ClientConnectionError:
                if attempt == TRIES - 1 or isinstance(data, aiohttp.FormData):
                    raise
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
            except Problem as refused:
                wait = refused.content.get("retry_after", 0)
                if attempt == TRIES - 1 or refused.status not in (429, 503) or not 0 < wait <= 60:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError("the last try answers or raises")

    async def _once(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], params: Mapping[str, Any] | None
    ) -> Any:
        asked = self._session.request(
            method, self._origin + path, data=body, headers=headers, params=params, timeout=PATIENCE
        )
        async with asked as response:
            content = await response.read()
            is_json = "json" in response.content_type
            if response.status >= 400:
                raise Problem(response.status, orjson.loads(content) if is_json else {"detail": content[:300].decode()})
            if not content:
                return None
            return orjson.loads(content) if is_json else content
