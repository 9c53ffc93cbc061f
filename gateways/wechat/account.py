"""One appid at the platform, called with its own token."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis

from gateways.exchange import readable
from gateways.refusals import Refusal, RefusalKind, not_sent
from gateways.wechat.refusals import DAILY_QUOTA_SPENT, TOKEN_REFUSED
from gateways.wechat.tokens import Tokens
from gateways.wechat.transport import Transport
from models.base import clock

TOKENLESS = "/sns/"


@dataclass(frozen=True, slots=True)
class Credential:
    """Whose account it is, and the call by which it gets a token."""

    account: str
    method: str
    path: str
    params: dict[str, Any] = field(default_factory=dict, repr=False)
    body: dict[str, Any] | None = field(default=None, repr=False)


def stable_token(appid: str, secret: str) -> Credential:
    """Of a mini-program or a service account: the same token for all who ask, without refreshing it (wechat.md)."""
    asked = {"grant_type": "client_credential", "appid": appid, "secret": secret, "force_refresh": False}
    return Credential(appid, "POST", "/cgi-bin/stable_token", body=asked)


class Account:
    """The client that wechatpy's API classes ask for: they return what `get` and `post` return, so they can be awaited.

    A refused token is dropped, fetched anew and tried exactly once more. A path whose quota of the day is spent is
    not called again before the next day (in Shanghai).
    """

    def __init__(self, transport: Transport, credential: Credential, redis: "Redis", *, secret: str = "") -> None:
        self.appid, self.secret = credential.account, secret  # wechatpy reads both to sign people in
        self._transport, self._credential = transport, credential
        self._tokens = Tokens(redis, credential.account, self._fetch_token)
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
        try:
            return await self._transport.call(method, path, params | {"access_token": fresh}, body)
        except Refusal as again:
            again.alarm |= again.errcode in TOKEN_REFUSED  # a second token in a row: not a matter of its age
            raise

    def _refuse_resting(self, path: str) -> None:
        until = self._resting.get(path)
        if until and clock.now() < until:
            raise Refusal(RefusalKind.RETRY_AFTER, DAILY_QUOTA_SPENT, "quota of the day is spent", retry_at=until)

    async def _fetch_token(self) -> tuple[str, int]:
        asked = self._credential
        try:
            answer = await self._transport.call(asked.method, asked.path, asked.params, asked.body)
            with readable():
                return str(answer["access_token"]), int(answer["expires_in"])
        except Refusal as refused:
            if refused.kind is not RefusalKind.UNKNOWN:
                raise
            raise not_sent(refused.reason) from None  # what the token was wanted for has not left
