"""Every test runs on real PostgreSQL and Valkey, started once a run, with a database and a clock of its own."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from deploy import local, migrations
from models import organization
from models.base import clock
from models.base import database as postgres
from models.base.settings import Settings
from models.organization import Zone
from tests.s3 import S3

CHECKOUT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, those with a time limit of their own: one after the other in one process, and none is left
    for the end, when the other processes would wait for it."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A data directory of this run alone, so that runs side by side do not meet."""
    folder = CHECKOUT / ".local" / f"test-{os.getpid()}"
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def services(data_dir: Path) -> Iterator[local.Services]:
    """Real PostgreSQL and Valkey, without the disk's safety (a test's data need not outlive it)."""
    with local.start(data_dir, ephemeral=True) as running:
        yield running


@pytest.fixture(scope="session")
def s3(data_dir: Path) -> Iterator[S3]:
    """A real S3, started by the first test that asks; `s3.bucket()` makes each test its own."""
    with S3(data_dir / "s3") as running:
        yield running


@pytest.fixture(scope="session")
def template(services: local.Services) -> str:
    """The name of a migrated, empty database that each test's own is copied from."""

    async def prepare() -> None:
        url = await local.create_database(services, "template")
        await migrations.upgrade(url)
        await postgres.disconnect()

    asyncio.run(prepare())
    return "template"


@pytest.fixture
async def database_url(services: local.Services, template: str) -> AsyncIterator[str]:
    """A migrated, empty database of this test's own; for processes that connect by themselves."""
    name = f"test_{secrets.token_hex(6)}"
    yield await local.create_database(services, name, template=template)
    await local.drop_database(services, name)


@pytest.fixture
async def database(database_url: str, moving_clock: None) -> AsyncIterator[str]:
    """The test's database, connected in this process."""
    await postgres.connect(database_url)
    yield database_url
    await postgres.disconnect()


@pytest.fixture
def moving_clock(data_dir: Path) -> Iterator[None]:
    """The machine's time at first; `clock_moves` moves it."""
    file = data_dir / "clock"
    file.unlink(missing_ok=True)
    clock.allow_moving(file)
    yield
    clock.allow_moving(None)


@pytest.fixture
def clock_moves(moving_clock: None) -> Callable[..., None]:
    """`clock_moves(hours=3)`: that much later, in every process of this test."""
    return lambda **by: clock.move(timedelta(**by))


@pytest.fixture
async def redis(services: local.Services) -> AsyncIterator[Redis]:
    """Valkey, emptied."""
    client = Redis.from_url(services.redis_url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def zone(database: str) -> Zone:
    """A development zone with its calendar."""
    return await organization.create_zone(code="kfq", name="示范开发区")


@pytest.fixture
def settings(services: local.Services, database_url: str, data_dir: Path) -> Settings:
    """Settings of a test process over this test's database."""
    return Settings(
        mode="test",
        data_dir=data_dir,
        database_url=database_url,  # type: ignore[arg-type]
        redis_url=services.redis_url,  # type: ignore[arg-type]
        signing_key=secrets.token_urlsafe(32),  # type: ignore[arg-type]
    )
