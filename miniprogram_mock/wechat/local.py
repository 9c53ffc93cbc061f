"""The mock's own APIs (phone side, control, page): pydantic bodies in, JSON out, open to pages on this machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from sanic import HTTPResponse, Request

from .phones import Phone
from .world import World

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
Reply = dict[str, Any]


class Mistake(Exception):
    """The tester's own mistake, told with an HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


class Body(BaseModel):
    """A request body; unknown names are refused, so that a misspelt test fails at once."""

    model_config = ConfigDict(extra="forbid")


AnyBody = TypeVar("AnyBody", bound=Body)


def read(request: Request, schema: type[AnyBody]) -> AnyBody:
    """The body, an absent one being `{}`; raises Mistake 400."""
    try:
        return schema.model_validate_json(request.body or b"{}")
    except ValidationError as wrong:
        raise Mistake(400, str(wrong)) from wrong


def number(request: Request, name: str, default: int, most: int) -> int:
    """A query parameter between 0 and `most`; raises Mistake 400."""
    text = request.args.get(name, str(default))
    if not text.isdecimal():
        raise Mistake(400, f"{name} is not a number")
    return min(int(text), most)


def find_phone(world: World, openid: str) -> Phone:
    """The phone, or Mistake 404."""
    if phone := world.phones.find(openid):
        return phone
    raise Mistake(404, "no such phone")


def local(
    world: World, handler: Callable[..., Reply | Awaitable[Reply]]
) -> Callable[..., Coroutine[Any, Any, HTTPResponse]]:
    """The Sanic handler of `handler(world, request, **path parameters)`, which may be async."""

    async def serve(request: Request, **parameters: Any) -> HTTPResponse:
        try:
            reply = handler(world, request, **parameters)
            payload, status = (reply if isinstance(reply, dict) else await reply), 200
        except Mistake as mistake:
            payload, status = {"error": mistake.reason}, mistake.status
        return HTTPResponse(orjson.dumps(payload), status, _cross_origin(request), "application/json")

    return serve


async def preflight(request: Request, **parameters: Any) -> HTTPResponse:
    """The browser's question before a cross-origin call."""
    return HTTPResponse(b"", 204, _cross_origin(request))


def _cross_origin(request: Request) -> dict[str, str]:
    origin = request.headers.get("origin", "")
    if urlsplit(origin).hostname not in _LOCAL_HOSTS:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, POST, DELETE",
        "access-control-allow-headers": "content-type",
        "vary": "origin",
    }
