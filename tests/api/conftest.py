"""The API as a process of its own, started once a run, the mock WeChat, and whoever calls them.

Tests share its database: each has a zone, people and numbers of its own.
"""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from uuid import UUID, uuid4

import aiohttp
import pyotp
import pytest

from deploy import local
from miniprogram_mock.wechat import process as mock
from models import accounts, organization
from models.base import clock
from models.base.scope import Role, Scope
from models.base.settings import Settings
from models.organization import Person, RoleGrant, Unit, UnitKind, Zone
from tests.full_zone import EVERYBODY, KEEPER, READER, FullZone, fill

CHECKOUT = Path(__file__).parents[2]
APPID, SECRET = "wx5a1e0000000000aa", "demo-mini-secret"
CALLBACK_TOKEN, CALLBACK_KEY = "zhuoluo", "emhvbHVvLWRlbW8tZW5jb2RpbmctYWVzLWtleS0wMDA"
Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A reply, read to its end."""

    status: int
    headers: Any
    text: str
    content: Any

    @property
    def code(self) -> str:
        """The problem's code; a reply that is no problem fails here."""
        assert self.headers["content-type"] == "application/problem+json", self.text
        return self.content["code"]


class Client:
    """Calls one server; `headers` go with every call."""

    def __init__(self, url: str, session: aiohttp.ClientSession, **headers: str) -> None:
        self.url, self.session, self.headers = url, session, headers

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        headers = {**self.headers, **options.pop("headers", {})}
        async with self.session.request(method, self.url + path, headers=headers, **options) as response:
            text = await response.text(errors="replace")  # a file is no text
            content = await response.json(content_type=None) if "json" in response.content_type else None
            return Answer(response.status, response.headers.copy(), text, content)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        if body is not None:
            options["json"] = body
        return await self.call("POST", path, **options)

    async def write(self, path: str, body: Any = None, key: str | None = None) -> Answer:
        """A write of a phone, under an idempotency key."""
        return await self.post(path, body, headers={"Idempotency-Key": key or str(uuid4())})


@pytest.fixture(scope="session")
def platform() -> Iterator[mock.MockWechat]:
    """The mock WeChat platform."""
    with mock.start(latency_ms=0) as running:
        yield running


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """What a process of the API is told."""
    return {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "ZHUOLUO_MODE": settings.mode,
        "ZHUOLUO_DATA_DIR": str(settings.data_dir),
        "ZHUOLUO_DATABASE_URL": settings.database_url.get_secret_value(),
        "ZHUOLUO_REDIS_URL": settings.redis_url.get_secret_value(),
        "ZHUOLUO_SIGNING_KEY": settings.signing_key.get_secret_value(),
        "ZHUOLUO_WECHAT_APPID": APPID,
        "ZHUOLUO_WECHAT_SECRET": SECRET,
        "ZHUOLUO_WECHAT_CALLBACK_TOKEN": CALLBACK_TOKEN,
        "ZHUOLUO_WECHAT_CALLBACK_AES_KEY": CALLBACK_KEY,
        **more,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(log: Path, command: list[str], port: int, told: dict[str, str]) -> Iterator[str]:
    """A server process in a session of its own, answering; stopped as an operator stops it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=CHECKOUT, env=told, stdout=output, stderr=output, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 30
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # a session of its own: nobody else is hit
            raise


def _answers(port: int) -> bool:
    """Whether it serves: its manager listens before its workers do."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as reply:
            return reply.status == 200
    except OSError:
        return False


@pytest.fixture(scope="session")
def database_url(services: local.Services, template: str) -> str:
    """One database for all tests of the API."""
    return asyncio.run(local.create_database(services, "api", template=template))


@pytest.fixture(scope="session")
def settings(services: local.Services, database_url: str, data_dir: Path) -> Settings:
    """What the server and the tests' own rules share."""
    return Settings(
        mode="test",
        data_dir=data_dir,
        database_url=database_url,  # type: ignore[arg-type]
        redis_url=services.redis_url,  # type: ignore[arg-type]
        signing_key=secrets.token_urlsafe(32),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="session")
def log(data_dir: Path) -> Path:
    """Where the server writes its log."""
    return data_dir / "api.log"


@pytest.fixture(scope="session")
def address(settings: Settings, platform: mock.MockWechat, log: Path) -> Iterator[str]:
    """The process."""
    port = free_port()
    told = environment(settings, ZHUOLUO_WECHAT_ORIGIN=platform.url)
    with serving(log, ["tests/api/probe.py", str(port)], port, told) as url:
        yield url


@pytest.fixture
def server(address: str, database: str, redis: object) -> str:
    """The address of the API, with the probe's routes; its clock at the machine's, Redis emptied."""
    return address


@pytest.fixture
async def zone(database: str) -> Zone:
    """A zone of this test's own."""
    return await organization.create_zone(code=f"kfq-{secrets.token_hex(4)}", name="示范开发区")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client without cookies of its own."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
def anyone(server: str, http: aiohttp.ClientSession) -> Client:
    """Nobody in particular."""
    return Client(server, http)


@pytest.fixture
async def bureau(zone: Zone) -> Unit:
    """A unit."""
    return await Unit.create(zone_id=zone.id, code="cyj", name="产业发展局", kind=UnitKind.DEPARTMENT, path="/kfq/cyj/")


@pytest.fixture
async def wang(zone: Zone, bureau: Unit) -> Person:
    """A cadre of the bureau."""
    return await person(zone, bureau, "王静", Role.CADRE)


def number() -> str:
    """A mobile number that nobody else has."""
    return f"139{secrets.randbelow(10**8):08}"


async def person(zone: Zone, unit: Unit, name: str, *roles: Role) -> Person:
    """Somebody of the roster, with roles over `unit`."""
    phone = number()
    made = await Person.create(zone_id=zone.id, staff_no=f"S{phone}", name=name, phone=phone)
    for role in roles:
        await RoleGrant.create(zone_id=zone.id, person=made, role=role, unit=unit)
    return made


class Phone(Client):
    """A phone at the mock platform, with the mini-program on it."""

    def __init__(self, url: str, session: aiohttp.ClientSession, wechat: str, openid: str) -> None:
        super().__init__(url, session)
        self.wechat, self.openid = wechat, openid
        self.refresh_token = ""

    async def code(self, kind: str) -> str:
        """What `wx.login` (`login`) or the number's button (`phone_code`) gives."""
        async with self.session.post(f"{self.wechat}/_phone/{self.openid}/{kind}") as response:
            return (await response.json())["code"]

    async def sign_in(self) -> Answer:
        return self._keep(await self.post("/api/mini/sign-in", {"code": await self.code("login")}))

    async def bind(self, ticket: str) -> Answer:
        body = {"ticket": ticket, "phone_code": await self.code("phone_code")}
        return self._keep(await self.post("/api/mini/bind", body))

    async def enter(self) -> Answer:
        """Sign in, binding first where that is needed."""
        answer = await self.sign_in()
        if answer.status == 200 and answer.content["state"] == "to_bind":
            answer = await self.bind(answer.content["ticket"])
        return answer

    async def refresh(self, token: str | None = None) -> Answer:
        answer = await self.post("/api/mini/refresh", {"refresh_token": token or self.refresh_token})
        if answer.status == 200:
            self._hold(answer.content)
        return answer

    def _keep(self, answer: Answer) -> Answer:
        if answer.status == 200 and answer.content["tokens"]:
            self._hold(answer.content["tokens"])
        return answer

    def _hold(self, tokens: Json) -> None:
        self.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        self.refresh_token = tokens["refresh_token"]


@pytest.fixture
def phone_of(server: str, http: aiohttp.ClientSession, platform: mock.MockWechat) -> Any:
    """`await phone_of(number)`: a phone with that number."""

    async def make(number: str) -> Phone:
        async with http.post(f"{platform.url}/_phone/register", json={"phone": number}) as response:
            return Phone(server, http, platform.url, (await response.json())["openid"])

    return make


@pytest.fixture
async def phone(phone_of: Any, wang: Person) -> Phone:
    """Wang Jing's phone, signed in."""
    made: Phone = await phone_of(wang.phone)
    assert (await made.enter()).status == 200
    return made


class Desk(Client):
    """A browser at the console."""

    def __init__(self, url: str, session: aiohttp.ClientSession, login: str, password: str, secret: str) -> None:
        super().__init__(url, session)
        self.login, self.password, self.totp = login, password, pyotp.TOTP(secret)

    def code(self) -> str:
        return self.totp.at(clock.now())

    async def sign_in(self, **other: str) -> Answer:
        body = {"login": self.login, "password": self.password, "code": self.code(), **other}
        answer = await self.post("/api/console/sign-in", body)
        if answer.status == 200:
            self.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]
            self.headers["X-CSRF-Token"] = answer.content["csrf_token"]
        return answer


