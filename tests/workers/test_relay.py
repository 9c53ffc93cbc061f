"""The relay: keeps promises at least once, whoever fails meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from models.base import outbox
from models.base.outbox import Promise, PromiseState
from models.organization import Zone
from workers.relay import HANDLERS, Context, Relay, handles

WORK = outbox.job("test.work")


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a function handle the test's job."""

    def put(work: Callable[[dict[str, str]], Awaitable[None]]) -> None:
        async def handle(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
            await work(payload)

        monkeypatch.setitem(HANDLERS, WORK, handle)

    return put


async def test_a_promise_is_kept_once(zone: Zone, relay: Relay, handler: Callable[..., None]) -> None:
    kept: list[str] = []

    async def work(payload: dict[str, str]) -> None:
        kept.append(payload["n"])

    handler(work)
    for n in range(100):
        await outbox.promise(zone.id, WORK, n=str(n))
    await relay.drain()
    await relay.drain()
    assert sorted(kept, key=int) == [str(n) for n in range(100)]


async def test_a_handler_that_fails_is_tried_again_later_and_spoils_nothing_else(
    zone: Zone, relay: Relay, handler: Callable[..., None]
) -> None:
    async def work(payload: dict[str, str]) -> None:
        if payload["n"] == "1":
            raise ValueError("no")

    handler(work)
    for n in range(3):
        await outbox.promise(zone.id, WORK, n=str(n))
    await relay.drain()
    states = {row.payload["n"]: (row.state, row.last_error) for row in await Promise.filter(job=WORK)}
    assert states == {
        "0": (PromiseState.KEPT, None),
        "1": (PromiseState.WAITING, "ValueError"),
        "2": (PromiseState.KEPT, None),
    }


async def test_a_slow_handler_holds_up_only_its_own_place(
    zone: Zone, context: Context, handler: Callable[..., None]
) -> None:
    done, slow = asyncio.Event(), asyncio.Event()

    async def work(payload: dict[str, str]) -> None:
        await (slow.wait() if payload["n"] == "slow" else asyncio.sleep(0))
        if payload["n"] == "quick":
            done.set()

    handler(work)
    relay = Relay(context, at_once=2)
    running = asyncio.create_task(relay.run())
    await outbox.promise(zone.id, WORK, n="slow")
    relay.wake()
    await outbox.promise(zone.id, WORK, n="quick")
    relay.wake()
    async with asyncio.timeout(10):
        await done.wait()
    slow.set()
    relay.stop()
    await running
    assert await Promise.filter(job=WORK, state=PromiseState.KEPT).count() == 2


async def test_two_relays_share_the_work(zone: Zone, context: Context, handler: Callable[..., None]) -> None:
    kept: list[str] = []

    async def work(payload: dict[str, str]) -> None:
        kept.append(payload["n"])

    handler(work)
    for n in range(200):
        await outbox.promise(zone.id, WORK, n=str(n))
    await asyncio.gather(Relay(context).drain(), Relay(context).drain())
    assert len(kept) == len(set(kept)) == 200


def test_every_declared_job_has_one_handler() -> None:
    missing = {job for job in outbox.JOBS - HANDLERS.keys() if not job.startswith("test.")}
    assert missing == set()


def test_a_job_has_one_handler_only() -> None:
    with pytest.raises(ValueError, match="already"):
        handles(next(iter(HANDLERS)))(HANDLERS[next(iter(HANDLERS))])
    with pytest.raises(KeyError):
        handles("nobody.declared")
