"""Faults on order: what was accepted is known, whatever the caller saw."""

import asyncio
import time

import aiohttp
import pytest

from .conftest import SEND


async def test_a_call_dropped_after_acceptance_has_sent_its_message(wechat):
    openid, token = await wechat.consenting(times=3), await wechat.token()
    await wechat.fault(SEND, "drop_after", times=1)
    with pytest.raises(aiohttp.ClientError):
        await wechat.send(openid, token)
    assert (await wechat.send(openid, token))["errcode"] == 0
    assert [message["answered"] for message in await wechat.sent()] == [False, True]


async def test_a_call_dropped_before_acceptance_has_sent_nothing(wechat):
    openid, token = await wechat.consenting(), await wechat.token()
    await wechat.fault("/cgi-bin/message/*", "drop_before", times=1)
    with pytest.raises(aiohttp.ClientError):
        await wechat.send(openid, token)
    assert await wechat.sent() == []
    assert (await wechat.send(openid, token))["errcode"] == 0


@pytest.mark.parametrize(("kind", "accepted"), [("hang_before", 0), ("hang_after", 1)])
async def test_a_call_may_never_be_answered(wechat, kind, accepted):
    openid, token = await wechat.consenting(), await wechat.token()
    await wechat.fault(SEND, kind)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wechat.send(openid, token), 0.3)
    assert [message["answered"] for message in await wechat.sent()] == [False] * accepted


async def test_a_caller_that_does_not_wait_out_the_latency_has_sent_all_the_same(wechat):
    openid, token = await wechat.consenting(times=2), await wechat.token()
    await wechat.fault(SEND, "latency", ms=400, times=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wechat.send(openid, token), 0.1)
    deadline = time.monotonic() + 5
    while (await wechat.send(openid, token))["errcode"] == 43108:
        assert time.monotonic() < deadline
    assert [message["answered"] for message in await wechat.sent()] == [False, True]


async def test_any_errcode_any_status_and_garbage_can_be_answered(wechat):
    openid, token = await wechat.consenting(), await wechat.token()
    await wechat.fault(SEND, "errcode", errcode=45009, times=1)
    refused = await wechat.send(openid, token)
    assert refused["errcode"] == 45009
    assert refused["errmsg"].startswith("reach max api daily quota limit")
    await wechat.fault(SEND, "status", status=503, times=1)
    async with wechat.session.post(wechat.url + SEND, json={}) as response:
        assert response.status == 503
    await wechat.fault(SEND, "garbage", times=1)
    async with wechat.session.post(wechat.url + SEND, json={}) as response:
        assert "<html>" in await response.text()
    assert await wechat.sent() == []
    assert (await wechat.get("/_control/stats"))["errcodes"]["45009"] == 1


async def test_an_answer_can_drip(wechat):
    openid, token = await wechat.consenting(), await wechat.token()
    await wechat.fault(SEND, "drip", ms=5)
    began = time.monotonic()
    assert (await wechat.send(openid, token))["errcode"] == 0
    assert time.monotonic() - began > 0.1


async def test_a_fault_may_strike_one_person_or_by_chance(wechat):
    one, two = await wechat.consenting(), await wechat.consenting("13800000002", times=40)
    token = await wechat.token()
    await wechat.fault(SEND, "errcode", errcode=-1, touser=one)
    assert [(await wechat.send(who, token))["errcode"] for who in (one, two)] == [-1, 0]
    await wechat.fault(SEND, "errcode", errcode=-1, probability=0.5)
    answers = [(await wechat.send(two, token))["errcode"] for _ in range(30)]
    assert {0, -1} == set(answers)
    (first, second) = (await wechat.get("/_control/faults"))["faults"]
    assert (first["hits"], second["hits"]) == (1, answers.count(-1))


async def test_a_wrong_order_is_refused_with_its_reason(wechat):
    for order in ({"path": "*", "kind": "nonsense"}, {"path": "*", "kind": "latency"}, {"path": "*", "kind": "lose"}):
        assert "error" in await wechat.post("/_control/faults", order)
    assert "error" in await wechat.post("/_control/reset", {"keep_fones": True})


async def test_faults_can_be_taken_back(wechat):
    openid = await wechat.consenting()
    await wechat.fault(SEND, "errcode", errcode=-1)
    async with wechat.session.delete(wechat.url + "/_control/faults") as response:
        assert response.status == 200
    assert (await wechat.send(openid))["errcode"] == 0


async def test_malformed_bodies_are_refused_in_the_platforms_way(wechat):
    token = await wechat.token()
    for body in (b"{", b"[]", b"\xff"):
        async with wechat.session.post(wechat.url + SEND, data=body, params={"access_token": token}) as response:
            assert (response.status, (await response.json(content_type=None))["errcode"]) == (200, 47001)
