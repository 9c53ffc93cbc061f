"""Messages over every channel, on real services: the mock platform, WeCom, an SMS provider."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest

from miniprogram_mock.wechat.process import MockWechat
from models.base.settings import Settings, WeComSettings
from models.deliveries import Delivery
from models.organization import Person
from tests.sms_provider import Provider, provider
from tests.workers.conftest import Bind, Platform
from workers import main
from workers.deliveries import push, recover
from workers.relay import Context

pytestmark = pytest.mark.usefixtures("daytime")
Owe = Callable[..., Awaitable[UUID]]
WECOM = {"corpid": "ww5a1e0000000000cc", "secret": "demo-wecom-secret", "agentid": 1000002}
SUBSCRIBE, TEMPLATE, TEXTS = (
    "/cgi-bin/message/subscribe/send",
    "/cgi-bin/message/template/send",
    "/cgi-bin/message/send",
)


@pytest.fixture
async def provided() -> AsyncIterator[Provider]:
    async with provider() as running:
        yield running


@pytest.fixture
def everything(worker_settings: Settings, mock: MockWechat, provided: Provider) -> Settings:
    wecom = WeComSettings(origin=mock.url, **WECOM)  # type: ignore[arg-type]
    return worker_settings.model_copy(update={"wecom": wecom, "sms": provided.settings})


@pytest.fixture
async def context(everything: Settings, database: str, redis: object) -> AsyncIterator[Context]:
    async with main.composed(everything) as composed:
        yield composed


@pytest.fixture
def member(bind: Bind, platform: Platform) -> Bind:
    """As `bind`; the person is a member at WeCom too."""

    async def joined(**how: object) -> Person:
        person = await bind(**how)
        await Person.filter(id=person.id).update(wecom=f"u{person.phone}")
        await platform.ask("POST", "/_control/wecom/members", userids=[f"u{person.phone}"])
        return person

    return joined


async def outcomes() -> list[tuple[str, str | None]]:
    rows = await Delivery.all().order_by("id")
    return [(row.state.value, row.channel.value if row.channel else None) for row in rows]


async def test_each_person_is_reached_by_their_first_way(
    *, context: Context, platform: Platform, provided: Provider, bind: Bind, member: Bind, owe: Owe
) -> None:
    for person in (await member(consents=2), await member(follows=True), await member(), await bind()):
        await owe(person)
    await push(context)
    assert sorted(await outcomes()) == [("sent", name) for name in ("sms", "subscribe", "template", "wecom")]
    assert Counter(message["channel"] for message in await platform.sent()) == Counter(
        {"subscribe": 1, "template": 1, "wecom": 1}
    )
    assert [message["params"] for message in provided.sent.values()] == [{"count": "1"}]


async def test_two_messages_of_the_same_words_reach_wecom_both(
    *, context: Context, platform: Platform, member: Bind, owe: Owe
) -> None:
    person = await member()
    for _ in range(2):
        await owe(person)
        await push(context)
    texts = [message["data"]["content"] for message in await platform.sent()]
    assert len(set(texts)) == 2
    assert all(text.startswith("您有1项待办，请进入小程序查看（编号") for text in texts)


async def test_a_refused_message_tries_the_rest_of_the_chain(
    *, context: Context, platform: Platform, provided: Provider, member: Bind, owe: Owe
) -> None:
    await platform.fault(SUBSCRIBE, "errcode", errcode=43101)
    await platform.fault(TEMPLATE, "errcode", errcode=43004)
    await platform.fault(TEXTS, "errcode", errcode=81013)
    provided.faults.append(422)
    await owe(await member(consents=2, follows=True))
    await push(context)
    assert await outcomes() == [
        ("failed", "subscribe"),
        ("failed", "template"),
        ("failed", "wecom"),
        ("failed", "sms"),
        ("sent", "in_app"),
    ]


@pytest.mark.parametrize("channel", ["wecom", "sms"])
async def test_a_message_with_a_key_is_repeated_and_arrives_once(
    *, context: Context, platform: Platform, provided: Provider, bind: Bind, member: Bind, owe: Owe, channel: str
) -> None:
    await platform.fault(TEXTS, "drop_after", times=2)
    provided.faults.extend(["drop_after", 500])
    await owe(await (member() if channel == "wecom" else bind()))
    await push(context)
    assert await outcomes() == [("sent", channel)]
    assert len(await platform.sent()) + len(provided.sent) == 1


async def test_an_unknown_message_goes_on_after_a_while_and_is_not_sent_again_itself(
    *,
    context: Context,
    platform: Platform,
    provided: Provider,
    member: Bind,
    owe: Owe,
    clock_moves: Callable[..., None],
) -> None:
    await platform.fault(TEXTS, "drop_after")
    await owe(await member())
    await push(context)
    assert await outcomes() == [("unknown", "wecom"), ("queued", None)]
    clock_moves(minutes=11)
    await push(context)
    assert await outcomes() == [("unknown", "wecom"), ("sent", "sms")]
    assert len(await platform.sent()) == 1
    assert len(provided.sent) == 1


async def test_a_low_rate_is_kept_to(*, everything: Settings, platform: Platform, bind: Bind, owe: Owe) -> None:
    for _ in range(30):
        await owe(await bind(consents=2))
    slow = everything.model_copy(update={"messages_per_second": 20.0})
    async with main.composed(slow) as context:
        begun = asyncio.get_running_loop().time()
        await push(context)
        took = asyncio.get_running_loop().time() - begun
    assert len(await platform.sent()) == 30
    assert took > 30 / 20 - 0.2


async def test_two_workers_never_send_to_one_person_at_once(
    *, everything: Settings, context: Context, platform: Platform, member: Bind, owe: Owe
) -> None:
    """The platform refuses overlapping messages to one phone (43108); none is refused."""
    await platform.fault(SUBSCRIBE, "latency", ms=50, jitter_ms=100)
    people = [await member(consents=3, follows=True) for _ in range(5)]

    async def keep_owing() -> None:
        for _ in range(6):
            for person in people:
                await owe(person, urgent=True, escalation=True)
            await asyncio.sleep(0.1)

    async with main.composed(everything) as second:
        owing = asyncio.create_task(keep_owing())
        while not owing.done() or await Delivery.exists(state="queued"):
            await asyncio.gather(push(context), push(second), recover(context))
    assert {row.errcode for row in await Delivery.all()} == {None}
    assert (await platform.ask("GET", "/_control/stats"))["errcodes"].get("43108", 0) == 0
