"""One mock platform a run, emptied before each test, and a client that plays backend, phone and tester."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from miniprogram_mock.wechat.process import MockWechat, start

APPID, SECRET = "wx5a1e0000000000aa", "demo-mini-secret"
SERVICE_APPID, SERVICE_SECRET = "wx5e2b0000000000bb", "demo-service-secret"
CREDENTIALS = {"mini": (APPID, SECRET), "service": (SERVICE_APPID, SERVICE_SECRET)}
SEND = "/cgi-bin/message/subscribe/send"
SEND_TEMPLATE = "/cgi-bin/message/template/send"
Json = dict[str, Any]


@pytest.fixture(scope="session")
def platform() -> Iterator[MockWechat]:
    """The process, with short push times."""
    options = {"push_retry_ms": 30, "push_timeout_ms": 400, "media_check_delay_ms": 20}
    with start(latency_ms=15, template_daily_limit=5, h5_base_url="http://localhost:5173/h5", **options) as running:
        yield running


class Wechat:
    """The three kinds of callers in one."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session

    async def get(self, path: str, **params: Any) -> Json:
        async with self.session.get(self.url + path, params=params) as response:
            return await response.json()

    async def post(self, path: str, body: Json | None = None, **params: Any) -> Json:
        async with self.session.post(self.url + path, json=body or {}, params=params) as response:
            return await response.json(content_type=None)

    async def token(self, account: str = "mini", force: bool = False) -> str:
        appid, secret = CREDENTIALS[account]
        grant = {"grant_type": "client_credential", "appid": appid, "secret": secret, "force_refresh": force}
        return (await self.post("/cgi-bin/stable_token", grant))["access_token"]

    async def register(self, phone: str = "13800000001", **more: Any) -> Json:
        return await self.post("/_phone/register", {"phone": phone, **more})

    async def consenting(self, phone: str = "13800000001", times: int = 1) -> str:
        """The openid of a phone that accepted `ZL_TODO` so many times."""
        openid = (await self.register(phone))["openid"]
        for _ in range(times):
            await self.post(f"/_phone/{openid}/subscribe", {"template_ids": ["ZL_TODO"]})
        return openid

    async def send(self, openid: str, token: str | None = None, **data: str) -> Json:
        values = {field: {"value": value} for field, value in (data or {"thing1": "您有1项待办"}).items()}
        body = {"touser": openid, "template_id": "ZL_TODO", "page": "pages/item?id=1", "data": values}
        return await self.post(SEND, body, access_token=token or await self.token())

    async def send_template(self, openid: str, **more: Any) -> Json:
        data = {"thing1": {"value": "您有1项待办"}}
        body = {"touser": openid, "template_id": "ZL_NOTICE", "data": data, **more}
        return await self.post(SEND_TEMPLATE, body, access_token=await self.token("service"))

    async def sent(self, **params: Any) -> list[Json]:
        return (await self.get("/_control/sent", **params))["items"]

    async def fault(self, path: str, kind: str, **more: Any) -> None:
        answer = await self.post("/_control/faults", {"path": path, "kind": kind, **more})
        assert "id" in answer, answer

    async def advance(self, seconds: float) -> None:
        await self.post("/_control/clock", {"advance_seconds": seconds})


@pytest.fixture
async def wechat(platform: MockWechat) -> AsyncIterator[Wechat]:
    async with aiohttp.ClientSession() as session:
        client = Wechat(platform.url, session)
        await client.post("/_control/callback", {"callback_url": "", "push_format": "json"})
        await client.post("/_control/reset")
        yield client


class Callback:
    """A backend's callback address; answers with `answers` in turn, then `success`."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[str | Callable[[], Awaitable[str]]] = []

    async def take(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(text=request.query["echostr"])
        self.received.append((dict(request.query), await request.read()))
        answer = self.answers.pop(0) if self.answers else "success"
        return web.Response(text=answer if isinstance(answer, str) else await answer())

    async def wait(self, count: int, seconds: float = 5.0) -> list[tuple[dict[str, str], bytes]]:
        deadline = time.monotonic() + seconds
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} of {count} pushes came"
            await asyncio.sleep(0.01)
        return self.received


@pytest.fixture
async def callback(wechat: Wechat) -> AsyncIterator[Callback]:
    address, app = Callback(), web.Application()
    app.router.add_route("*", "/wechat/callback", address.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    await wechat.post("/_control/callback", {"callback_url": f"http://127.0.0.1:{port}/wechat/callback"})
    yield address
    await wechat.post("/_control/callback", {"callback_url": ""})
    await runner.cleanup()