@pytest.fixture
async def full(server: str, zone: Zone, settings: Settings) -> FullZone:
    """This test's zone with one of everything in it."""
    return await fill(zone, accounts.Signer(settings.signing_key.get_secret_value()))


@pytest.fixture
def callers_in(phone_of: Any, desk_of: Any) -> Any:
    """`await callers_in(full_zone)`: by audience, somebody of that zone for every route."""

    async def make(full: FullZone) -> dict[str, Client]:
        phone: Phone = await phone_of((await full.person(EVERYBODY)).phone)
        assert (await phone.enter()).status == 200
        desks = {name: await desk_of((await full.person(name)).id) for name in (EVERYBODY, KEEPER, READER)}
        return {"mini": phone, "console": desks.pop(EVERYBODY), **desks}

    return make


@pytest.fixture
async def desk(server: str, http: aiohttp.ClientSession, zone: Zone, bureau: Unit, settings: Settings) -> Desk:
    """The security administrator's, with the first password still to be changed."""
    keeper = await person(zone, bureau, "李建国", Role.SECURITY_ADMIN)
    signer = accounts.Signer(settings.signing_key.get_secret_value())
    login = f"lijianguo-{secrets.token_hex(4)}"
    made = await accounts.create_account(keeper.id, login, by=Scope.system(zone.id), signer=signer)
    return Desk(server, http, login, made.password, pyotp.parse_uri(made.totp_uri).secret)


@pytest.fixture
def desk_of(server: str, http: aiohttp.ClientSession, settings: Settings) -> Any:
    """`await desk_of(person_id)`: that person's browser, signed in, past the change of the first password."""
    signer = accounts.Signer(settings.signing_key.get_secret_value())

    async def make(person_id: UUID) -> Desk:
        holder, login = await Person.get(id=person_id), f"desk-{secrets.token_hex(4)}"
        made = await accounts.create_account(holder.id, login, by=Scope.system(holder.zone_id), signer=signer)
        desk = Desk(server, http, login, made.password, pyotp.parse_uri(made.totp_uri).secret)
        assert (await desk.sign_in()).status == 200
        changed = {"current": made.password, "new": f"Zl-{secrets.token_urlsafe(18)}"}
        assert (await desk.post("/api/console/password", changed)).status == 204
        return desk

    return make
