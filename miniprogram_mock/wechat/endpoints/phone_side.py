"""What the WeChat client does: the calls a simulated phone, or the mini-program in a browser, makes here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from sanic import Request

from .. import events
from ..local import Body, Mistake, Reply, find_phone, number, read
from ..messages import SentMessage
from ..phones import Phone
from ..templates import LONG_TERM, Template
from ..world import World

Choice = Literal["accept", "reject", "ban", "filter"]
TemplateIds = Annotated[list[str], Field(max_length=100)]
MOST_TEMPLATES = 5
_FAILURES = {
    10001: "TmplIds can't be empty",
    20001: "No template data return, verify the template id exist",
    20002: "Templates type must be same",
    20003: "Templates count out of max bounds",
    20004: "The main switch is switched off",
}


class Registration(Body):
    """A new person with a phone; `accepts` are messages per template that they have already agreed to."""

    phone: Annotated[str, StringConstraints(pattern=r"^\d{5,20}$")]
    nickname: Annotated[str, StringConstraints(max_length=40)] = ""
    has_unionid: bool = True
    following: bool = False
    high_risk: bool = False
    accepts: Annotated[dict[str, Annotated[int, Field(ge=0, le=10_000)]], Field(max_length=10)] = {}


class Registrations(Body):
    """Many at once."""

    phones: Annotated[list[Registration], Field(max_length=10_000)]


class Subscription(Body):
    """`wx.requestSubscribeMessage` and what the person taps, per template or for all."""

    template_ids: TemplateIds
    choice: Choice = "accept"
    choices: dict[str, Choice] = {}


class Preferences(Body):
    """The settings sheet of the mini-program and of the service account."""

    main_switch: bool | None = None
    reject: TemplateIds = []
    accept: TemplateIds = []
    block_service: bool | None = None


class Link(Body):
    """A link received by text message."""

    url_link: str


def register(world: World, request: Request) -> Reply:
    """POST /_phone/register."""
    return _register(world, read(request, Registration)).described()


def register_many(world: World, request: Request) -> Reply:
    """POST /_phone/register_many."""
    return {"phones": [_register(world, each).described() for each in read(request, Registrations).phones]}


def _register(world: World, wanted: Registration) -> Phone:
    phone = world.phones.register(wanted.phone, wanted.nickname, wanted.has_unionid)
    if phone is None:
        raise Mistake(507, "too many phones")
    phone.nickname = wanted.nickname or phone.nickname
    phone.following = phone.following or wanted.following
    phone.high_risk = wanted.high_risk
    phone.consents.update(wanted.accepts)
    return phone


def phones(world: World, request: Request) -> Reply:
    """GET /_phone."""
    limit = number(request, "limit", 100, 10_000)
    page = world.phones.page(request.args.get("after", ""), limit)
    more = len(page) == limit and limit > 0
    return {
        "phones": [phone.described() for phone in page],
        "next": page[-1].openid if more else None,
        "total": len(world.phones),
    }


def phone(world: World, request: Request, openid: str) -> Reply:
    """GET /_phone/OPENID."""
    return find_phone(world, openid).described()


def login(world: World, request: Request, openid: str) -> Reply:
    """POST /_phone/OPENID/login, as `wx.login`."""
    find_phone(world, openid).visited_at = world.clock.now()
    return {"code": world.codes.issue("login", openid), "errMsg": "login:ok"}


def phone_code(world: World, request: Request, openid: str) -> Reply:
    """POST /_phone/OPENID/phone_code, as the button `getPhoneNumber`."""
    find_phone(world, openid)
    return {"code": world.codes.issue("phone", openid), "errMsg": "getPhoneNumber:ok"}


def visit(world: World, request: Request, openid: str) -> Reply:
    """POST /_phone/OPENID/visit: the mini-program came to the front."""
    find_phone(world, openid).visited_at = world.clock.now()
    return {}


def subscribe(world: World, request: Request, openid: str) -> Reply:
    """POST /_phone/OPENID/subscribe, as `wx.requestSubscribeMessage`."""
    asker, asked = find_phone(world, openid), read(request, Subscription)
    templates = [world.templates.find(template_id) for template_id in asked.template_ids]
    if failure := _why_not(asker, templates):
        message = f"requestSubscribeMessage:fail {_FAILURES[failure]}"
        return {"errMsg": message, "errCode": failure}
    answers = {t.template_id: _answer(asker, t, asked) for t in templates if t}
    shown = {template_id: answer for template_id, answer in answers.items() if answer in ("accept", "reject")}
    for template in templates:
        if template and answers[template.template_id] == "accept":
            asker.accept(template.template_id, template.kind == LONG_TERM)
    if shown:
        world.pusher.offer("mini", events.popup(asker, shown))
    return {"errMsg": "requestSubscribeMessage:ok"} | answers


def _why_not(phone: Phone, templates: list[Template | None]) -> int | None:
    if not templates:
        return 10001
    if len(templates) > MOST_TEMPLATES:
        return 20003
    if any(template is None or template.account != "mini" for template in templates):
        return 20001
    if len({template.kind for template in templates if template}) > 1:
        return 20002
    return None if phone.main_switch else 20004


def _answer(phone: Phone, template: Template, asked: Subscription) -> Choice:
    # Refused for good in the settings: the sheet does not even ask again.
    if template.template_id in phone.rejected:
        return "reject"
    return asked.choices.get(template.template_id, asked.choice)


def change_settings(world: World, request: Request, openid: str) -> Reply:
    """POST /_phone/OPENID/settings."""
    phone, wanted = find_phone(world, openid), read(request, Preferences)
    if wanted.main_switch is not None:
        phone.main_switch = wanted.main_switch
    if wanted.block_service is not None:
        phone.blocks_service = wanted.block_service
    for template_id in wanted.reject:
        phone.reject(template_id)
    phone.rejected.difference_update(wanted.accept)
    if wanted.reject:
        world.pusher.offer("mini", events.change(phone, wanted.reject))
    return phone.described()


def follow(world: World, request: Request, openid: str) -> Reply:
    """POST /_phone/OPENID/follow: the service account."""
    return _set_following(world, openid, True)


def unfollow(world: World, request: Request, openid: str) -> Reply:
    """POST /_phone/OPENID/unfollow."""
    return _set_following(world, openid, False)


def _set_following(world: World, openid: str, following: bool) -> Reply:
    phone = find_phone(world, openid)
    if phone.following != following:
        phone.following = following
        world.pusher.offer("service", events.follow(phone, following))
    return phone.described()


def notifications(world: World, request: Request, openid: str) -> Reply:
    """GET /_phone/OPENID/notifications, newest first."""
    received = reversed(find_phone(world, openid).notifications)
    limit = number(request, "limit", 50, 1000)
    return {"notifications": [shown(world, message, openid) for message in received][:limit]}


def shown(world: World, message: SentMessage, openid: str) -> Reply:
    """A notification as a phone shows it."""
    template = world.templates.find(message.template_id)
    return {
        "seq": message.seq,
        "channel": message.channel,
        "template_id": message.template_id,
        "title": template.title if template else "",
        "data": message.data,
        "labels": {field: template.label(field) for field in message.data} if template else {},
        "page": message.page,
        "at": message.at,
        "link": _h5_link(world.settings.h5_base_url, message.page, find_phone(world, openid)),
    }


def _h5_link(base: str, page: str, phone: Phone) -> str | None:
    """The page in the browser build, which routes by hash and is told whose phone it plays."""
    return f"{base.rstrip('/')}/?phone={phone.number}#/{page.lstrip('/')}" if base and page else None


def open_link(world: World, request: Request) -> Reply:
    """POST /_phone/open_link."""
    wanted = read(request, Link).url_link
    for link in world.links:
        if link["url_link"] == wanted and world.clock.now() < link["expires_at"]:
            return {"path": link["page"], "query": link["query"], "env_version": link["env_version"]}
    raise Mistake(404, "link unknown or expired")


ROUTES = (
    ("POST", "/_phone/register", register),
    ("POST", "/_phone/register_many", register_many),
    ("POST", "/_phone/open_link", open_link),
    ("GET", "/_phone", phones),
    ("GET", "/_phone/<openid:str>", phone),
    ("POST", "/_phone/<openid:str>/login", login),
    ("POST", "/_phone/<openid:str>/phone_code", phone_code),
    ("POST", "/_phone/<openid:str>/visit", visit),
    ("POST", "/_phone/<openid:str>/subscribe", subscribe),
    ("POST", "/_phone/<openid:str>/settings", change_settings),
    ("POST", "/_phone/<openid:str>/follow", follow),
    ("POST", "/_phone/<openid:str>/unfollow", unfollow),
    ("GET", "/_phone/<openid:str>/notifications", notifications),
)
