"""What operators and their tools see."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from models.base import calendar, clock, outbox
from models.base.settings import Settings
from models.organization import Zone
from tests.api.conftest import Client, environment, free_port, serving


async def test_readiness_names_what_is_late(anyone: Client, zone: Zone) -> None:
    assert (await anyone.get("/readyz")).content["ready"] is True
    due_at = clock.now() - timedelta(seconds=301)
    await outbox.promise(zone.id, calendar.CHANGED, due_at=due_at, key="late")
    answer = await anyone.get("/readyz")
    await outbox.Promise.filter(zone_id=zone.id).delete()
    assert (answer.status, answer.content["promises"], answer.content["database"]) == (503, "late", "ok")


async def test_metrics_count_by_template_and_are_for_the_inside_only(anyone: Client) -> None:
    await anyone.get("/healthz")
    inside = await anyone.get("/metrics")
    assert 'zhuoluo_requests_total{audience="operations",method="GET",route="/healthz",status="200"}' in inside.text
    assert "zhuoluo_outbox_due" in inside.text
    outside = await anyone.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert (outside.status, outside.code) == (404, "not_found")


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
