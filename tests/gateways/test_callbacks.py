"""Pushes as the platform makes them, and as a forger would."""

import hashlib
from datetime import timedelta

import orjson
import pytest
from wechatpy.crypto import PrpCrypto, WeChatCrypto

from gateways.wechat.callbacks import Forged, Receiver
from models.base import clock

TOKEN, KEY, APPID = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
EVENT = {
    "ToUserName": "gh_1",
    "FromUserName": "o1",
    "CreateTime": "1714112445",
    "MsgType": "event",
    "Event": "subscribe_msg_popup_event",
    "List": {"TemplateId": "T1", "SubscribeStatusString": "accept", "PopupScene": "0"},
}
XML = (
    "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1714112445</CreateTime>"
    "<MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List>"
    "<TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>0</PopupScene>"
    "</List></SubscribeMsgPopupEvent></xml>"
)


@pytest.fixture(autouse=True)
def _clock(moving_clock):
    """The machine's time."""


def sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted([TOKEN, *parts])).encode()).hexdigest()


def sealed(message: str, appid: str = APPID) -> str:
    return PrpCrypto(WeChatCrypto(TOKEN, KEY, appid).key).encrypt(message, appid).decode()


def secure(message: str, *, appid: str = APPID, at: int | None = None, xml: bool = False) -> tuple[dict, bytes]:
    stamp, box = str(at or int(clock.now().timestamp())), sealed(message, appid)
    query = {"timestamp": stamp, "nonce": "n", "signature": sign(stamp, "n"), "msg_signature": sign(stamp, "n", box)}
    body = f"<xml><Encrypt><![CDATA[{box}]]></Encrypt></xml>".encode() if xml else orjson.dumps({"Encrypt": box})
    return query, body


@pytest.fixture
def receiver() -> Receiver:
    return Receiver(TOKEN, KEY, APPID)


def test_signatures_are_those_of_the_published_vectors():
    assert sign("1714036504", "1514711492") == "f464b24fc39322e44b38aa78f5edd27bd1441696"


def test_the_handshake_of_the_published_vector_is_echoed(receiver, clock_moves):
    clock_moves(seconds=1714036504 - clock.now().timestamp())
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
    }
    assert receiver.echo(query) == "4375120948345356249"
    with pytest.raises(Forged):
        receiver.echo(query | {"nonce": "1514711493"})


@pytest.mark.parametrize("xml", [False, True])
@pytest.mark.parametrize("message", [orjson.dumps(EVENT).decode(), XML])
def test_json_and_xml_become_the_same_event(receiver, message, xml):
    event = receiver.read(*secure(message, xml=xml))
    assert event == EVENT | {"CreateTime": 1714112445, "List": [EVENT["List"]]}


def test_several_rows_stay_a_list(receiver):
    rows = [EVENT["List"], EVENT["List"]]
    assert receiver.read(*secure(orjson.dumps(EVENT | {"List": rows}).decode()))["List"] == rows


def test_plain_mode_is_read_where_no_key_is_set():
    stamp = str(int(clock.now().timestamp()))
    query = {"timestamp": stamp, "nonce": "n", "signature": sign(stamp, "n")}
    assert Receiver(TOKEN, "", APPID).read(query, XML.encode())["Event"] == "subscribe_msg_popup_event"


def test_a_plain_body_is_forged_where_a_key_is_set(receiver):
    query, _ = secure(XML)
    with pytest.raises(Forged):
        receiver.read(query, orjson.dumps(EVENT))


def test_another_accounts_push_is_forged(receiver):
    with pytest.raises(Forged, match="another account"):
        receiver.read(*secure(XML, appid="wx0000000000000000"))


def test_an_altered_body_is_forged(receiver):
    query, _ = secure(XML)
    with pytest.raises(Forged, match="signature"):
        receiver.read(query, secure(XML)[1])


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(minutes=-6)])
def test_a_stale_push_is_forged(receiver, late):
    with pytest.raises(Forged, match="stale"):
        receiver.read(*secure(XML, at=int((clock.now() - late).timestamp())))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"<xml>", b"<a/>", b"\xff", b'{"Encrypt": 1}', b"<xml/>"])
def test_rubbish_is_forged_and_nothing_worse(receiver, body):
    with pytest.raises(Forged):
        receiver.read({"timestamp": "x", "nonce": "é", "msg_signature": "é"}, body)


@pytest.mark.parametrize("box", ["", "AAAA", "!!!!", "A" * 64, "é"])
def test_a_signed_box_that_does_not_open_is_forged(receiver, box):
    stamp = str(int(clock.now().timestamp()))
    query = {"timestamp": stamp, "nonce": "n", "msg_signature": sign(stamp, "n", box)}
    with pytest.raises(Forged):
        receiver.read(query, orjson.dumps({"Encrypt": box}))


@pytest.mark.parametrize(
    "entity",
    [
        '<!ENTITY a "aaaa">',
        '<!ENTITY b "bbbbbbbbbb"><!ENTITY a "&b;&b;&b;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
    ],
)
def test_entities_are_forged(receiver, entity):
    with pytest.raises(Forged):
        receiver.read(*secure(f"<!DOCTYPE x [{entity}]><xml><Event>&a;</Event></xml>"))


@pytest.mark.parametrize(
    "message",
    [
        '{"SubscribeMsgPopupEvent":"x"}',
        '{"SubscribeMsgPopupEvent":[1]}',
        '{"CreateTime":123456789012345678901234567890}',
        '{"FromUserName":"o\\u0000"}',
        '{"List":' + "[" * 900 + "]" * 900 + "}",
        "<xml>" + "<a>" * 5000 + "</a>" * 5000 + "</xml>",
    ],
)
def test_what_cannot_be_kept_is_forged_though_it_is_signed(receiver, message):
    with pytest.raises(Forged):
        receiver.read(*secure(message))
