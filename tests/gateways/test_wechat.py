"""The gateway against the mock platform, over HTTP."""

import asyncio
import socket
from datetime import timedelta

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from gateways.wechat import Refusal, RefusalKind, WeChat
from gateways.wechat.transport import Transport
from models.base import clock

STABLE = "/cgi-bin/stable_token"
SEND = "/cgi-bin/message/subscribe/send"
TEMPLATE = "/cgi-bin/message/template/send"
TODO = {"thing1": "您有1项待办，请进入小程序查看"}


async def consenting(platform, number="13800000001"):
    phone = await platform.phone(number)
    await platform.ask("POST", f"/_phone/{phone['openid']}/subscribe", template_ids=["ZL_TODO"], choice="accept")
    return phone["openid"]


async def send(wechat, openid):
    await wechat.send_subscribe(openid, "ZL_TODO", "pages/inbox", TODO)


async def refusal_of(call) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await call
    return caught.value


async def test_a_login_code_tells_who_it_is_without_any_token(wechat, platform):
    phone = await platform.phone()
    code = (await platform.ask("POST", f"/_phone/{phone['openid']}/login"))["code"]
    session = await wechat.code2session(code)
    assert (session.openid, session.unionid) == (phone["openid"], phone["unionid"])
    assert session.session_key not in repr(session)
    assert await platform.calls(STABLE) == 0


async def test_a_used_code_is_refused_for_good(wechat, platform):
    phone = await platform.phone()
    code = (await platform.ask("POST", f"/_phone/{phone['openid']}/login"))["code"]
    await wechat.code2session(code)
    refusal = await refusal_of(wechat.code2session(code))
    assert (refusal.kind, refusal.errcode) == (RefusalKind.PERMANENT, 40029)


async def test_a_phone_code_tells_the_number(wechat, platform):
    phone = await platform.phone("13900000002")
    code = (await platform.ask("POST", f"/_phone/{phone['openid']}/phone_code"))["code"]
    assert await wechat.phone_number(code) == "13900000002"


async def test_a_subscribe_message_arrives_with_its_state_and_page(wechat, platform):
    openid = await consenting(platform)
    await send(wechat, openid)
    (sent,) = (await platform.ask("GET", "/_control/sent"))["items"]
    assert (sent["openid"], sent["page"], sent["state"], sent["data"]) == (openid, "pages/inbox", "formal", TODO)


async def test_a_message_without_consent_is_refused_for_good(wechat, platform):
    phone = await platform.phone()
    refusal = await refusal_of(send(wechat, phone["openid"]))
    assert (refusal.kind, refusal.errcode) == (RefusalKind.PERMANENT, 43101)
    assert phone["openid"] not in str(refusal)


async def test_many_sends_at_once_fetch_one_token(wechat, platform):
    openids = [await consenting(platform, f"138000001{n:02}") for n in range(20)]
    await asyncio.gather(*(send(wechat, openid) for openid in openids))
    assert await platform.calls(STABLE) == 1


async def test_processes_share_one_token_and_one_refresh(platform, accounts, redis: Redis):
    gateways = [WeChat(accounts, redis) for _ in range(5)]
    openids = [await consenting(platform, f"138000002{n:02}") for n in range(5)]
    await asyncio.gather(*(send(gateway, openid) for gateway, openid in zip(gateways, openids, strict=True)))
    assert await platform.calls(STABLE) == 1
    for gateway in gateways:
        await gateway.close()


async def test_processes_whose_token_is_refused_at_once_share_one_refresh(platform, accounts, redis: Redis):
    gateways = [WeChat(accounts, redis) for _ in range(5)]
    openids = [await consenting(platform, f"138000003{n:02}") for n in range(5)]
    for gateway in gateways:  # each has it in hand from now on
        await gateway._mini._tokens.current()
    await platform.ask("POST", "/_control/tokens/revoke", account="mini")
    await asyncio.gather(*(send(gateway, openid) for gateway, openid in zip(gateways, openids, strict=True)))
    assert await platform.calls(STABLE) == 2
    assert (await platform.ask("GET", "/_control/sent"))["total"] == 5
    for gateway in gateways:
        await gateway.close()


