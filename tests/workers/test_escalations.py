"""Escalations by a worker as a process: killed, without Redis; each step once, each person once an item."""

import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from models.escalations import Timer, TimerState
from models.organization import Zone
from models.reminders import Reminder
from tests.office import Office, open_office
from tests.workers.conftest import WorkerProcess

pytestmark = pytest.mark.usefixtures("daytime")
Until = Callable[..., Awaitable[Any]]
ITEMS = 200


@pytest.fixture
async def backlog(zone: Zone, clock_moves: Callable[..., None]) -> Office:
    """Two months of steps that nobody fired."""
    office = await open_office(zone)
    for _ in range(ITEMS):
        await office.issued(due_days=2)
    await Reminder.all().delete()
    clock_moves(days=60)
    return office


async def fired() -> int:
    return await Timer.filter(state__in=[TimerState.FIRED, TimerState.MERGED], ended_at__isnull=False).count()


async def all_fired() -> bool:
    return not await Timer.filter(state=TimerState.WAITING, due_at__isnull=False).exists()


async def told_once() -> None:
    heard = Counter([(row.subject_id, row.person_id) for row in await Reminder.all()])
    assert set(heard.values()) == {1}
    assert len({item for item, _ in heard}) == ITEMS


async def test_a_worker_killed_while_it_catches_up_leaves_each_step_fired_once(
    *, backlog: Office, worker: WorkerProcess, redis: Redis, until: Until
) -> None:
    worker.start()

    async def in_the_middle() -> bool:
        return await fired() > 0

    await until(in_the_middle)
    worker.end(signal.SIGKILL)
    assert not await all_fired(), "the kill came too late to prove anything"
    await redis.flushall()
    worker.start()
    await until(all_fired, 60)
    assert worker.end(signal.SIGTERM) == 0
    await told_once()


async def test_a_worker_that_starts_without_redis_catches_up_all_the_same(
    *, backlog: Office, worker: WorkerProcess, until: Until
) -> None:
    worker.environment["ZHUOLUO_REDIS_URL"] = "redis://127.0.0.1:1/0"
    worker.start()
    await until(all_fired, 60)
    assert worker.end(signal.SIGTERM) == 0
    await told_once()
