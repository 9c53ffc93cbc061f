"""WeCom (企业微信): the token of an app, and its messages to members named by userid."""

from __future__ import annotations

from hashlib import sha256

import orjson

from ..calling import OK, Call, Route
from ..errors import Refusal
from ..messages import SentMessage
from ..world import World

DEFAULT_INTERVAL, LONGEST_INTERVAL = 1800, 4 * 3600
MOST_TEXTS = 200_000


def get_token(world: World, call: Call) -> dict[str, object]:
    """GET /cgi-bin/gettoken: the same token for as long as it lives."""
    arguments, settings = call.request.args, world.settings
    if arguments.get("corpid") != settings.wecom_corpid:
        raise Refusal(40013, "invalid corpid")
    if arguments.get("corpsecret") != settings.wecom_secret:
        raise Refusal(40001, "invalid credential")
    token = world.tokens.stable("wecom", force=False)
    return OK | {"access_token": token.value, "expires_in": int(token.expires_at - world.clock.now())}


def send(world: World, call: Call) -> dict[str, object]:
    """POST /cgi-bin/message/send, texts only. Where asked, the same request again within the interval sends nothing."""
    body = call.body
    if body.get("agentid") != world.settings.wecom_agentid:
        raise Refusal(40056)
    named = [userid for userid in str(body.get("touser") or "").split("|") if userid]
    known = [userid for userid in named if userid.lower() in world.members]
    if not known:
        raise Refusal(81013)
    content = (body.get("text") or {}).get("content")
    if body.get("msgtype") != "text" or not content:
        raise Refusal(40008)
    invalid = {"invaliduser": "|".join(userid.lower() for userid in named if userid not in known)}
    message = _sent_before(world, body) or _accept(world, call, known, str(content))
    return OK | {"msgid": str(message.msgid)} | (invalid if invalid["invaliduser"] else {})


def _accept(world: World, call: Call, userids: list[str], content: str) -> SentMessage:
    world.quotas.per_day("wecom", world.settings.wecom_daily_limit)
    for userid in userids:
        call.message = world.mailbox.accept(
            "wecom", openid=userid, template_id="", data={"content": content}, page="", at=world.clock.now()
        )
    assert call.message
    if call.body.get("enable_duplicate_check") == 1:
        world.texts.pop(key := _key(call.body), None)
        world.texts[key] = call.message
        if len(world.texts) > MOST_TEXTS:
            del world.texts[next(iter(world.texts))]
    return call.message


def _sent_before(world: World, body: dict[str, object]) -> SentMessage | None:
    asked = body.get("duplicate_check_interval")
    interval = min(asked, LONGEST_INTERVAL) if isinstance(asked, int) else DEFAULT_INTERVAL
    message = world.texts.get(_key(body)) if body.get("enable_duplicate_check") == 1 else None
    return message if message and world.clock.now() - message.at < interval else None


def _key(body: dict[str, object]) -> bytes:
    return sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


ROUTES = (
    Route("GET", "/cgi-bin/gettoken", get_token),
    Route("POST", "/cgi-bin/message/send", send, account="wecom"),
)
