"""Workers on real services: the relay in this process, or a process of its own that may be killed."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from miniprogram_mock.wechat.process import MockWechat, start
from models import deliveries, reminders
from models.base import clock
from models.base.calendar import calendar_of
from models.base.ids import new_id
from models.base.settings import Settings, WeChatSettings
from models.organization import Binding, Person, Zone
from models.reminders import ReminderKind
from workers import main
from workers.relay import Context, Relay

ROOT = Path(__file__).parents[2]
TEMPLATE = "ZL_TODO"
ACCOUNTS = {
    "appid": "wx5a1e0000000000aa",
    "secret": "demo-mini-secret",
    "service_appid": "wx5e2b0000000000bb",
    "service_secret": "demo-service-secret",
}
main.register()


class Platform:
    """The mock platform's own side: phones, faults, what was sent."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url, self._http = url, http

    async def ask(self, method: str, path: str, /, **body: object) -> dict[str, Any]:
        async with self._http.request(method, self.url + path, json=body or None) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def fault(self, path: str, kind: str, **options: object) -> None:
        await self.ask("POST", "/_control/faults", path=path, kind=kind, **options)

    async def heal(self) -> None:
        await self.ask("DELETE", "/_control/faults")

    async def sent(self) -> list[dict[str, Any]]:
        return (await self.ask("GET", "/_control/sent?limit=1000"))["items"]


@pytest.fixture(scope="session")
def mock() -> Iterator[MockWechat]:
    with start(port=0) as running:
        yield running


@pytest.fixture
async def platform(mock: MockWechat) -> AsyncIterator[Platform]:
    async with aiohttp.ClientSession() as http:
        platform = Platform(mock.url, http)
        await platform.heal()
        await platform.ask("POST", "/_control/reset")
        yield platform


@pytest.fixture
def worker_settings(settings: Settings, mock: MockWechat) -> Settings:
    return settings.model_copy(update={"wechat": WeChatSettings(origin=mock.url, **ACCOUNTS)})  # type: ignore[arg-type]


@pytest.fixture
async def context(worker_settings: Settings, database: str, redis: object) -> AsyncIterator[Context]:
    """What handlers may use, in this process, on this test's database."""
    async with main.composed(worker_settings) as composed:
        yield composed


@pytest.fixture
def relay(context: Context) -> Relay:
    return Relay(context)


@pytest.fixture
async def daytime(zone: Zone, clock_moves: Callable[..., None]) -> None:
    """Ten in the morning of a working day, so that phones may ring."""
    day = (await calendar_of(zone.id)).add_working_days(clock.today(), 1)
    clock_moves(seconds=(clock.at(day, 10) - clock.now()).total_seconds())


Bind = Callable[..., Awaitable[Person]]


@pytest.fixture
def bind(zone: Zone, platform: Platform) -> Bind:
    """`await bind(consents=1, follows=True)`: somebody with a phone at the platform."""
    made: list[Person] = []

    async def bound(*, consents: int = 0, follows: bool = False) -> Person:
        number = f"1540000{len(made):04d}"
        person = await Person.create(zone_id=zone.id, staff_no=number, name="某某", phone=number)
        phone = await platform.ask("POST", "/_phone/register", phone=number, following=follows)
        openid, unionid = phone["openid"], phone["unionid"]
        await Binding.create(zone_id=zone.id, person_id=person.id, openid=openid, unionid=unionid, bound_at=clock.now())
        for _ in range(consents):
            await platform.ask("POST", f"/_phone/{openid}/subscribe", template_ids=[TEMPLATE], choice="accept")
            await deliveries.credit(zone.id, openid, TEMPLATE)
        if follows:
            await deliveries.follow(zone.id, phone["service_openid"], unionid)
        made.append(person)
        return person

    return bound


class WorkerProcess:
    """`python -m workers`, as it runs in production."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment, self.log = environment, log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def metrics_port(self) -> int:
        return int(self.environment["ZHUOLUO_METRICS_PORT"])

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers"],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=output,
            )

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(30)


@pytest.fixture
def worker(worker_settings: Settings, tmp_path: Path) -> Iterator[WorkerProcess]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "ZHUOLUO_MODE": "test",
        "ZHUOLUO_DATA_DIR": str(worker_settings.data_dir),
        "ZHUOLUO_DATABASE_URL": worker_settings.database_url.get_secret_value(),
        "ZHUOLUO_REDIS_URL": worker_settings.redis_url.get_secret_value(),
        "ZHUOLUO_SIGNING_KEY": worker_settings.signing_key.get_secret_value(),
        "ZHUOLUO_METRICS_PORT": str(port),
        "ZHUOLUO_WECHAT_ORIGIN": worker_settings.wechat.origin,
        **{f"ZHUOLUO_WECHAT_{name.upper()}": value for name, value in ACCOUNTS.items()},
    }
    worker = WorkerProcess(environment, tmp_path / "worker.log")
    yield worker
    if worker.process and worker.process.poll() is None:
        worker.end(signal.SIGKILL)


async def until(holds: Callable[[], Awaitable[Any]], seconds: float = 30) -> Any:
    """What `holds` answers as soon as it is true; fails the test after so many seconds."""
    async with asyncio.timeout(seconds):
        while not (answer := await holds()):  # noqa: ASYNC110 — what happens in another process has no event
            await asyncio.sleep(0.05)
        return answer


@pytest.fixture(name="until")
def _until() -> Callable[..., Awaitable[Any]]:
    return until


@pytest.fixture
def owe(zone: Zone) -> Callable[..., Awaitable[UUID]]:
    """`await owe(person)`: a reminder whose delivery is due at once."""

    async def owed(person: Person, **more: Any) -> UUID:
        facts = {"subject": ("item", new_id()), "summary": "秘密的标题", "key": str(new_id()), **more}
        made = await reminders.remind(zone.id, person.id, ReminderKind.OVERDUE, **facts)
        assert made is not None
        await deliveries.Delivery.filter(reminder_id=made).update(not_before=clock.now())
        return made

    return owed
