"""Events reach the backend sealed, signed, in every spelling, and are tried four times."""

import asyncio
import json
import time

import pytest
import xmltodict
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException

from miniprogram_mock.wechat.crypto import Envelope, signature
from miniprogram_mock.wechat.settings import Settings

from .conftest import APPID, SERVICE_APPID

DEFAULTS = Settings()
VECTOR = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR"
    "8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km3"
    "2IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
VECTOR_KEY, VECTOR_APPID = "A" * 43, "wxba5fad812f8e6fb9"


def opened(push, appid=APPID):
    """What the product's crypto library makes of a push."""
    query, body = push
    crypto = WeChatCrypto(DEFAULTS.token, DEFAULTS.encoding_aes_key, appid)
    outer = body if body.startswith(b"<") else xmltodict.unparse({"xml": json.loads(body)})
    text = crypto.decrypt_message(outer, query["msg_signature"], query["timestamp"], query["nonce"])
    return xmltodict.parse(text)["xml"] if text.startswith("<") else json.loads(text)


async def settled(wechat):
    deadline = time.monotonic() + 5
    while (pushes := (await wechat.get("/_control/stats"))["pushes"])["pending"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    return pushes


def test_signatures_and_decryption_match_the_published_vectors():
    assert signature("AAAAA", "1714036504", "1514711492") == "f464b24fc39322e44b38aa78f5edd27bd1441696"
    assert signature("AAAAA", "1714112445", "415670741", VECTOR) == "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
    event = json.loads(Envelope(VECTOR_KEY, VECTOR_APPID).open(VECTOR))
    assert (event["CreateTime"], event["debug_str"]) == (1714112445, "hello world")


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27, 28, 32, 5000])
def test_the_envelope_and_wechatpy_open_each_other(length):
    envelope, crypto = Envelope(VECTOR_KEY, VECTOR_APPID), WeChatCrypto("AAAAA", VECTOR_KEY, VECTOR_APPID)
    text = "着" * length
    sealed = envelope.seal(text.encode())
    signed = signature("AAAAA", "1714112445", "415670741", sealed)
    outer = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
    assert crypto.decrypt_message(outer, signed, "1714112445", "415670741") == text
    theirs = xmltodict.parse(crypto.encrypt_message(text, "415670741", "1714112445"))["xml"]
    assert envelope.open(theirs["Encrypt"]).decode() == text
    with pytest.raises(InvalidSignatureException):
        crypto.decrypt_message(outer, "0" * 40, "1714112445", "415670741")


def test_an_envelope_for_another_appid_does_not_open():
    sealed = Envelope(VECTOR_KEY, VECTOR_APPID).seal(b"x")
    with pytest.raises(ValueError, match="another appid"):
        Envelope(VECTOR_KEY, APPID).open(sealed)


async def test_one_answer_comes_as_an_object_and_several_as_an_array(wechat, callback):
    await wechat.post("/_control/templates", {"template_id": "SECOND", "fields": {"thing1": "内容"}})
    openid = (await wechat.register())["openid"]
    await wechat.post(f"/_phone/{openid}/subscribe", {"template_ids": ["ZL_TODO"]})
    ask = {"template_ids": ["ZL_TODO", "SECOND"], "choices": {"SECOND": "reject"}}
    await callback.wait(1)
    await wechat.post(f"/_phone/{openid}/subscribe", ask)
    single, several = [opened(push) for push in await callback.wait(2)]
    assert single["Event"] == "subscribe_msg_popup_event"
    assert single["FromUserName"] == openid
    assert single["List"]["SubscribeStatusString"] == "accept"
    assert [row["SubscribeStatusString"] for row in several["List"]] == ["accept", "reject"]
    assert {type(single["CreateTime"]), type(several["CreateTime"])} == {int, str}


