"""Access tokens stay the same, overlap, run out and are refused as the platform says."""

from .conftest import APPID, SECRET, SEND


async def refusal(wechat, token, **params):
    params = {"access_token": token} if token is not None else params
    return (await wechat.post(SEND, {"touser": "nobody"}, **params))["errcode"]


async def test_a_stable_token_stays_the_same_until_five_minutes_before_its_end(wechat):
    first = await wechat.token()
    await wechat.advance(7200 - 301)
    assert await wechat.token() == first
    await wechat.advance(2)
    second = await wechat.token()
    assert second != first
    assert await refusal(wechat, first) == 40003
    assert await refusal(wechat, second) == 40003
    await wechat.advance(300)
    assert await refusal(wechat, first) == 42001
    assert await refusal(wechat, second) == 40003


async def test_bad_tokens_are_told_apart(wechat):
    assert await refusal(wechat, None) == 41001
    assert await refusal(wechat, "nonsense") == 40014
    assert await refusal(wechat, "81_" + "x" * 128) == 40001
    assert await refusal(wechat, await wechat.token("service")) == 48001


async def test_a_forced_refresh_ends_the_old_token_at_most_each_thirty_seconds_and_twenty_times_a_day(wechat):
    first = await wechat.token(force=True)
    assert await wechat.token(force=True) == first
    for _ in range(19):
        await wechat.advance(31)
        latest = await wechat.token(force=True)
    assert await refusal(wechat, first) == 40001
    await wechat.advance(31)
    grant = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET, "force_refresh": True}
    assert (await wechat.post("/cgi-bin/stable_token", grant))["errcode"] == 45009
    assert await wechat.token() == latest
    await wechat.advance(86_400)
    assert await wechat.token(force=True) != latest


async def test_the_old_kind_of_token_ends_its_predecessor_and_leaves_the_stable_one(wechat):
    stable = await wechat.token()
    ask = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
    first = (await wechat.get("/cgi-bin/token", **ask))["access_token"]
    second = (await wechat.get("/cgi-bin/token", **ask))["access_token"]
    assert [await refusal(wechat, token) for token in (first, second, stable)] == [40001, 40003, 40003]


async def test_a_tester_can_end_tokens_in_both_ways(wechat):
    token = await wechat.token()
    await wechat.post("/_control/tokens/expire")
    assert await refusal(wechat, token) == 42001
    token = await wechat.token()
    await wechat.post("/_control/tokens/revoke")
    assert await refusal(wechat, token) == 40001
    assert await wechat.token() != token


async def test_wrong_credentials_get_no_token(wechat):
    ask = {"grant_type": "client_credential", "appid": APPID, "secret": "no"}
    assert (await wechat.post("/cgi-bin/stable_token", ask))["errcode"] == 40125
    assert (await wechat.post("/cgi-bin/stable_token", ask | {"appid": "wx0"}))["errcode"] == 40013
