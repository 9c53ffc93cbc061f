"""Whatever is thrown at it: a clear problem, nothing changed, nothing leaked."""

import asyncio
import hashlib
import time
from typing import Any

import pytest
from wechatpy.crypto import WeChatCrypto

from models.base import clock, database
from models.callbacks import Callback
from tests.api.conftest import APPID, CALLBACK_KEY, CALLBACK_TOKEN, Client, Phone

ECHO = "/api/mini/probe/echo"
JSON = {"Content-Type": "application/json"}
CALLBACK = "/wechat/callback"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1,", b'{"title":"\xff"}', b"{'title': 1}", b'{"title": NaN}', b"[" * 100_000]
)
async def test_malformed_json_is_told_from_wrong_values(anyone: Client, body: bytes) -> None:
    answer = await anyone.post(ECHO, data=body[:60_000], headers=JSON)
    assert answer.code in ("malformed_json", "invalid_body") and answer.status in (400, 422)
    assert answer.code == "malformed_json" or b"NaN" in body


@pytest.mark.parametrize("body", ["[]", "null", "3", '"words"'])
async def test_json_that_is_no_object_is_refused(anyone: Client, body: str) -> None:
    assert (await anyone.post(ECHO, data=body, headers=JSON)).code == "invalid_body"


async def test_another_content_type_is_refused(anyone: Client) -> None:
    answer = await anyone.post(ECHO, data="title=x", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status, answer.code) == (415, "json_expected")


async def test_a_body_over_the_bound_is_refused_whether_its_length_is_told_or_not(anyone: Client) -> None:
    async def unending() -> Any:
        for _ in range(40):
            yield b" " * 4096

    told = await anyone.post(ECHO, data=b" " * 70_000, headers=JSON)
    assert (told.status, told.code) == (413, "body_too_large")
    untold = await anyone.post(ECHO, data=unending(), headers=JSON)
    assert (untold.status, untold.code) == (413, "body_too_large")


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST /api/mini/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/mini/sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_hardly_http_gets_a_problem_and_no_traceback(server: str, raw: bytes) -> None:
    port = int(server.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    reply = await asyncio.wait_for(reader.read(65_536), 10)
    writer.close()
    assert reply.split(b" ", 2)[1] in (b"400", b"413")
    assert b"Traceback" not in reply and b"application/problem+json" in reply


@pytest.mark.parametrize("path", ["/api/mini/probe/listed?after=%00", "/%00", "/api/mini/%ff", "/..%2f..%2fetc/passwd"])
async def test_odd_addresses_are_no_server_error(anyone: Client, path: str) -> None:
    assert (await anyone.get(path)).status < 500


async def test_text_that_the_database_cannot_hold_is_the_callers_fault(anyone: Client) -> None:
    body = await anyone.post("/api/console/sign-in", {"login": "a\x00b", "password": "x", "code": "000000"})
    assert (body.status, body.code) == (422, "invalid_body")
    assert (await anyone.get("/api/mini/probe/listed?after=%00")).code == "invalid_query"


def pushed(message: str, token: str = CALLBACK_TOKEN, at: float | None = None) -> tuple[bytes, dict[str, str]]:
    """A push in secure mode, as the platform makes it: body and query."""
    stamp, nonce = str(int(at or clock.now().timestamp())), "514711492"
    sealed = WeChatCrypto(token, CALLBACK_KEY, APPID).encrypt_message(message, nonce, stamp)
    import xmltodict

    outer = xmltodict.parse(sealed)["xml"]
    query = {"timestamp": stamp, "nonce": nonce, "msg_signature": outer["MsgSignature"], "encrypt_type": "aes"}
    return f'{{"ToUserName":"gh_x","Encrypt":"{outer["Encrypt"]}"}}'.encode(), query


EVENT = '{"FromUserName":"o-%s","CreateTime":1700000000,"MsgType":"event","Event":"subscribe_msg_popup_event"}'


async def test_a_genuine_push_is_stored_once_before_it_is_answered(anyone: Client) -> None:
    body, query = pushed(EVENT % "once")
    for _ in range(2):
        answer = await anyone.post(CALLBACK, data=body, params=query, headers=JSON)
        assert (answer.status, answer.text) == (200, "success")
    assert await Callback.filter(key__contains="o-once").count() == 1


@pytest.mark.parametrize("what", ["another token", "stale", "changed body", "no signature", "plain", "words"])
async def test_a_forged_push_is_refused_and_nothing_is_stored(anyone: Client, what: str) -> None:
    body, query = pushed(
        EVENT % "forged",
        token="another" if what == "another token" else CALLBACK_TOKEN,
        at=time.time() - 3600 if what == "stale" else None,
    )
    if what == "changed body":
        body = body.replace(b'"Encrypt":"', b'"Encrypt":"AAAA')
    if what == "no signature":
        query.pop("msg_signature")
    if what == "plain":
        body = (EVENT % "forged").encode()
    if what == "words":
        body = b"hello"
    answer = await anyone.post(CALLBACK, data=body, params=query, headers=JSON)
    assert (answer.status, answer.code) == (403, "forged_callback")
    assert await Callback.filter(key__contains="o-forged").count() == 0


async def test_the_handshake_echoes_only_what_is_signed(anyone: Client) -> None:
    stamp = str(int(clock.now().timestamp()))
    signature = hashlib.sha1("".join(sorted([CALLBACK_TOKEN, stamp, "n"])).encode()).hexdigest()
    query = {"signature": signature, "timestamp": stamp, "nonce": "n", "echostr": "4375120948345356249"}
    assert (await anyone.get(CALLBACK, params=query)).text == "4375120948345356249"
    assert (await anyone.get(CALLBACK, params={**query, "nonce": "m"})).code == "forged_callback"


async def test_ids_of_nothing_and_of_no_form_are_not_found(phone: Phone) -> None:
    rows = await database.fetch("select count(*) as rows from kept_answer")
    for made_up in ("0193a5b0-7c1e-7000-8000-000000000001", "1", "x' or '1'='1"):
        answer = await phone.get(f"/api/mini/items/{made_up}")
        assert answer.status == 404
    assert await database.fetch("select count(*) as rows from kept_answer") == rows