async def test_events_come_as_xml_when_asked(wechat, callback):
    await wechat.post("/_control/callback", {"push_format": "xml"})
    openid = await wechat.consenting()
    await wechat.post(f"/_phone/{openid}/settings", {"reject": ["ZL_TODO", "OTHER"]})
    seen = {event["Event"]: event for event in map(opened, await callback.wait(2))}
    assert seen["subscribe_msg_popup_event"]["SubscribeMsgPopupEvent"]["List"]["TemplateId"] == "ZL_TODO"
    rows = seen["subscribe_msg_change_event"]["SubscribeMsgChangeEvent"]["List"]
    assert [row["TemplateId"] for row in rows] == ["ZL_TODO", "OTHER"]


async def test_every_push_carries_the_query_of_secure_mode(wechat, callback):
    openid = await wechat.consenting()
    ((query, body),) = await callback.wait(1)
    assert query["signature"] == signature(DEFAULTS.token, query["timestamp"], query["nonce"])
    assert (query["openid"], query["encrypt_type"]) == (openid, "aes")
    assert json.loads(body)["ToUserName"] == DEFAULTS.original_id
    assert abs(int(query["timestamp"]) - time.time()) < 60


async def test_a_sent_message_is_followed_by_its_event(wechat, callback):
    openid = await wechat.consenting()
    sent = await wechat.send(openid)
    events = {event["Event"]: event for event in map(opened, await callback.wait(2))}
    assert events["subscribe_msg_sent_event"]["List"]["MsgID"] == str(sent["msgid"])


async def test_service_account_events_are_sealed_for_its_own_appid(wechat, callback):
    phone = await wechat.register()
    await wechat.post(f"/_phone/{phone['openid']}/follow")
    await callback.wait(1)
    await wechat.post(f"/_phone/{phone['openid']}/settings", {"block_service": True})
    sent = await wechat.send_template(phone["service_openid"])
    followed, finished = [opened(push, SERVICE_APPID) for push in await callback.wait(2)]
    assert (followed["Event"], followed["FromUserName"]) == ("subscribe", phone["service_openid"])
    assert (finished["MsgID"], finished["Status"]) == (sent["msgid"], "failed:user block")


async def test_a_push_not_answered_with_success_is_tried_three_times_more(wechat, callback):
    callback.answers = ["no", "error", ""]
    await wechat.consenting()
    await callback.wait(4)
    counts = await settled(wechat)
    assert (counts["attempts"], counts["delivered"], counts["failed"]) == (4, 1, 0)
    bodies = {opened(push)["CreateTime"] for push in callback.received}
    assert len(bodies) == 1


async def test_a_push_is_given_up_after_four_tries_and_a_slow_answer_counts_as_none(wechat, callback):
    async def slow():
        await asyncio.sleep(1)
        return "success"

    callback.answers = [slow, "no", "no", "no"]
    await wechat.consenting()
    await callback.wait(4)
    counts = await settled(wechat)
    assert (counts["attempts"], counts["delivered"], counts["failed"]) == (4, 0, 1)
    (push,) = (await wechat.get("/_control/pushes"))["items"]
    assert (push["event"], push["delivered"]) == ("subscribe_msg_popup_event", False)


async def test_pushes_can_be_lost_or_doubled(wechat, callback):
    await wechat.fault("push:subscribe_msg_popup_event", "lose", times=1)
    await wechat.fault("push:*", "duplicate", times=1)
    openid = await wechat.consenting(times=2)
    first, second = [opened(push) for push in await callback.wait(2)]
    assert first == second
    assert first["FromUserName"] == openid


async def test_the_handshake_and_an_event_of_ones_own(wechat, callback):
    assert await wechat.post("/_control/verify_callback") == {"ok": True, "status": 200}
    await wechat.post("/_control/push", {"message": {"FromUserName": "o1", "Event": "mine", "List": []}})
    (event,) = map(opened, await callback.wait(1))
    assert (event["Event"], event["ToUserName"]) == ("mine", DEFAULTS.original_id)
