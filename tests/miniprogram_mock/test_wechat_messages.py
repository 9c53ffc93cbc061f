"""Messages arrive only with consent, in the right form, one at a time for one person."""

import asyncio

import pytest


async def notifications(wechat, openid):
    return (await wechat.get(f"/_phone/{openid}/notifications"))["notifications"]


async def test_each_accept_is_good_for_one_message(wechat):
    openid = await wechat.consenting(times=2)
    assert [(await wechat.send(openid))["errcode"] for _ in range(3)] == [0, 0, 43101]
    received = await notifications(wechat, openid)
    assert [message["data"] for message in received] == [{"thing1": "您有1项待办"}] * 2
    assert received[0]["link"] == "http://localhost:5173/h5/?phone=13800000001#/pages/item?id=1"
    assert received[0]["seq"] > received[1]["seq"]


@pytest.mark.parametrize("choice", ["reject", "ban", "filter"])
async def test_nothing_comes_without_an_accept(wechat, choice):
    openid = (await wechat.register())["openid"]
    asked = await wechat.post(f"/_phone/{openid}/subscribe", {"template_ids": ["ZL_TODO"], "choice": choice})
    assert asked == {"errMsg": "requestSubscribeMessage:ok", "ZL_TODO": choice}
    assert (await wechat.send(openid))["errcode"] == 43101


async def test_refusing_in_the_settings_takes_what_was_left(wechat):
    openid = await wechat.consenting(times=3)
    await wechat.post(f"/_phone/{openid}/settings", {"reject": ["ZL_TODO"]})
    assert (await wechat.send(openid))["errcode"] == 43101
    asked = await wechat.post(f"/_phone/{openid}/subscribe", {"template_ids": ["ZL_TODO"]})
    assert asked["ZL_TODO"] == "reject"
    await wechat.post(f"/_phone/{openid}/settings", {"accept": ["ZL_TODO"]})
    await wechat.post(f"/_phone/{openid}/subscribe", {"template_ids": ["ZL_TODO"]})
    assert (await wechat.send(openid))["errcode"] == 0


async def test_the_main_switch_stops_both_asking_and_sending(wechat):
    openid = await wechat.consenting()
    await wechat.post(f"/_phone/{openid}/settings", {"main_switch": False})
    assert (await wechat.post(f"/_phone/{openid}/subscribe", {"template_ids": ["ZL_TODO"]}))["errCode"] == 20004
    assert (await wechat.send(openid))["errcode"] == 43101


async def test_the_consent_sheet_has_its_limits(wechat):
    openid = (await wechat.register())["openid"]
    for ids, code in (([], 10001), (["ZL_TODO"] * 6, 20003), (["unknown"], 20001), (["ZL_NOTICE"], 20001)):
        assert (await wechat.post(f"/_phone/{openid}/subscribe", {"template_ids": ids}))["errCode"] == code


async def test_a_long_term_consent_is_never_used_up(wechat):
    await wechat.post("/_control/templates", {"template_id": "ZL_TODO", "kind": 3, "fields": {"thing1": "内容"}})
    openid = await wechat.consenting()
    assert [(await wechat.send(openid))["errcode"] for _ in range(4)] == [0] * 4


async def test_two_sends_to_one_person_at_once_collide_and_to_two_people_do_not(wechat):
    token = await wechat.token()
    first, second = await wechat.consenting(times=2), await wechat.consenting("13800000002")
    answers = await asyncio.gather(*(wechat.send(who, token) for who in (first, first, second)))
    assert sorted(answer["errcode"] for answer in answers) == [0, 0, 43108]
    assert (await wechat.send(first, token))["errcode"] == 0


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("thing1", "一" * 20, "一" * 21),
        ("thing1", "您有1项待办，请进入小程序查看", "两\n行"),
        ("thing1", "好", " "),
        ("character_string3", "ZL-2026/0001", "编号1"),
        ("character_string3", "x" * 32, "x" * 33),
        ("time2", "2026年11月24日 15:00", "2026-11-24 15:00"),
        ("time2", "15:00~2026年11月24日 16:00", "2026年13月1日 15:00"),
        ("date4", "2026年11月24日", "11月24日"),
        ("number5", "12.5", "十二"),
        ("phrase6", "已逾期", "overdue"),
        ("name7", "张三", "张" * 11),
        ("name7", "Zhang San", "a" * 21),
        ("amount8", "¥12.50", "很多"),
        ("phone_number9", "+86 0571-8888", "电话"),
    ],
)
async def test_values_keep_to_the_type_in_the_field_name(wechat, field, good, bad):
    kinds = ("thing1", "character_string3", "time2", "date4", "number5", "phrase6", "name7", "amount8", "phone_number9")
    fields = {f"{kind}?": kind for kind in kinds}
    await wechat.post("/_control/templates", {"template_id": "ZL_TODO", "fields": fields})
    openid = await wechat.consenting(times=2)
    refused = await wechat.send(openid, **{field: bad})
    assert refused["errcode"] == 47003
    assert f"data.{field}.value invalid" in refused["errmsg"]
    assert (await wechat.send(openid, **{field: good}))["errcode"] == 0