async def test_flushing_redis_costs_one_fetch_and_no_message(platform, accounts, redis: Redis):
    gateways = [WeChat(accounts, redis) for _ in range(2)]
    openid = await consenting(platform)
    await send(gateways[0], openid)
    await redis.flushall()
    for gateway in gateways:  # the first has its token in hand, the second asks for it
        await consenting(platform)
        await send(gateway, openid)
        await gateway.close()
    assert await platform.calls(STABLE) == 2


async def test_without_redis_messages_still_leave(platform, accounts):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gateway = WeChat(accounts, Redis(port=closed.getsockname()[1]))
        await send(gateway, await consenting(platform))
        await gateway.close()


@pytest.mark.parametrize("how", ["expire", "revoke"])
async def test_a_refused_token_is_replaced_and_the_message_sent_once(wechat, platform, how):
    openid = await consenting(platform)
    await send(wechat, openid)
    await platform.ask("POST", f"/_control/tokens/{how}", account="mini")
    await consenting(platform)
    await send(wechat, openid)
    assert (await platform.ask("GET", "/_control/sent"))["total"] == 2
    assert await platform.calls(SEND) == 3


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_token_refused_again_and_again_is_tried_exactly_twice(wechat, platform, errcode):
    openid = await consenting(platform)
    await platform.fault(SEND, "errcode", errcode=errcode)
    refusal = await refusal_of(send(wechat, openid))
    assert (refusal.kind, refusal.errcode) == (RefusalKind.RETRY_AFTER, errcode)
    assert await platform.calls(SEND) == 2


async def test_a_token_that_another_process_replaced_already_is_not_dropped(wechat, platform, redis: Redis):
    openid = await consenting(platform)
    await send(wechat, openid)
    (key,) = await redis.keys("wechat:token:*")
    await wechat._mini._tokens.drop("the one that failed")
    assert await redis.get(key)


@pytest.mark.parametrize(
    ("errcode", "kind", "within"),
    [
        (-1, RefusalKind.RETRY_AFTER, 60),
        (45011, RefusalKind.RETRY_AFTER, 60),
        (43108, RefusalKind.RETRY_AFTER, 5),
        (40164, RefusalKind.RETRY_AFTER, 600),
        (43101, RefusalKind.PERMANENT, None),
        (47003, RefusalKind.PERMANENT, None),
        (45168, RefusalKind.PERMANENT, None),
        (99999, RefusalKind.PERMANENT, None),
    ],
)
async def test_each_refusal_says_whether_and_when_to_try_again(wechat, platform, errcode, kind, within):
    openid = await consenting(platform)
    await platform.fault(SEND, "errcode", errcode=errcode)
    refusal = await refusal_of(send(wechat, openid))
    assert (refusal.kind, refusal.errcode) == (kind, errcode)
    assert refusal.retry_seconds is None if within is None else 0 <= refusal.retry_seconds <= within
    assert refusal.alarm is (errcode == 40164)


