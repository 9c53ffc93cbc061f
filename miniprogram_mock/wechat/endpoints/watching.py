"""The page for a person who watches: each phone's service notifications."""

from __future__ import annotations

from importlib.resources import files

from sanic import HTTPResponse, Request

from ..local import Reply, number
from ..phones import Phone
from ..world import World
from .phone_side import shown

_PAGE = files("miniprogram_mock.wechat").joinpath("page.html").read_text("utf-8")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


async def page(request: Request) -> HTTPResponse:
    """GET /."""
    return HTTPResponse(_PAGE, content_type="text/html; charset=utf-8", headers={"content-security-policy": _POLICY})


def feed(world: World, request: Request) -> Reply:
    """GET /_page/feed: the phones most recently notified, with what they received."""
    words = request.args.get("q", "").strip()
    latest = world.phones.latest(words, number(request, "limit", 60, 200))
    return {
        "phones": [_card(world, phone) for phone in latest],
        "total": len(world.phones),
        "sent": world.mailbox.totals,
    }


def _card(world: World, phone: Phone) -> Reply:
    received = [shown(world, message, phone.openid) for message in reversed(phone.notifications)]
    return {
        "openid": phone.openid,
        "nickname": phone.nickname,
        "tail": phone.number[-4:],
        "consents": sum(phone.consents.values()),
        "main_switch": phone.main_switch,
        "notifications": received[:10],
    }


ROUTES = (("GET", "/_page/feed", feed),)
