"""What a test orders and reads: faults, time, templates, words, tokens, and what has been sent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from sanic import Request

from ..faults import CALL_KINDS, PUSH_KINDS
from ..local import Body, Mistake, Reply, number, read
from ..templates import make_template
from ..world import Words, World

Account = Literal["mini", "service", "wecom"]
Form = Literal["json", "xml"]
Milliseconds = Annotated[float, Field(ge=0, le=3_600_000)]
_NEEDED = {"latency": {"ms"}, "drip": {"ms"}, "errcode": {"errcode"}, "status": {"status"}}
_HEAD = ("path", "kind", "times", "probability", "touser")


def _known_kind(kind: str) -> str:
    if kind not in CALL_KINDS | PUSH_KINDS:
        raise ValueError("unknown kind of fault")
    return kind


class FaultOrder(Body):
    """One fault; which of the last fields count depends on `kind`."""

    path: str
    kind: Annotated[str, AfterValidator(_known_kind)]
    times: Annotated[int, Field(ge=1)] | None = None
    probability: Annotated[float, Field(ge=0, le=1)] = 1.0
    touser: str | None = None
    ms: Milliseconds | None = None
    jitter_ms: Milliseconds | None = None
    seconds: Annotated[float, Field(ge=0, le=3600)] | None = None
    errcode: int | None = None
    errmsg: str | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    body: str | None = None


class ClockOrder(Body):
    """An offset from real time, or a step onward from the present offset."""

    offset_seconds: float | None = None
    advance_seconds: float = 0.0


class Reset(Body):
    """Whether phones and their consents stay."""

    keep_phones: bool = False


class TemplateOrder(Body):
    """A template; a field name that ends with `?` may be left out of messages."""

    template_id: str
    title: str = "提醒"
    account: Account = "mini"
    kind: Literal[2, 3] = 2
    fields: Annotated[dict[str, str], Field(min_length=1, max_length=10)]


class WordOrder(Body):
    """Words to be refused in messages, and words on which checks answer `review` or `risky`."""

    sensitive: tuple[str, ...] | None = None
    review: tuple[str, ...] | None = None
    risky: tuple[str, ...] | None = None


class AccountOrder(Body):
    """Which account is meant."""

    account: Account = "mini"


class Members(Body):
    """Userids that exist at WeCom, within the app's visible range."""

    userids: Annotated[list[str], Field(max_length=100_000)]


class PushOrder(AccountOrder):
    """An event of the tester's own."""

    message: dict[str, Any]
    format: Form | None = None


class CallbackOrder(Body):
    """Where and how events are pushed from now on."""

    callback_url: str | None = None
    service_callback_url: str | None = None
    push_format: Form | None = None


def add_fault(world: World, request: Request) -> Reply:
    """POST /_control/faults."""
    order = read(request, FaultOrder)
    options = {k: v for k, v in order.model_dump(exclude_none=True).items() if k not in _HEAD}
    if missing := _NEEDED.get(order.kind, set()) - options.keys():
        raise Mistake(400, f"{order.kind} needs {', '.join(missing)}")
    if order.kind not in (PUSH_KINDS if order.path.startswith("push:") else CALL_KINDS):
        raise Mistake(400, f"{order.kind} cannot happen to {order.path}")
    fault = world.faults.add(
        order.path,
        order.kind,
        options=options,
        times=order.times,
        probability=order.probability,
        touser=order.touser,
    )
    if fault is None:
        raise Mistake(507, "too many faults")
    return {"id": fault.id}


def faults(world: World, request: Request) -> Reply:
    """GET /_control/faults."""
    return {"faults": [fault.described() for fault in world.faults.all()]}


def remove_faults(world: World, request: Request, fault_id: int | None = None) -> Reply:
    """DELETE /_control/faults, all or one."""
    world.faults.remove(fault_id)
    return {}


def clock(world: World, request: Request) -> Reply:
    """GET /_control/clock."""
    return {"offset_seconds": world.clock.offset, "now": world.clock.now()}


def set_clock(world: World, request: Request) -> Reply:
    """POST /_control/clock."""
    order = read(request, ClockOrder)
    base = world.clock.offset if order.offset_seconds is None else order.offset_seconds
    world.clock.offset = base + order.advance_seconds
    return clock(world, request)


def reset(world: World, request: Request) -> Reply:
    """POST /_control/reset."""
    world.reset(read(request, Reset).keep_phones)
    return {}


def add_template(world: World, request: Request) -> Reply:
    """POST /_control/templates."""
    order = read(request, TemplateOrder)
    template = make_template(order.template_id, order.title, order.account, order.kind, order.fields)
    world.templates.add(template)
    return template.described()


