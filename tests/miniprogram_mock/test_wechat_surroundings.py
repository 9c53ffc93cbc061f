"""Codes, links, content safety, the page, and the process itself."""

import os
from io import BytesIO

import pytest
from PIL import Image

from miniprogram_mock.wechat.process import DidNotStart, start

from .test_wechat_pushes import opened


@pytest.mark.parametrize(("more", "form"), [({}, "JPEG"), ({"is_hyaline": True, "width": 280}, "PNG")])
async def test_a_site_code_is_a_real_picture(wechat, more, form):
    body, token = {"scene": "site=42", "page": "pages/site", "check_path": False} | more, await wechat.token()
    url = wechat.url + "/wxa/getwxacodeunlimit"
    async with wechat.session.post(url, json=body, params={"access_token": token}) as response:
        image = Image.open(BytesIO(await response.read()))
        assert response.content_type == f"image/{form.lower()}"
    assert (image.format, image.width) == (form, more.get("width", 430))
    (link,) = (await wechat.get("/_control/links"))["items"]
    assert (link["scene"], link["page"]) == ("site=42", "pages/site")


@pytest.mark.parametrize(
    ("body", "errcode"),
    [({"scene": "x" * 33}, 40129), ({"scene": "点"}, 40129), ({"scene": "a", "page": "/pages/a"}, 41030), ({}, 40129)],
)
async def test_a_site_code_has_its_limits(wechat, body, errcode):
    answer = await wechat.post("/wxa/getwxacodeunlimit", body, access_token=await wechat.token())
    assert answer["errcode"] == errcode


async def test_a_link_opens_its_page_until_it_expires(wechat):
    token, path = await wechat.token(), "/wxa/generate_urllink"
    ask = {"path": "pages/item", "query": "id=7", "expire_type": 1, "expire_interval": 3, "env_version": "release"}
    link = {"url_link": (await wechat.post(path, ask, access_token=token))["url_link"]}
    opened_page = {"path": "pages/item", "query": "id=7", "env_version": "release"}
    assert await wechat.post("/_phone/open_link", link) == opened_page
    await wechat.advance(3 * 86_400 + 1)
    assert "error" in await wechat.post("/_phone/open_link", link)
    ask["expire_interval"] = 31
    assert (await wechat.post(path, ask, access_token=await wechat.token()))["errcode"] == 85401


async def test_texts_are_checked_for_recent_visitors_only(wechat):
    openid, token = (await wechat.register())["openid"], await wechat.token()
    await wechat.post("/_control/words", {"risky": ["赌博"], "review": ["抽奖"]})

    async def check(content):
        body = {"version": 2, "openid": openid, "scene": 2, "content": content}
        return await wechat.post("/wxa/msg_sec_check", body, access_token=token)

    assert (await check("好"))["errcode"] == 61010
    await wechat.post(f"/_phone/{openid}/visit")
    assert [(await check(text))["result"]["suggest"] for text in ("好", "抽奖", "赌博")] == ["pass", "review", "risky"]
    assert (await check("好" * 2501))["errcode"] == 45002
    await wechat.advance(7201)
    token = await wechat.token()
    assert (await check("好"))["errcode"] == 61010


async def test_the_verdict_on_a_picture_comes_later_by_event(wechat, callback):
    openid = (await wechat.register())["openid"]
    await wechat.post("/_control/words", {"risky": ["bad"]})
    await wechat.post(f"/_phone/{openid}/visit")
    body = {"media_url": "https://zone.example/bad.jpg", "media_type": 2, "version": 2, "scene": 1, "openid": openid}
    asked = await wechat.post("/wxa/media_check_async", body, access_token=await wechat.token())
    (event,) = map(opened, await callback.wait(1))
    assert (event["Event"], event["trace_id"]) == ("wxa_media_check", asked["trace_id"])
    assert event["result"]["suggest"] == "risky"


async def test_the_page_shows_what_phones_received_and_asks_no_other_host(wechat):
    openid = await wechat.consenting()
    await wechat.register("13800000002", nickname="李四")
    await wechat.send(openid)
    async with wechat.session.get(wechat.url + "/") as response:
        page = await response.text()
        assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "服务通知" in page
    assert "http://" not in page
    feed = await wechat.get("/_page/feed")
    assert feed["phones"][0]["openid"] == openid
    (shown,) = feed["phones"][0]["notifications"]
    assert (shown["title"], shown["labels"]["thing1"]) == ("待办提醒", "提醒内容")
    assert [phone["nickname"] for phone in (await wechat.get("/_page/feed", q="李"))["phones"]] == ["李四"]


@pytest.mark.parametrize(("origin", "allowed"), [("http://localhost:5173", True), ("https://evil.example", False)])
async def test_only_pages_of_this_machine_may_play_the_phone(wechat, origin, allowed):
    url, headers = wechat.url + "/_phone/register", {"origin": origin}
    async with wechat.session.options(url, headers=headers) as response:
        assert ("access-control-allow-origin" in response.headers) is allowed
    async with wechat.session.post(url, json={"phone": "13800000001"}, headers=headers) as response:
        assert (response.headers.get("access-control-allow-origin") == origin) is allowed


async def test_the_tester_sees_calls_and_the_clock(wechat):
    await wechat.consenting()
    await wechat.token()
    stats = await wechat.get("/_control/stats")
    assert stats["calls"] == {"/cgi-bin/stable_token": 1}
    assert (stats["tokens_issued"]["mini"], stats["phones"]) == (1, 1)
    assert (await wechat.post("/_control/clock", {"offset_seconds": 60}))["offset_seconds"] == 60
    assert (await wechat.get("/_control/clock"))["offset_seconds"] == 60


def test_the_process_leads_its_own_group_and_stops_cleanly():
    with start(latency_ms=0) as mock:
        assert os.getpgid(mock.pid) == mock.pid != os.getpgid(0)
    assert mock.process.returncode == 0


def test_a_process_that_cannot_start_says_why():
    with pytest.raises(DidNotStart, match="usage"):
        start(push_concurrency="many")
