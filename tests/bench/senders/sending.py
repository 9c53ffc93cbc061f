"""The one thing that all senders do: a message to the platform, over one session of a process."""

import aiohttp

from tests.bench.senders import SUBSCRIBE, Order

JSON = {"content-type": "application/json"}


class Sender:
    """Sends `order`'s messages; made within a running loop."""

    def __init__(self, order: Order) -> None:
        self._order, self._token = order, ""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def open(self) -> None:
        """Fetch the token."""
        asked = {"grant_type": "client_credential", "appid": self._order.appid, "secret": self._order.secret}
        async with self._session.post(f"{self._order.origin}/cgi-bin/stable_token", json=asked) as answer:
            self._token = (await answer.json(content_type=None))["access_token"]

    async def send(self, openid: str) -> None:
        """Raises RuntimeError where the platform does not take it."""
        url, message = self._order.origin + SUBSCRIBE, self._order.message(openid)
        async with self._session.post(url, params={"access_token": self._token}, data=message, headers=JSON) as answer:
            told = await answer.json(content_type=None)
        if told.get("errcode"):
            raise RuntimeError(str(told))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()