def templates(world: World, request: Request) -> Reply:
    """GET /_control/templates."""
    return {"templates": [template.described() for template in world.templates.all()]}


def set_words(world: World, request: Request) -> Reply:
    """POST /_control/words; lists left out stay."""
    order = read(request, WordOrder)
    old = world.words
    world.words = Words(
        sensitive=old.sensitive if order.sensitive is None else order.sensitive,
        review=old.review if order.review is None else order.review,
        risky=old.risky if order.risky is None else order.risky,
    )
    return {}


def expire_tokens(world: World, request: Request) -> Reply:
    """POST /_control/tokens/expire."""
    world.tokens.expire(read(request, AccountOrder).account)
    return {}


def revoke_tokens(world: World, request: Request) -> Reply:
    """POST /_control/tokens/revoke."""
    world.tokens.revoke(read(request, AccountOrder).account)
    return {}


def add_members(world: World, request: Request) -> Reply:
    """POST /_control/wecom/members."""
    world.members.update(userid.lower() for userid in read(request, Members).userids)
    return {"members": len(world.members)}


def sent(world: World, request: Request) -> Reply:
    """GET /_control/sent."""
    names = {"touser": "openid", "template_id": "template_id", "channel": "channel"}
    wanted = {attribute: request.args.get(name) for name, attribute in names.items() if request.args.get(name)}
    limit = max(1, number(request, "limit", 1000, 10_000))
    found, following = world.mailbox.after(number(request, "after", 0, 2**53), limit, wanted)
    return {
        "items": [message.described() for message in found],
        "next": following,
        "total": world.mailbox.total,
        "oldest": world.mailbox.oldest,
    }


def stats(world: World, request: Request) -> Reply:
    """GET /_control/stats."""
    return {
        "calls": world.stats.calls,
        "errcodes": world.stats.errcodes,
        "tokens_issued": world.tokens.issued,
        "sent": world.mailbox.totals,
        "pushes": {"pending": world.pusher.pending} | world.pusher.counts,
        "phones": len(world.phones),
    }


def pushes(world: World, request: Request) -> Reply:
    """GET /_control/pushes, newest first."""
    latest = list(world.pusher.log)[::-1][: number(request, "limit", 100, 10_000)]
    return {"items": [push.described() for push in latest]}


def push(world: World, request: Request) -> Reply:
    """POST /_control/push."""
    order = read(request, PushOrder)
    if not world.pusher.url(order.account):
        raise Mistake(409, "no callback URL is set")
    world.pusher.offer(order.account, order.message, order.format or "")
    return {"queued": True}


async def verify_callback(world: World, request: Request) -> Reply:
    """POST /_control/verify_callback."""
    account = read(request, AccountOrder).account
    if not world.pusher.url(account):
        raise Mistake(409, "no callback URL is set")
    echoed, status = await world.pusher.verify(account)
    return {"ok": echoed, "status": status}


def set_callback(world: World, request: Request) -> Reply:
    """POST /_control/callback."""
    order, pusher = read(request, CallbackOrder), world.pusher
    if order.callback_url is not None:
        pusher.urls["mini"] = order.callback_url
    if order.service_callback_url is not None:
        pusher.urls["service"] = order.service_callback_url
    pusher.form = order.push_format or pusher.form
    urls = {"callback_url": pusher.urls["mini"], "service_callback_url": pusher.urls["service"]}
    return urls | {"push_format": pusher.form}


def links(world: World, request: Request) -> Reply:
    """GET /_control/links, newest first."""
    return {"items": list(world.links)[::-1]}


ROUTES = (
    ("POST", "/_control/faults", add_fault),
    ("GET", "/_control/faults", faults),
    ("DELETE", "/_control/faults", remove_faults),
    ("DELETE", "/_control/faults/<fault_id:int>", remove_faults),
    ("GET", "/_control/clock", clock),
    ("POST", "/_control/clock", set_clock),
    ("POST", "/_control/reset", reset),
    ("POST", "/_control/templates", add_template),
    ("GET", "/_control/templates", templates),
    ("POST", "/_control/words", set_words),
    ("POST", "/_control/tokens/expire", expire_tokens),
    ("POST", "/_control/tokens/revoke", revoke_tokens),
    ("POST", "/_control/wecom/members", add_members),
    ("GET", "/_control/sent", sent),
    ("GET", "/_control/stats", stats),
    ("GET", "/_control/pushes", pushes),
    ("POST", "/_control/push", push),
    ("POST", "/_control/verify_callback", verify_callback),
    ("POST", "/_control/callback", set_callback),
    ("GET", "/_control/links", links),
)
