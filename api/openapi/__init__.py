"""The OpenAPI 3.1 document, made from the declared routes and their schemas, and a page of it that needs no network."""

import asyncio
from typing import Annotated, Literal

import orjson
from pydantic import Field
from sanic import HTTPResponse, Request

from api.openapi.document import describe
from api.openapi.page import CONTENT_POLICY, render
from api.wire import PUBLIC, Routes, Schema

__all__ = ["describe", "render", "routes"]

routes = Routes("operations", tag="接口文档")


class DocumentQuery(Schema):
    """Which part of the interface."""

    audience: Annotated[
        Literal["mini", "console", "platform", "wechat", "operations"] | None,
        Field(description="只要某一类调用方的接口；默认全部。"),
    ] = None


@routes.get("/openapi.json", roles=PUBLIC, query=DocumentQuery, reply=str, summary="接口文档（OpenAPI 3.1）")
async def document(request: Request, query: DocumentQuery) -> HTTPResponse:
    """由接口声明生成。"""
    content = orjson.dumps(await _described(request, query.audience))
    return HTTPResponse(content, content_type="application/json")


@routes.get("/docs", roles=PUBLIC, query=DocumentQuery, reply=str, media_type="text/html", summary="接口文档（网页）")
async def page(request: Request, query: DocumentQuery) -> HTTPResponse:
    """不依赖外部网络。"""
    html = render(await _described(request, query.audience))
    headers = {"content-security-policy": CONTENT_POLICY}
    return HTTPResponse(html, headers=headers, content_type="text/html; charset=utf-8")


async def _described(request: Request, audience: str | None) -> dict[str, object]:
    known: dict[str | None, dict[str, object]] = request.app.ctx.documents
    if audience not in known:
        wanted = [route for route in request.app.ctx.routes if audience in (None, route.audience)]
        known[audience] = await asyncio.to_thread(describe, wanted)
    return known[audience]
