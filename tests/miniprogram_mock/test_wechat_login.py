"""Codes become identities once, and only with the right credentials."""

import hashlib

from .conftest import APPID, SECRET


async def log_in(wechat, code, appid=APPID, secret=SECRET):
    arguments = {"appid": appid, "secret": secret, "js_code": code, "grant_type": "authorization_code"}
    return await wechat.get("/sns/jscode2session", **arguments)


async def code_for(wechat, phone):
    return (await wechat.post(f"/_phone/{phone['openid']}/login"))["code"]


async def test_a_login_code_names_the_phone_once(wechat):
    phone = await wechat.register()
    code = await code_for(wechat, phone)
    session = await log_in(wechat, code)
    assert session["openid"] == phone["openid"]
    assert session["unionid"] == phone["unionid"]
    assert session["session_key"]
    assert "errcode" not in session
    assert (await log_in(wechat, code))["errcode"] == 40029


async def test_a_login_code_lives_five_minutes(wechat):
    code = await code_for(wechat, await wechat.register())
    await wechat.advance(301)
    refused = await log_in(wechat, code)
    assert refused["errcode"] == 40029
    assert "rid: " in refused["errmsg"]


async def test_wrong_credentials_are_told_apart(wechat):
    code = await code_for(wechat, await wechat.register())
    assert (await log_in(wechat, code, appid="wx0"))["errcode"] == 40013
    assert (await log_in(wechat, code, secret="no"))["errcode"] == 40125
    assert (await log_in(wechat, code))["openid"]


async def test_a_high_risk_user_and_a_hundred_and_first_login_are_refused(wechat):
    risky = await wechat.register("13800000002", high_risk=True)
    assert (await log_in(wechat, await code_for(wechat, risky)))["errcode"] == 40226
    busy = await wechat.register()
    answers = [await log_in(wechat, await code_for(wechat, busy)) for _ in range(101)]
    assert "errcode" not in answers[99]
    assert answers[100]["errcode"] == 45011


async def test_identities_depend_on_the_number_alone(wechat):
    first = await wechat.register(has_unionid=False)
    await wechat.post("/_control/reset")
    again = await wechat.register(has_unionid=False)
    assert first == again
    assert first["unionid"] is None
    assert len(first["openid"]) == 28
    assert first["openid"] != (await wechat.register("13800000002"))["openid"]


async def test_the_phone_number_comes_with_its_own_single_use_code(wechat):
    phone = await wechat.register("13800000009")
    token, path = await wechat.token(), "/wxa/business/getuserphonenumber"
    code = (await wechat.post(f"/_phone/{phone['openid']}/phone_code"))["code"]
    info = (await wechat.post(path, {"code": code}, access_token=token))["phone_info"]
    assert info["purePhoneNumber"] == "13800000009"
    assert info["countryCode"] in ("86", 86)
    assert info["watermark"]["appid"] == APPID
    assert (await wechat.post(path, {"code": code}, access_token=token))["errcode"] == 40029
    login = await code_for(wechat, phone)
    assert (await wechat.post(path, {"code": login}, access_token=token))["errcode"] == 40029


async def test_the_country_code_comes_in_both_spellings(wechat):
    token, seen = await wechat.token(), set()
    for number in ("13800000001", "13800000002", "13800000003", "13800000004", "13800000005"):
        phone = await wechat.register(number)
        code = (await wechat.post(f"/_phone/{phone['openid']}/phone_code"))["code"]
        answer = await wechat.post("/wxa/business/getuserphonenumber", {"code": code}, access_token=token)
        seen.add(answer["phone_info"]["countryCode"])
    assert seen == {86, "86"}


async def test_many_phones_register_at_once_and_are_listed_by_pages(wechat):
    numbers = [{"phone": f"139{i:08}"} for i in range(250)]
    registered = (await wechat.post("/_phone/register_many", {"phones": numbers}))["phones"]
    first = await wechat.get("/_phone", limit=200)
    rest = await wechat.get("/_phone", limit=200, after=first["next"])
    assert [p["openid"] for p in first["phones"] + rest["phones"]] == [p["openid"] for p in registered]
    assert (first["total"], rest["next"]) == (250, None)
    assert len({hashlib.sha256(p["openid"].encode()).digest() for p in registered}) == 250
