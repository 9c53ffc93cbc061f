"""How one platform call goes: token, body, the work, the latency, the answer, and the faults ordered for it.

The work is done before the latency passes: a caller that gives up waiting has still sent its message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import orjson
from sanic import HTTPResponse, Request

from .errors import Refusal
from .faults import Fault
from .messages import SentMessage
from .world import World

OK: dict[str, object] = {"errcode": 0, "errmsg": "ok"}
_JSON = "application/json; encoding=utf-8"
_UNDONE = frozenset({"errcode", "status", "drop_before", "hang_before"})
_GARBAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(slots=True)
class Call:
    """One call being served. An endpoint that accepts a message leaves it in `message`."""

    request: Request
    body: dict[str, Any]
    message: SentMessage | None = None
    media_type: str = _JSON


Endpoint = Callable[[World, Call], dict[str, object] | bytes]


@dataclass(frozen=True, slots=True)
class Route:
    """A platform API: `account` is whose token it needs; with `one_at_a_time`, each openid is served singly."""

    method: str
    path: str
    endpoint: Endpoint
    account: str | None = None
    one_at_a_time: bool = False


def serve(world: World, route: Route) -> Callable[..., Coroutine[Any, Any, HTTPResponse | None]]:
    """The Sanic handler of a platform API."""

    async def handler(request: Request) -> HTTPResponse | None:
        world.stats.calls[route.path] += 1
        fault = world.faults.pick(route.path, _touser(request)) if world.faults else None
        if fault:
            return await _suffer(world, route, request, fault)
        call, body = await _perform(world, route, request, world.latency)
        return _answer(call, body)

    return handler


async def _perform(world: World, route: Route, request: Request, latency: float) -> tuple[Call, bytes]:
    call = Call(request, {})
    try:
        if route.account:
            world.tokens.require(_token(request), route.account)
        if route.method == "POST":
            call.body = _read(request)
        with _alone(world, call.body.get("touser") if route.one_at_a_time else None):
            payload = route.endpoint(world, call)
            if latency:
                await asyncio.sleep(latency)
    except Refusal as refusal:
        payload = _count(world, refusal)
    return call, payload if isinstance(payload, bytes) else orjson.dumps(payload)


def _token(request: Request) -> str | None:
    # Nearly every query is the token alone, in letters that need no decoding; parsing it fully costs a tenth of a call.
    name, _, value = request.query_string.partition("=")
    if name == "access_token" and value.isascii() and not any(sign in value for sign in "&%+"):
        return value
    token: str | None = request.args.get("access_token")
    return token


def _read(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise Refusal(47001) from None
    if not isinstance(body, dict):
        raise Refusal(47001)
    return body


@contextmanager
def _alone(world: World, openid: object) -> Iterator[None]:
    if not isinstance(openid, str):
        yield
        return
    if openid in world.sending:
        raise Refusal(43108)
    world.sending.add(openid)
    try:
        yield
    finally:
        world.sending.discard(openid)


def _count(world: World, refusal: Refusal) -> dict[str, object]:
    world.stats.errcodes[str(refusal.errcode)] += 1
    return refusal.answer()


def _answer(call: Call, body: bytes) -> HTTPResponse:
    if call.message and not call.request.transport.is_closing():
        call.message.answered = True
    return HTTPResponse(body, content_type=call.media_type)


def _touser(request: Request) -> str | None:
    try:
        body = _read(request)
    except Refusal:
        return None
    return openid if isinstance(openid := body.get("touser"), str) else None


async def _suffer(world: World, route: Route, request: Request, fault: Fault) -> HTTPResponse | None:
    if fault.kind in _UNDONE:
        return await _refuse(world, request, fault)
    extra = 0.0
    if fault.kind == "latency":
        extra = (fault.options["ms"] + world.faults.jitter(fault.options.get("jitter_ms", 0))) / 1000
    call, body = await _perform(world, route, request, world.latency + extra)
    return await _spoil(call, body, fault)


async def _refuse(world: World, request: Request, fault: Fault) -> HTTPResponse | None:
    options = fault.options
    if fault.kind == "errcode":
        refusal = Refusal(options["errcode"], options.get("errmsg"))
        return HTTPResponse(orjson.dumps(_count(world, refusal)), content_type=_JSON)
    if fault.kind == "status":
        return HTTPResponse(options.get("body", ""), status=options["status"], content_type="text/plain")
    return await (_drop(request) if fault.kind == "drop_before" else _hang(request, options))


async def _spoil(call: Call, body: bytes, fault: Fault) -> HTTPResponse | None:
    match fault.kind:
        case "drop_after":
            return await _drop(call.request)
        case "hang_after":
            return await _hang(call.request, fault.options)
        case "drip":
            return await _drip(call, body, fault.options["ms"] / 1000)
        case "garbage":
            return HTTPResponse(fault.options.get("body", _GARBAGE), content_type="text/html")
    return _answer(call, body)


async def _drop(request: Request) -> HTTPResponse | None:
    """Cut the connection; Sanic cancels this task as soon as it is lost."""
    cast(asyncio.Transport, request.transport).abort()
    await asyncio.sleep(60)
    return None


async def _hang(request: Request, options: dict[str, Any]) -> HTTPResponse | None:
    """Say nothing until the caller leaves, or for the time ordered, then cut the connection."""
    await asyncio.sleep(options.get("seconds", 3600))
    return await _drop(request)


async def _drip(call: Call, body: bytes, pause: float) -> HTTPResponse | None:
    stream = await call.request.respond(content_type=call.media_type, headers={"content-length": str(len(body))})
    for byte in body:
        await stream.send(bytes((byte,)))
        await asyncio.sleep(pause)
    if call.message:
        call.message.answered = True
    await stream.eof()
    return None
