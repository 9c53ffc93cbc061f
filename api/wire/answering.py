"""The way of one request: who asks, may they, how often, what was sent, the rule, the answer."""

from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

from pydantic import BaseModel
from sanic import HTTPResponse, Request
from sanic.response import ResponseStream

from api.wire.callers import Caller
from api.wire.headers import dress, request_id
from api.wire.once import answered_once, key_of
from api.wire.problems import answer
from api.wire.reading import read_body, read_query, receive
from api.wire.routes import SIGNED_IN, Route
from models.base import logs
from models.base.errors import Forbidden


def serve(route: Route, observe: Callable[[int, float], None]) -> Callable[..., Coroutine[Any, Any, HTTPResponse]]:
    """The Sanic handler of `route`; `observe(status, seconds)` is told of every answer."""
    taken = tuple(route.wants & {"request", "scope", "caller"})

    async def handler(request: Request, **given: Any) -> HTTPResponse:
        began = perf_counter()
        logs.REQUEST_ID.set(request_id(request))
        try:
            response = await _answered(route, request, given, taken)
        except Exception as fault:  # noqa: BLE001 — every exception has its one answer, and is logged there
            response = answer(request, fault)
        observe(response.status, perf_counter() - began)
        return dress(request, response, route.always)

    return handler


async def _answered(route: Route, request: Request, given: dict[str, Any], taken: tuple[str, ...]) -> HTTPResponse:
    caller = await _caller(route, request)
    if route.limit:
        await request.app.ctx.limiter.check(route, caller.key if caller else f"at:{request.client_ip}")
    key = key_of(request) if route.keyed else None
    await _read(route, request, given)
    known = {"request": request, "caller": caller, "scope": caller and caller.scope}
    given.update((name, known[name]) for name in taken)
    if caller and key and route.idempotent == "kept":
        response = await answered_once(request, caller, key, lambda: _called(route, given))
    else:
        response = await _called(route, given)
    if route.writes and response.status < 400:
        request.app.ctx.waker.wake()
    return response


async def _caller(route: Route, request: Request) -> Caller | None:
    if not route.roles:
        return None
    caller: Caller = await request.app.ctx.identify[route.audience](request)
    if route.roles is not SIGNED_IN and caller.permits.isdisjoint(route.roles):
        raise Forbidden("role_missing", "您的角色不能做这一步。如有疑问，请联系本单位管理员。")
    return caller


async def _read(route: Route, request: Request, given: dict[str, Any]) -> None:
    if route.body:
        given["body"] = await read_body(request, route.body, route.max_body)
    elif route.stream:
        assert request.stream is not None
        request.stream.request_max_size = route.max_body
    elif route.writes:
        await receive(request, route.max_body)
    if route.query:
        given["query"] = read_query(request, route.query)


async def _called(route: Route, given: dict[str, Any]) -> HTTPResponse:
    return reply(await route.handler(**given), route)


def reply(content: Any, route: Route) -> HTTPResponse:
    """A handler's result as a response: a model or ready JSON bytes, nothing (204), or a response of its own."""
    if isinstance(content, (HTTPResponse, ResponseStream)):
        return content  # type: ignore[return-value]  # Sanic takes both, and both have status and headers
    if content is None:
        return HTTPResponse(status=204)
    if isinstance(content, BaseModel):
        content = content.__pydantic_serializer__.to_json(content)
    return HTTPResponse(content, route.status, content_type=route.media_type)
