"""WeCom messages against the mock platform, over HTTP."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from gateways.refusals import Refusal, RefusalKind
from gateways.wecom import WeCom
from models.base.settings import WeComSettings
from tests.gateways.conftest import Platform

SEND, TOKEN = "/cgi-bin/message/send", "/cgi-bin/gettoken"
TEXT = "您有1项待办，请进入小程序查看（编号 a1）"


def settings(platform: Platform, **more: object) -> WeComSettings:
    facts = {"corpid": "ww5a1e0000000000cc", "secret": "demo-wecom-secret", "agentid": 1000002, **more}
    return WeComSettings(origin=platform.url, **facts)  # type: ignore[arg-type]


@pytest.fixture
async def wecom(platform: Platform, redis: Redis) -> AsyncIterator[WeCom]:
    await platform.ask("POST", "/_control/wecom/members", userids=["ZhangSan"])
    gateway = WeCom(settings(platform), redis)
    yield gateway
    await gateway.close()


async def texts(platform: Platform) -> list[tuple[str, str]]:
    items = (await platform.ask("GET", "/_control/sent"))["items"]
    return [(item["openid"], item["data"]["content"]) for item in items]


async def refusal_of(wecom: WeCom, userid: str = "ZhangSan") -> Refusal:
    with pytest.raises(Refusal) as caught:
        await wecom.send_text(userid, TEXT)
    assert userid not in str(caught.value)
    return caught.value


async def test_a_text_reaches_its_member_and_many_share_one_token(wecom: WeCom, platform: Platform) -> None:
    await asyncio.gather(*(wecom.send_text("ZhangSan", f"{TEXT}{n}") for n in range(10)))
    assert len(await texts(platform)) == 10
    assert await platform.calls(TOKEN) == 1


async def test_the_same_text_again_arrives_once_and_another_one_too(wecom: WeCom, platform: Platform) -> None:
    await platform.fault(SEND, "drop_after", times=1)
    assert (await refusal_of(wecom)).kind is RefusalKind.UNKNOWN
    await wecom.send_text("ZhangSan", TEXT)
    await wecom.send_text("ZhangSan", TEXT + "！")
    assert len(await texts(platform)) == 2
    await platform.ask("POST", "/_control/clock", advance_seconds=1801)
    await wecom.send_text("ZhangSan", TEXT)
    assert len(await texts(platform)) == 3


async def test_whom_the_app_does_not_see_is_refused_for_good(wecom: WeCom) -> None:
    refusal = await refusal_of(wecom, "LiSi")
    assert (refusal.kind, refusal.errcode) == (RefusalKind.PERMANENT, 81013)


async def test_a_name_that_the_platform_sets_aside_was_not_reached(wecom: WeCom) -> None:
    """Several may be named; what is said beside `ok` counts."""
    refusal = await refusal_of(wecom, "ZhangSan|LiSi")
    assert refusal.kind is RefusalKind.PERMANENT


@pytest.mark.parametrize("how", ["expire", "revoke"])
async def test_a_refused_token_is_replaced_and_the_text_sent_once(wecom: WeCom, platform: Platform, how: str) -> None:
    await wecom.send_text("ZhangSan", TEXT)
    await platform.ask("POST", f"/_control/tokens/{how}", account="wecom")
    await wecom.send_text("ZhangSan", TEXT + "2")
    assert (len(await texts(platform)), await platform.calls(TOKEN)) == (2, 2)


@pytest.mark.parametrize("errcode", [40014, 42001])
async def test_a_token_refused_again_is_an_alarm(wecom: WeCom, platform: Platform, errcode: int) -> None:
    await platform.fault(SEND, "errcode", errcode=errcode)
    refusal = await refusal_of(wecom)
    assert (refusal.kind, refusal.errcode, refusal.alarm) == (RefusalKind.RETRY_AFTER, errcode, True)


async def test_a_spent_quota_is_not_asked_again_today(wecom: WeCom, platform: Platform) -> None:
    await platform.fault(SEND, "errcode", errcode=45009, times=1)
    assert (await refusal_of(wecom)).alarm
    assert (await refusal_of(wecom)).errcode == 45009
    assert await platform.calls(SEND) == 1


async def test_a_wrong_secret_is_an_alarm_and_nothing_leaves(platform: Platform, redis: Redis) -> None:
    gateway = WeCom(settings(platform, corpid="ww0"), redis)
    assert (await refusal_of(gateway)).alarm
    assert await platform.calls(SEND) == 0
    await gateway.close()
