"""Messages to phones: the mini-program's subscribe messages and the service account's template messages."""

from __future__ import annotations

from .. import events
from ..calling import OK, Call, Route
from ..errors import Refusal
from ..fields import read_values
from ..messages import SentMessage
from ..phones import Phone
from ..world import World

REPEAT_WINDOW = 600
"""Seconds in which a repeated `client_msg_id` is not sent again."""
MOST_REPEATS = 200_000


def send_subscribe(world: World, call: Call) -> dict[str, object]:
    """POST /cgi-bin/message/subscribe/send."""
    body = call.body
    phone = world.phones.require(body.get("touser"))
    template = world.templates.require(body.get("template_id"), "mini")
    values = read_values(body.get("data"), *template.names)
    _check_words(world, values)
    world.quotas.per_day("subscribe", world.settings.subscribe_daily_limit)
    phone.spend(template.template_id)
    call.message = message = world.mailbox.accept(
        "subscribe",
        openid=phone.openid,
        template_id=template.template_id,
        data=values,
        page=_text(body.get("page")),
        at=world.clock.now(),
        state=_text(body.get("miniprogram_state")) or "formal",
    )
    phone.notifications.append(message)
    if world.settings.sent_events and world.pusher.url("mini"):
        world.pusher.offer("mini", events.subscribe_sent(message))
    return OK | {"msgid": message.msgid}


def send_template(world: World, call: Call) -> dict[str, object]:
    """POST /cgi-bin/message/template/send."""
    body = call.body
    phone = world.phones.require_service(body.get("touser"))
    template = world.templates.require(body.get("template_id"), "service")
    if not phone.following:
        raise Refusal(43004)
    repeat_key = (phone.service_openid, _text(body.get("client_msg_id")))
    if sent := _sent_before(world, repeat_key):
        return OK | {"msgid": sent.msgid}
    values = read_values(body.get("data"), *template.names)
    world.quotas.per_day("template", world.settings.template_daily_limit)
    call.message = message = _accept_template(world, phone, body, values)
    _remember(world, repeat_key, message)
    return OK | {"msgid": message.msgid}


def _accept_template(world: World, phone: Phone, body: dict[str, object], values: dict[str, str]) -> SentMessage:
    link = body.get("miniprogram")
    page = _text(link.get("pagepath")) if isinstance(link, dict) else _text(body.get("url"))
    message = world.mailbox.accept(
        "template",
        openid=phone.service_openid,
        template_id=_text(body["template_id"]),
        data=values,
        page=page,
        at=world.clock.now(),
        client_msg_id=_text(body.get("client_msg_id")) or None,
    )
    if not phone.blocks_service:
        phone.notifications.append(message)
    if world.settings.sent_events:
        world.pusher.offer("service", events.template_sent(message, phone.blocks_service))
    return message


def _sent_before(world: World, key: tuple[str, str]) -> SentMessage | None:
    at, message = world.repeats.get(key, (0.0, None))
    return message if world.clock.now() - at < REPEAT_WINDOW else None


def _remember(world: World, key: tuple[str, str], message: SentMessage) -> None:
    if not key[1]:
        return
    world.repeats.pop(key, None)
    world.repeats[key] = (message.at, message)
    if len(world.repeats) > MOST_REPEATS:
        del world.repeats[next(iter(world.repeats))]


def _check_words(world: World, values: dict[str, str]) -> None:
    if any(word in value for word in world.words.sensitive for value in values.values()):
        raise Refusal(45168)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def user_info(world: World, call: Call) -> dict[str, object]:
    """GET /cgi-bin/user/info: a service openid's unionid, by which the two accounts' openids are matched."""
    phone = world.phones.require_service(call.request.args.get("openid"))
    if not phone.following:
        return {"subscribe": 0, "openid": phone.service_openid}
    known: dict[str, object] = {"subscribe": 1, "openid": phone.service_openid, "language": "zh_CN"}
    return known | ({"unionid": phone.unionid} if phone.unionid else {})


def user_list(world: World, call: Call) -> dict[str, object]:
    """GET /cgi-bin/user/get: followers, 10,000 at a time."""
    openids = [phone.service_openid for phone in world.phones.followers()]
    after = call.request.args.get("next_openid")
    start = openids.index(after) + 1 if after in openids else 0
    page = openids[start : start + 10_000]
    listed = {"data": {"openid": page}} if page else {}
    return {"total": len(openids), "count": len(page), "next_openid": page[-1] if page else ""} | listed


ROUTES = (
    Route("POST", "/cgi-bin/message/subscribe/send", send_subscribe, account="mini", one_at_a_time=True),
    Route("POST", "/cgi-bin/message/template/send", send_template, account="service"),
    Route("GET", "/cgi-bin/user/info", user_info, account="service"),
    Route("GET", "/cgi-bin/user/get", user_list, account="service"),
)
