"""Content safety: texts at once, pictures later by event. Verdicts come from words set by the control API."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from .. import events
from ..calling import OK, Call, Route
from ..errors import Refusal
from ..phones import Phone
from ..world import World

VISIT_WINDOW = 7200
"""Seconds within which the person must have visited the mini-program."""
LONGEST_TEXT = 2500


def text_check(world: World, call: Call) -> dict[str, object]:
    """POST /wxa/msg_sec_check, version 2."""
    _visitor(world, call)
    content = call.body.get("content")
    if not isinstance(content, str) or not content:
        raise Refusal(44002, "empty post data")
    if len(content) > LONGEST_TEXT:
        raise Refusal(45002)
    suggest, label = world.words.verdict(content)
    return OK | {"result": {"suggest": suggest, "label": label}, "trace_id": _trace_id()}


def media_check(world: World, call: Call) -> dict[str, object]:
    """POST /wxa/media_check_async: the picture is judged by its URL, never fetched."""
    phone = _visitor(world, call)
    url = call.body.get("media_url")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or call.body.get("media_type") != 2:
        raise Refusal(40097)
    trace_id = _trace_id()
    event = events.media_checked(phone.openid, world.settings.appid, trace_id, *world.words.verdict(url))
    world.pusher.offer("mini", event, delay=world.settings.media_check_delay_ms / 1000)
    return OK | {"trace_id": trace_id}


def _visitor(world: World, call: Call) -> Phone:
    body = call.body
    if body.get("version") != 2:
        raise Refusal(40097)
    if body.get("scene") not in (1, 2, 3, 4):
        raise Refusal(40129)
    phone = world.phones.require(body.get("openid"))
    if world.clock.now() - phone.visited_at > VISIT_WINDOW:
        raise Refusal(61010)
    return phone


def _trace_id() -> str:
    return f"{secrets.token_hex(4)}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


ROUTES = (
    Route("POST", "/wxa/msg_sec_check", text_check, account="mini"),
    Route("POST", "/wxa/media_check_async", media_check, account="mini"),
)
