"""The watchdog's round in a worker: metrics, alarms of the platform's refusals, the dead man's switch."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from gateways.refusals import Refusal
from models.base import audit, calendar, outbox
from models.base.alarms import Alarm, AlarmKind
from models.base.outbox import Promise
from models.base.settings import Settings
from models.organization import Zone
from tests.workers.conftest import Bind, Platform
from workers import main
from workers.deliveries import push
from workers.relay import Context
from workers.watchdog import look

pytestmark = pytest.mark.usefixtures("daytime")
SUBSCRIBE = "/cgi-bin/message/subscribe/send"


class Switch:
    """Counts how often it was told that all is well."""

    def __init__(self) -> None:
        self.url, self.pings, self.status = "", 0, 200

    async def answer(self, request: web.Request) -> web.Response:
        self.pings += 1
        return web.Response(status=self.status)


@pytest.fixture
async def switch() -> AsyncIterator[Switch]:
    listening = Switch()
    app = web.Application()
    app.router.add_get("/alive", listening.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listening.url = f"http://127.0.0.1:{runner.addresses[0][1]}/alive"
    yield listening
    await runner.cleanup()


@pytest.fixture
async def context(worker_settings: Settings, switch: Switch, zone: Zone, redis: object) -> AsyncIterator[Context]:
    await Promise.all().delete()
    while await audit.seal(zone.id):
        pass
    async with main.composed(worker_settings.model_copy(update={"dead_man_url": switch.url})) as composed:
        yield composed


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_the_switch_hears_of_a_clean_state_only(
    zone: Zone, context: Context, switch: Switch, clock_moves: Callable[..., None]
) -> None:
    await look(context)
    assert switch.pings == 1
    await outbox.promise(zone.id, calendar.CHANGED)
    clock_moves(minutes=6)
    await look(context)
    assert (switch.pings, gauge("zhuoluo_alarms_open", kind="promises_late")) == (1, 1.0)
    await Promise.all().delete()
    await look(context)
    assert (switch.pings, gauge("zhuoluo_alarms_open", kind="promises_late")) == (2, 0.0)


async def test_a_switch_that_does_not_answer_is_no_alarm_of_ours(context: Context, switch: Switch) -> None:
    switch.status = 500
    with pytest.raises(Refusal):
        await look(context)
    assert await Alarm.all().count() == 0


@pytest.mark.parametrize("errcode", [40164, 45009, 40001])
async def test_a_refusal_that_a_person_must_set_right_is_one_alarm_until_it_is_over(
    *,
    context: Context,
    platform: Platform,
    bind: Bind,
    owe: Callable[..., Awaitable[UUID]],
    clock_moves: Callable[..., None],
    errcode: int,
) -> None:
    await platform.fault(SUBSCRIBE, "errcode", errcode=errcode)
    for _ in range(5):
        await owe(await bind(consents=1), urgent=True)
    await push(context)
    (alarm,) = await Alarm.filter(kind=AlarmKind.PLATFORM_REFUSES)
    assert alarm.subject == f"subscribe:{errcode}"
    await platform.heal()
    clock_moves(hours=24)
    await push(context)
    await look(context)
    assert (await Alarm.get(id=alarm.id)).cleared_at is not None


async def test_an_unknown_outcome_shows_in_the_metrics(
    *, context: Context, platform: Platform, bind: Bind, owe: Callable[..., Awaitable[UUID]]
) -> None:
    await platform.fault(SUBSCRIBE, "drop_after", times=1)
    await owe(await bind(consents=1))
    before = gauge("zhuoluo_deliveries_total", channel="subscribe", outcome="unknown") or 0
    await push(context)
    await look(context)
    assert gauge("zhuoluo_deliveries_total", channel="subscribe", outcome="unknown") == before + 1
    assert gauge("zhuoluo_deliveries_unknown") == 1