async def test_a_spent_day_rests_until_midnight_in_shanghai(wechat, platform, clock_moves):
    openid = await consenting(platform)
    await platform.fault(SEND, "errcode", errcode=45009, times=1)
    refusal = await refusal_of(send(wechat, openid))
    assert refusal.alarm
    assert refusal.retry_at == clock.at(clock.today() + timedelta(days=1))
    assert (await refusal_of(send(wechat, openid))).errcode == 45009
    assert await platform.calls(SEND) == 1
    clock_moves(days=1)
    await send(wechat, openid)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "drop_before"}, RefusalKind.UNKNOWN),
        ({"kind": "drop_after"}, RefusalKind.UNKNOWN),
        ({"kind": "garbage", "body": "<html>busy</html>"}, RefusalKind.UNKNOWN),
        ({"kind": "garbage", "body": "[]"}, RefusalKind.UNKNOWN),
        ({"kind": "status", "status": 502}, RefusalKind.UNKNOWN),
        ({"kind": "status", "status": 503}, RefusalKind.RETRY_AFTER),
    ],
)
async def test_an_answer_that_never_came_is_unknown_and_never_sent_again(wechat, platform, fault, kind):
    openid = await consenting(platform)
    await platform.fault(SEND, **fault)
    refusal = await refusal_of(send(wechat, openid))
    assert refusal.kind is kind
    assert await platform.calls(SEND) == 1


async def test_a_call_that_hangs_after_it_left_is_unknown(platform):
    transport = Transport(platform.url, total_seconds=0.3)
    await platform.fault("/sns/*", "hang_after")
    refusal = await refusal_of(transport.call("GET", "/sns/jscode2session", {"js_code": "x"}, None))
    assert refusal.kind is RefusalKind.UNKNOWN
    await transport.close()


async def test_a_platform_that_cannot_be_reached_is_asked_again_later(accounts, redis: Redis):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        unreachable = accounts.model_copy(update={"origin": f"http://127.0.0.1:{closed.getsockname()[1]}"})
        gateway = WeChat(unreachable, redis)
        refusal = await refusal_of(gateway.code2session("any"))
        assert (refusal.kind, refusal.errcode) == (RefusalKind.RETRY_AFTER, None)
        assert refusal.retry_seconds is not None
        await gateway.close()


async def test_neither_secret_nor_token_nor_openid_is_logged_or_raised(platform, accounts, redis: Redis, capsys):
    wrong = accounts.model_copy(update={"secret": SecretStr("a-secret-of-ours")})
    gateway = WeChat(wrong, redis)
    refusal = await refusal_of(send(gateway, "an-openid"))
    printed = "".join(capsys.readouterr()) + repr(refusal) + repr(refusal.__cause__)
    assert "wechat.refused" in printed
    assert "a-secret-of-ours" not in printed
    assert "an-openid" not in printed
    await gateway.close()


async def test_a_template_message_repeated_with_its_id_arrives_once(wechat, platform):
    phone = await platform.phone()
    await platform.ask("POST", f"/_phone/{phone['openid']}/follow")
    for _ in range(2):
        assert await wechat.send_template(phone["service_openid"], "ZL_NOTICE", TODO, "once", "pages/inbox")
    assert (await platform.ask("GET", "/_control/sent"))["total"] == 1


async def test_a_follower_is_known_by_the_unionid(wechat, platform):
    phone = await platform.phone()
    await platform.ask("POST", f"/_phone/{phone['openid']}/follow")
    follower = await wechat.follower(phone["service_openid"])
    assert (follower.unionid, follower.following) == (phone["unionid"], True)


async def test_a_site_code_is_a_picture(wechat, platform):
    assert (await wechat.site_code("v=1", "pages/visit")).startswith((b"\xff\xd8", b"\x89PNG"))


async def test_a_text_of_somebody_who_is_away_waits_for_a_person(wechat, platform):
    phone = await platform.phone()
    await platform.ask("POST", "/_control/clock", advance_seconds=3 * 3600)
    assert (await wechat.check_text(phone["openid"], "现场已清理")).suggest == "review"
    await platform.ask("POST", f"/_phone/{phone['openid']}/visit")
    assert (await wechat.check_text(phone["openid"], "现场已清理")).suggest == "pass"


async def test_a_picture_to_be_checked_gets_a_trace(wechat, platform):
    phone = await platform.phone()
    await platform.ask("POST", f"/_phone/{phone['openid']}/visit")
    assert await wechat.check_media(phone["openid"], "https://example.org/a.jpg")
