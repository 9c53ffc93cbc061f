"""The mock platform as a process, and a gateway to it."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from redis.asyncio import Redis

from gateways.wechat import WeChat
from miniprogram_mock.wechat.process import MockWechat, start
from models.base.settings import WeChatSettings

ACCOUNTS = {
    "appid": "wx5a1e0000000000aa",
    "secret": "demo-mini-secret",
    "service_appid": "wx5e2b0000000000bb",
    "service_secret": "demo-service-secret",
}


class Platform:
    """The mock's own side: phones, faults, what was sent."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url, self._http = url, http

    async def ask(self, method: str, path: str, /, **body: object) -> dict:
        async with self._http.request(method, self.url + path, json=body or None) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def fault(self, path: str, kind: str, **options: object) -> None:
        await self.ask("POST", "/_control/faults", path=path, kind=kind, **options)

    async def calls(self, path: str) -> int:
        return (await self.ask("GET", "/_control/stats"))["calls"].get(path, 0)

    async def phone(self, number: str = "13800000001") -> dict:
        return await self.ask("POST", "/_phone/register", phone=number)


@pytest.fixture(scope="session")
def mock() -> Iterator[MockWechat]:
    with start(port=0) as running:
        yield running


@pytest.fixture
async def platform(mock: MockWechat) -> AsyncIterator[Platform]:
    async with aiohttp.ClientSession() as http:
        platform = Platform(mock.url, http)
        await platform.ask("DELETE", "/_control/faults")
        await platform.ask("POST", "/_control/reset")
        yield platform


@pytest.fixture
def accounts(mock: MockWechat) -> WeChatSettings:
    return WeChatSettings(origin=mock.url, **ACCOUNTS)  # type: ignore[arg-type]


@pytest.fixture
async def wechat(platform: Platform, accounts: WeChatSettings, redis: Redis) -> AsyncIterator[WeChat]:
    gateway = WeChat(accounts, redis)
    yield gateway
    await gateway.close()