async def test_a_refused_message_uses_no_consent(wechat):
    openid, token = await wechat.consenting(), await wechat.token()
    await wechat.post("/_control/words", {"sensitive": ["违禁"]})
    assert (await wechat.send(openid, thing1="违禁品"))["errcode"] == 45168
    assert (await wechat.send(openid, time2="15:00"))["errcode"] == 47003
    assert (await wechat.send(openid, other1="多余", thing1="好"))["errcode"] == 47003
    body = {"touser": openid, "template_id": "unknown", "data": {}}
    assert (await wechat.post("/cgi-bin/message/subscribe/send", body, access_token=token))["errcode"] == 40037
    assert (await wechat.send("o" + "x" * 27))["errcode"] == 40003
    assert (await wechat.get(f"/_phone/{openid}"))["consents"] == {"ZL_TODO": 1}
    assert (await wechat.send(openid))["errcode"] == 0


async def test_template_messages_go_to_followers_only(wechat):
    phone = await wechat.register()
    assert (await wechat.send_template(phone["service_openid"]))["errcode"] == 43004
    assert (await wechat.send_template(phone["openid"]))["errcode"] == 40003
    await wechat.post(f"/_phone/{phone['openid']}/follow")
    sent = await wechat.send_template(phone["service_openid"], miniprogram={"appid": "wx0", "pagepath": "pages/inbox"})
    (message,) = await notifications(wechat, phone["openid"])
    assert sent["errcode"] == 0
    assert (message["channel"], message["page"]) == ("template", "pages/inbox")


async def test_a_repeated_client_msg_id_sends_once_within_ten_minutes(wechat):
    openid = (await wechat.register(following=True))["service_openid"]
    first = await wechat.send_template(openid, client_msg_id="a")
    assert (await wechat.send_template(openid, client_msg_id="a"))["msgid"] == first["msgid"]
    assert (await wechat.send_template(openid, client_msg_id="b"))["msgid"] != first["msgid"]
    await wechat.advance(601)
    assert (await wechat.send_template(openid, client_msg_id="a"))["msgid"] != first["msgid"]
    assert [m["client_msg_id"] for m in await wechat.sent(channel="template")] == ["a", "b", "a"]


async def test_template_messages_have_a_daily_quota_that_midnight_in_shanghai_renews(wechat):
    openid = (await wechat.register(following=True))["service_openid"]
    assert [(await wechat.send_template(openid))["errcode"] for _ in range(6)] == [0] * 5 + [45009]
    await wechat.advance(86_400)
    assert (await wechat.send_template(openid))["errcode"] == 0


async def test_the_unionid_joins_the_two_accounts(wechat):
    phone = await wechat.register(following=True)
    token = await wechat.token("service")
    listed = await wechat.get("/cgi-bin/user/get", access_token=token)
    assert listed["data"]["openid"] == [phone["service_openid"]]
    known = await wechat.get("/cgi-bin/user/info", access_token=token, openid=phone["service_openid"])
    assert (known["subscribe"], known["unionid"]) == (1, phone["unionid"])


async def test_what_was_sent_is_listed_by_pages_and_filters(wechat):
    one, two = await wechat.consenting(times=3), await wechat.consenting("13800000002")
    for openid in (one, one, two, one):
        await wechat.send(openid)
    first = await wechat.get("/_control/sent", limit=3)
    rest = await wechat.get("/_control/sent", limit=3, after=first["next"])
    assert [m["openid"] for m in first["items"] + rest["items"]] == [one, one, two, one]
    assert (rest["next"], rest["total"]) == (None, 4)
    assert all(m["answered"] and m["page"] == "pages/item?id=1" for m in first["items"])
    assert len(await wechat.sent(touser=two)) == 1
