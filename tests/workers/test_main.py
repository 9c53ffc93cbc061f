"""The worker as a process: works without Redis, measures itself, ends when asked."""

import re
import signal
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from models import reminders
from models.base import audit, outbox
from models.base.scope import Scope
from models.deliveries import Delivery
from models.organization import Zone
from tests.workers.conftest import Bind, WorkerProcess

pytestmark = pytest.mark.usefixtures("daytime")
METRICS = (
    "zhuoluo_outbox_due",
    "zhuoluo_outbox_oldest_seconds",
    "zhuoluo_deliveries_total",
    "zhuoluo_escalation_lag_seconds_bucket",
    "zhuoluo_job_seconds_bucket",
    "zhuoluo_audit_unsealed_seconds",
)


async def test_promises_pushes_and_sealing_go_on_without_redis(
    *, zone: Zone, worker: WorkerProcess, bind: Bind, owe: Callable[..., Awaitable[UUID]], until: Callable[..., Any]
) -> None:
    worker.environment["ZHUOLUO_REDIS_URL"] = "redis://127.0.0.1:1/0"
    person = await bind(consents=1)
    acknowledged, _ = await owe(person), await owe(person)
    await reminders.acknowledge(acknowledged, by=Scope(zone.id, "person", person_id=person.id))
    worker.start()

    async def all_done() -> bool:
        unsealed = await audit.unsealed_age()
        ended = await Delivery.filter(state__in=["sent", "superseded", "merged"]).count()
        return (await outbox.depth()).due == 0 and ended == 2 and unsealed == 0

    await until(all_done)
    assert worker.end(signal.SIGTERM) == 0


async def test_a_worker_tells_what_it_does(
    worker: WorkerProcess, bind: Bind, owe: Callable[..., Awaitable[UUID]], until: Callable[..., Any]
) -> None:
    await owe(await bind(consents=1))
    worker.start()

    async def scraped() -> str | None:
        try:
            async with aiohttp.request("GET", f"http://127.0.0.1:{worker.metrics_port}/metrics") as response:
                text = await response.text()
        except aiohttp.ClientError:
            return None
        return text if 'channel="subscribe",outcome="sent"} 1.0' in text else None

    text = await until(scraped)
    for name in METRICS:
        assert re.search(rf"^{name}\b", text, re.MULTILINE), name
    assert worker.end(signal.SIGTERM) == 0
