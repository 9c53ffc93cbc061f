"""Promises: kept at least once, fenced by their lease, never lost with the transaction that made them."""

from collections.abc import Callable

import pytest

from models.base import calendar, clock, outbox
from models.base import database as postgres
from models.base.outbox import Promise, PromiseState
from models.organization import Zone

pytestmark = pytest.mark.usefixtures("database")

RING = calendar.CHANGED


@pytest.fixture
async def empty(zone: Zone) -> Zone:
    """A zone that owes nothing yet."""
    await Promise.all().delete()
    return zone


async def test_a_promise_falls_with_its_transaction(empty: Zone) -> None:
    with pytest.raises(RuntimeError, match="torn"):
        async with postgres.in_transaction():
            await outbox.promise(empty.id, RING)
            raise RuntimeError("torn")
    assert await outbox.claim(10) == []


async def test_the_same_key_is_promised_once_even_after_it_was_kept(empty: Zone) -> None:
    await outbox.promise(empty.id, RING, key="bell")
    (claimed,) = await outbox.claim(10)
    assert await outbox.keep(claimed)
    await outbox.promise(empty.id, RING, key="bell")
    assert await outbox.claim(10) == []


async def test_an_undeclared_job_is_refused(empty: Zone) -> None:
    with pytest.raises(KeyError):
        await outbox.promise(empty.id, "nobody.declared")


async def test_a_timer_waits_for_its_hour(empty: Zone, clock_moves: Callable[..., None]) -> None:
    await outbox.promise(empty.id, RING, due_at=clock.now() + outbox.LEASE * 60)
    assert await outbox.claim(10) == []
    clock_moves(hours=1)
    assert len(await outbox.claim(10)) == 1


async def test_a_claimed_promise_is_nobody_elses_until_its_lease_runs_out(
    empty: Zone, clock_moves: Callable[..., None]
) -> None:
    await outbox.promise(empty.id, RING)
    (first,) = await outbox.claim(10)
    assert await outbox.claim(10) == []
    clock_moves(seconds=outbox.LEASE.total_seconds() + 1)
    (second,) = await outbox.claim(10)
    assert second.id == first.id
    assert not await outbox.keep(first), "a worker that lost its lease must not write"
    assert await outbox.keep(second)


async def test_a_promise_that_keeps_failing_is_quarantined_with_its_reason(
    empty: Zone, clock_moves: Callable[..., None]
) -> None:
    await outbox.promise(empty.id, RING)
    for _ in range(outbox.ATTEMPTS_BEFORE_QUARANTINE):
        clock_moves(minutes=20)
        (claimed,) = await outbox.claim(10)
        await outbox.retry(claimed, "the bell is broken")
    left = await Promise.get(id=claimed.id)
    assert left.state == PromiseState.QUARANTINED
    assert left.last_error == "the bell is broken"
    assert ((depth := await outbox.depth()).due, depth.quarantined) == (0, 1)
    clock_moves(hours=24)
    assert await outbox.claim(10) == []


async def test_one_zones_flood_does_not_starve_another(empty: Zone, database: str) -> None:
    other = await Zone.create(code="other", name="邻区", created_at=clock.now())
    for _ in range(30):
        await outbox.promise(empty.id, RING)
    await outbox.promise(other.id, RING)
    depth = await outbox.depth()
    assert (depth.due, depth.quarantined) == (31, 0) and depth.oldest_seconds >= 0
    claimed = await outbox.claim(100)
    assert {promise.zone_id for promise in claimed} == {empty.id, other.id}
