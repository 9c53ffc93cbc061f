"""What operators and their tools see."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from deploy import local
from miniprogram_mock.wechat import process as mock
from models import ledger
from models.base import audit, calendar, clock, outbox
from models.base.outbox import PromiseState
from models.base.settings import Settings
from models.organization import Zone
from tests.api.conftest import Client, environment, free_port, serving
from tests.office import open_office


@pytest.fixture(scope="module")
def database_url(services: local.Services, template: str) -> str:
    """A database of these tests alone: what others left undone is not theirs to be late with."""
    return asyncio.run(local.create_database(services, "health", template=template))


@pytest.fixture(scope="module")
def settings(services: local.Services, database_url: str, data_dir: Path) -> Settings:
    return Settings(
        mode="test",
        data_dir=data_dir,
        database_url=database_url,  # type: ignore[arg-type]
        redis_url=services.redis_url,  # type: ignore[arg-type]
        signing_key="k" * 40,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def address(settings: Settings, platform: mock.MockWechat, data_dir: Path) -> Iterator[str]:
    port = free_port()
    told = environment(settings, ZHUOLUO_WECHAT_ORIGIN=platform.url)
    with serving(data_dir / "health.log", ["-m", "api", "--port", str(port)], port, told) as url:
        yield url


async def sealed(zone: Zone) -> None:
    while await audit.seal(zone.id):
        pass


async def test_readiness_names_a_promise_that_is_late(anyone: Client, zone: Zone) -> None:
    await sealed(zone)
    assert (await anyone.get("/readyz")).content["ready"] is True
    due_at = clock.now() - timedelta(seconds=301)
    await outbox.promise(zone.id, calendar.CHANGED, due_at=due_at, key="late")
    answer = await anyone.get("/readyz")
    assert (answer.status, answer.content["promises"], answer.content["audit"]) == (503, "late", "ok")
    assert answer.content["oldest_seconds"]["promises"] >= 301
    await outbox.Promise.filter(zone_id=zone.id).update(state=PromiseState.QUARANTINED)
    answer = await anyone.get("/readyz")
    assert (answer.status, answer.content["quarantined"]) == (200, 1)
    assert "zhuoluo_outbox_quarantined 1.0" in (await anyone.get("/metrics")).text
    await outbox.Promise.filter(zone_id=zone.id).delete()


async def test_readiness_tells_that_no_worker_seals_or_fires(
    anyone: Client, zone: Zone, clock_moves: Callable[..., None]
) -> None:
    office = await open_office(zone)
    item = await office.issued()
    clock_moves(days=30)
    answer = await anyone.get("/readyz")
    assert (answer.status, answer.content["escalations"], answer.content["audit"]) == (503, "late", "late")
    await sealed(zone)
    await ledger.cancel(item.id, by=office.overseer, reason="重复交办")
    await sealed(zone)
    await outbox.Promise.filter(zone_id=zone.id).delete()
    answer = await anyone.get("/readyz")
    assert (answer.status, answer.content["escalations"], answer.content["audit"]) == (200, "ok", "ok")


async def test_metrics_count_by_template_and_are_for_the_inside_only(anyone: Client) -> None:
    await anyone.get("/healthz")
    inside = await anyone.get("/metrics")
    assert 'zhuoluo_requests_total{audience="operations",method="GET",route="/healthz",status="200"}' in inside.text
    assert "zhuoluo_outbox_due" in inside.text
    outside = await anyone.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert (outside.status, outside.code) == (404, "not_found")


async def test_without_a_database_it_lives_is_not_ready_and_still_counts(
    settings: Settings, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    told = environment(settings, ZHUOLUO_DATABASE_URL=f"postgres://nobody:x@127.0.0.1:{free_port()}/none")
    with serving(tmp_path / "log", ["-m", "api", "--port", str(port)], port, told) as url:
        anyone = Client(url, http)
        answer = await anyone.get("/readyz")
        assert (answer.status, answer.content["database"]) == (503, "unreachable")
        text = (await anyone.get("/metrics")).text
    assert "zhuoluo_database_up 0.0" in text and 'route="/readyz",status="503"' in text


@pytest.fixture
def production(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """The real entry, with two workers, whose Redis is away."""
    port = free_port()
    told = environment(settings, ZHUOLUO_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    command = ["-m", "api", "--port", str(port), "--workers", "2"]
    with serving(tmp_path / "log", command, port, told) as url:
        yield url


async def test_with_redis_away_everything_is_still_answered(production: str, http: aiohttp.ClientSession) -> None:
    anyone = Client(production, http)
    body = {"login": f"nobody-{uuid4().hex}", "password": "x", "code": "000000"}
    for _ in range(5):
        answer = await anyone.post("/api/console/sign-in", body)
        assert answer.code == "sign_in_failed"
    assert (await anyone.get("/readyz")).status == 200
    assert "zhuoluo_requests_total" in (await anyone.get("/metrics")).text
