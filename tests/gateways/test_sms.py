"""SMS over a provider that is an HTTP server of its own."""

import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateways.refusals import Refusal, RefusalKind
from gateways.sms import HttpSms
from models.base import clock
from tests.sms_provider import Provider, provider

PHONE, ONE = "15400000001", {"count": "1"}


@pytest.fixture
async def provided() -> AsyncIterator[Provider]:
    async with provider() as running:
        yield running


@pytest.fixture
async def sms(provided: Provider) -> AsyncIterator[HttpSms]:
    gateway = HttpSms(provided.settings)
    yield gateway
    await gateway.close()


async def refusal_of(sms: HttpSms, key: str = "k") -> Refusal:
    with pytest.raises(Refusal) as caught:
        await sms.send(PHONE, ONE, key)
    assert PHONE not in str(caught.value)
    return caught.value


async def test_a_message_is_signed_and_arrives_with_its_template(sms: HttpSms, provided: Provider) -> None:
    assert await sms.send(PHONE, ONE, "k") == "sms-1"
    assert provided.sent == {"k": {"phone": PHONE, "sign": "开发区", "template": "ZL_SMS", "params": ONE}}


async def test_a_repeat_under_the_same_key_sends_once(sms: HttpSms, provided: Provider) -> None:
    provided.faults.append("drop_after")
    assert (await refusal_of(sms)).kind is RefusalKind.UNKNOWN
    assert await sms.send(PHONE, ONE, "k") == "sms-1"
    assert (provided.requests, len(provided.sent)) == (2, 1)


async def test_a_key_used_for_another_message_is_refused_for_good(sms: HttpSms) -> None:
    await sms.send("15400000002", ONE, "k")
    assert (await refusal_of(sms)).kind is RefusalKind.PERMANENT


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_message_that_the_provider_cannot_take_is_refused_for_good(
    sms: HttpSms, provided: Provider, status: int
) -> None:
    provided.faults.append(status)
    assert (await refusal_of(sms)).kind is RefusalKind.PERMANENT


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_provider_that_refuses_us_is_an_alarm_and_asked_again_later(
    sms: HttpSms, provided: Provider, status: int
) -> None:
    provided.faults.append(status)
    refusal = await refusal_of(sms)
    assert (refusal.kind, refusal.alarm, refusal.errcode) == (RefusalKind.RETRY_AFTER, True, status)


async def test_a_busy_provider_says_when_to_come_back(sms: HttpSms, provided: Provider) -> None:
    provided.faults.append(429)
    provided.retry_after = "120"
    refusal = await refusal_of(sms)
    assert refusal.kind is RefusalKind.RETRY_AFTER
    assert refusal.retry_at is not None
    assert timedelta(seconds=110) < refusal.retry_at - clock.now() <= timedelta(seconds=120)


async def test_a_provider_that_breaks_leaves_the_outcome_unknown(sms: HttpSms, provided: Provider) -> None:
    provided.faults.append(500)
    assert (await refusal_of(sms)).kind is RefusalKind.UNKNOWN


async def test_a_provider_that_is_not_there_was_not_asked(provided: Provider) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gateway = HttpSms(provided.settings.model_copy(update={"url": f"http://127.0.0.1:{closed.getsockname()[1]}"}))
        assert (await refusal_of(gateway)).kind is RefusalKind.RETRY_AFTER
        await gateway.close()
