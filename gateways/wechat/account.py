"""One appid at the platform, called with its own token."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis

from gateways.wechat.refusals import DAILY_QUOTA_SPENT, TOKEN_REFUSED, Refusal, RefusalKind, not_sent
from gateways.wechat.tokens import Tokens
from gateways.wechat.transport import Transport, readable
from models.base import clock

TOKENLESS = "/sns/"


class Account:
    """The client that wechatpy's API classes ask for: they return what `get` and `post` return, so they can be awaited.

    A refused token is dropped, fetched anew and tried exactly once more. A path whose quota of the day is spent is
    not called again before the next day (in Shanghai).
    """

    def __init__(self, transport: Transport, appid: str, secret: str, redis: "Redis") -> None:
        self.appid, self.secret = appid, secret
        self._transport = transport
        self._tokens = Tokens(redis, appid, self._fetch_token)
        self._resting: dict[str, datetime] = {}

    async def get(self, url: str, params: dict[str, Any] | None = None, **wechatpy: Any) -> Any:
        """GET `url`, as wechatpy writes it. Raises Refusal."""
        return await self._call("GET", url, params or {}, None, **wechatpy)

    async def post(self, url: str, data: dict[str, Any], **wechatpy: Any) -> Any:
        """POST `data` as JSON to `url`, as wechatpy writes it. Raises Refusal."""
        return await self._call("POST", url, {}, dict(data), **wechatpy)

    async def _call(
        self,
        method: str,
        url: str,
        params: dict[str, Any],
        body: dict[str, Any] | None,
        *,
        api_base_url: str = "/cgi-bin/",
        result_processor: Callable[[Any], Any] | None = None,
    ) -> Any:
        path = urlsplit(api_base_url).path + url
        self._refuse_resting(path)
        try:
            answer = await self._with_token(method, path, params, body)
        except Refusal as refused:
            if refused.errcode == DAILY_QUOTA_SPENT and refused.retry_at:
                self._resting[path] = refused.retry_at
            raise
        return result_processor(answer) if result_processor else answer

    async def _with_token(self, method: str, path: str, params: dict[str, Any], body: dict[str, Any] | None) -> Any:
        if path.startswith(TOKENLESS):
            return await self._transport.call(method, path, params, body)
        token = await self._tokens.current()
        try:
            return await self._transport.call(method, path, params | {"access_token": token}, body)
        except Refusal as refused:
            if refused.errcode not in TOKEN_REFUSED:
                raise
        await self._tokens.drop(token)
        fresh = await self._tokens.current()
        return await self._transport.call(method, path, params | {"access_token": fresh}, body)

    def _refuse_resting(self, path: str) -> None:
        until = self._resting.get(path)
        if until and clock.now() < until:
            raise Refusal(RefusalKind.RETRY_AFTER, DAILY_QUOTA_SPENT, "quota of the day is spent", retry_at=until)

    async def _fetch_token(self) -> tuple[str, int]:
        asked = {"grant_type": "client_credential", "appid": self.appid, "secret": self.secret, "force_refresh": False}
        try:
            answer = await self._transport.call("POST", "/cgi-bin/stable_token", {}, asked)
            with readable():
                return str(answer["access_token"]), int(answer["expires_in"])
        except Refusal as refused:
            if refused.kind is not RefusalKind.UNKNOWN:
                raise
            raise not_sent(refused.reason) from None  # what the token was wanted for has not left
