"""Pushes over the platform: neutral, counted, each with one outcome, whatever fails in the middle."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from arq.connections import ArqRedis
from redis.asyncio import Redis

from models import deliveries, organization, reminders
from models.base import outbox
from models.base.scope import Scope
from models.deliveries import Consent, Delivery, DeliveryState
from models.organization import Person, Zone
from tests.workers.conftest import Bind, Platform, WorkerProcess
from workers.deliveries import push, recover
from workers.relay import Context, Relay

pytestmark = pytest.mark.usefixtures("daytime")

Owe = Callable[..., Awaitable[UUID]]
Until = Callable[..., Awaitable[Any]]
SUBSCRIBE = "/cgi-bin/message/subscribe/send"
TEMPLATE = "/cgi-bin/message/template/send"
ENDS = {"sent", "failed", "unknown", "superseded", "merged"}


async def outcomes() -> list[tuple[str, str | None]]:
    rows = await Delivery.all().order_by("id")
    return [(row.state.value, row.channel.value if row.channel else None) for row in rows]


async def test_a_message_says_how_many_and_nothing_else(
    context: Context, platform: Platform, bind: Bind, owe: Owe
) -> None:
    person = await bind(consents=1)
    for _ in range(3):
        await owe(person)
    await push(context)
    (message,) = await platform.sent()
    (carrier,) = await Delivery.filter(state="sent")
    assert message["data"] == {"thing1": "您有3项待办，请进入小程序查看"}
    assert message["page"] == f"pages/reminders/inbox?r={carrier.id.hex}"
    assert await Consent.get(openid=message["openid"]).values_list("remaining", flat=True) == 0


async def test_each_falls_back_to_the_next_way(context: Context, platform: Platform, bind: Bind, owe: Owe) -> None:
    for person in [await bind(consents=1), await bind(follows=True), await bind()]:
        await owe(person)
    await push(context)
    assert sorted(await outcomes()) == [("sent", "in_app"), ("sent", "subscribe"), ("sent", "template")]
    assert sorted(message["channel"] for message in await platform.sent()) == ["subscribe", "template"]


async def test_the_platforms_refusal_leads_to_the_next_way(
    context: Context, platform: Platform, bind: Bind, owe: Owe
) -> None:
    person = await bind(consents=2, follows=True)
    await platform.fault(SUBSCRIBE, "errcode", errcode=43101)
    await owe(person)
    await push(context)
    assert await outcomes() == [("failed", "subscribe"), ("sent", "template")]


async def test_no_answer_is_unknown_and_never_sent_again(
    context: Context, platform: Platform, bind: Bind, owe: Owe, clock_moves: Callable[..., None]
) -> None:
    person = await bind(consents=3, follows=True)
    await platform.fault(SUBSCRIBE, "drop_after", times=1)
    await owe(person)
    await push(context)
    assert (await outcomes())[0] == ("unknown", "subscribe")
    await push(context)
    assert len(await platform.sent()) == 1
    clock_moves(minutes=11)
    await push(context)
    assert [message["channel"] for message in await platform.sent()] == ["subscribe", "template"]
    assert await outcomes() == [("unknown", "subscribe"), ("sent", "template")]


async def test_a_template_message_without_an_answer_is_repeated_and_arrives_once(
    context: Context, platform: Platform, bind: Bind, owe: Owe
) -> None:
    await platform.fault(TEMPLATE, "drop_after", times=1)
    await owe(await bind(follows=True))
    await push(context)
    assert await outcomes() == [("sent", "template")]
    assert len(await platform.sent()) == 1


async def test_a_template_message_without_an_answer_stays_unknown_whatever_its_repetition_is_told(
    context: Context, platform: Platform, bind: Bind, owe: Owe, clock_moves: Callable[..., None]
) -> None:
    await platform.fault(TEMPLATE, "drop_after", times=1)
    await platform.fault(TEMPLATE, "errcode", errcode=45011, times=1)
    await owe(await bind(follows=True))
    await push(context)
    clock_moves(minutes=12)  # the platform has forgotten the message's id
    await platform.ask("POST", "/_control/clock", advance_seconds=720)
    await push(context)
    assert await outcomes() == [("unknown", "template"), ("sent", "in_app")]
    assert len(await platform.sent()) == 1


async def test_a_busy_platform_is_tried_again(
    context: Context, platform: Platform, bind: Bind, owe: Owe, clock_moves: Callable[..., None]
) -> None:
    await platform.fault(SUBSCRIBE, "errcode", errcode=-1, times=1)
    await owe(await bind(consents=1))
    await push(context)
    assert await outcomes() == [("queued", "subscribe")]
    clock_moves(minutes=1)
    await push(context)
    assert await outcomes() == [("sent", "subscribe")]


async def test_a_message_that_hangs_does_not_hold_up_the_others(
    context: Context, platform: Platform, bind: Bind, owe: Owe, until: Until
) -> None:
    hung, *others = [await bind(consents=1) for _ in range(4)]
    await platform.fault(SUBSCRIBE, "hang_before", touser=await _openid(hung), seconds=6)
    await owe(hung)
    pushing = asyncio.create_task(push(context))
    await until(lambda: Delivery.exists(state="sending"))
    for person in others:
        await owe(person)

    async def others_sent() -> bool:
        return await Delivery.filter(state="sent").count() == len(others)

    await until(others_sent, 4)
    assert await Delivery.filter(state="sending").count() == 1
    await pushing


async def test_what_waits_too_long_for_its_turn_has_not_left_and_is_queued_again(
    *,
    context: Context,
    platform: Platform,
    bind: Bind,
    owe: Owe,
    clock_moves: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("AT_ONCE", 1), ("BEGUN_AHEAD", 1), ("SEND_SECONDS", 0.5)):
        monkeypatch.setattr(f"workers.deliveries.{name}", value)
    await platform.fault(SUBSCRIBE, "hang_before", seconds=5)
    for _ in range(2):
        await owe(await bind(consents=1))
    await push(context)
    assert await outcomes() == [("unknown", "subscribe"), ("queued", "subscribe"), ("queued", None)]
    assert await Consent.filter(remaining=1).count() == 1
    await platform.heal()
    clock_moves(seconds=5)
    await push(context)
    assert (await outcomes())[1] == ("sent", "subscribe")


async def _openid(person: Person) -> str:
    binding = await organization.binding_of(person.zone_id, person.id)
    assert binding is not None
    return binding.openid


async def test_an_acknowledged_reminder_is_not_pushed(
    *, zone: Zone, context: Context, relay: Relay, platform: Platform, bind: Bind, owe: Owe
) -> None:
    person = await bind(consents=1)
    reminder = await owe(person)
    await reminders.acknowledge(reminder, by=Scope(zone.id, "person", person_id=person.id))
    await relay.drain()
    await push(context)
    assert (await outcomes(), await platform.sent()) == ([("superseded", None)], [])


async def test_a_worker_killed_in_mid_push_and_a_flushed_redis_leave_every_message_one_outcome(
    *,
    platform: Platform,
    worker: WorkerProcess,
    redis: Redis,
    bind: Bind,
    owe: Owe,
    until: Until,
    clock_moves: Callable[..., None],
) -> None:
    people = [await bind(consents=2 - n % 2, follows=n % 2 == 0) for n in range(40)]
    await platform.fault(SUBSCRIBE, "latency", ms=400, jitter_ms=300)
    for person in people:
        await owe(person)
        await owe(person)
    worker.start()

    async def in_the_middle() -> bool:
        return await Delivery.exists(state="sending") and len(await platform.sent()) > 3

    await until(in_the_middle)
    worker.end(signal.SIGKILL)
    await redis.flushall()
    await platform.heal()
    assert await Delivery.filter(state="sending").exists()
    worker.start()
    clock_moves(minutes=1)

    async def told() -> bool:
        return not await Delivery.filter(state="sending").exists()

    await until(told)
    clock_moves(minutes=11)

    async def ended() -> bool:
        return not await Delivery.filter(state__not_in=list(ENDS)).exists()

    await until(ended)
    assert worker.end(signal.SIGTERM) == 0
    sent = await platform.sent()
    over_subscribe = [message["openid"] for message in sent if message["channel"] == "subscribe"]
    assert len(over_subscribe) == len(set(over_subscribe)), "a subscribe message was sent twice"
    by_person = {person.id: await Delivery.filter(person_id=person.id) for person in people}
    for person, rows in by_person.items():
        carriers = [row for row in rows if row.state is not DeliveryState.MERGED]
        assert carriers, person
        assert all(row.carried_by for row in rows if row.state is DeliveryState.MERGED)
    known = {row.openid for row in await Delivery.filter(state="sent", channel="subscribe")}
    assert known <= set(over_subscribe)
    unknown = {row.openid for row in await Delivery.filter(state="unknown")}
    assert set(over_subscribe) <= known | unknown
    assert unknown, "the kill came too late to prove anything"
    assert await Consent.filter(remaining__gt=0).count() == 20, "the last one of those who follow is kept"


async def test_a_worker_outlives_a_redis_that_is_flushed_and_is_woken_at_once(
    *, zone: Zone, worker: WorkerProcess, redis: Redis, bind: Bind, owe: Owe, until: Until
) -> None:
    person = await bind()
    worker.start()

    async def listening() -> bool:
        return b"worker_started" in worker.log.read_bytes()

    await until(listening)
    await redis.flushall()
    reminder = await owe(person)
    await reminders.acknowledge(reminder, by=Scope(zone.id, "person", person_id=person.id))
    queue = ArqRedis(redis.connection_pool)
    await queue.enqueue_job("wake", _job_id="wake")

    async def kept() -> bool:
        return (await outbox.depth()).due == 0 and not await redis.zcard("arq:queue")

    await until(kept)
    assert worker.end(signal.SIGTERM) == 0
    for line in worker.log.read_text().splitlines():
        assert json.loads(line)["service"] == "worker"


async def test_what_a_dead_worker_left_is_recovered_by_the_sweep(
    context: Context, zone: Zone, bind: Bind, owe: Owe, clock_moves: Callable[..., None]
) -> None:
    await owe(await bind(consents=1))
    await deliveries.begin(zone.id, "ZL_TODO")
    clock_moves(seconds=31)
    await recover(context)
    assert (await outcomes())[0] == ("unknown", "subscribe")
