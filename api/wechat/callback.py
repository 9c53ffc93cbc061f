"""WeChat's pushes: verified, stored, then answered; worked off afterwards by the workers."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import structlog
from sanic import HTTPResponse, Request

from api.wire import PUBLIC, Routes
from gateways.wechat.callbacks import MOST_BYTES, Forged, Receiver
from models import callbacks
from models.base.errors import Forbidden

routes = Routes("wechat", "/callback", tag="微信推送")
Read = TypeVar("Read")
log = structlog.get_logger("api.wechat")


@routes.get("", roles=PUBLIC, summary="核对地址", errors=("forged_callback",), media_type="text/plain", reply=str)
async def handshake(request: Request) -> HTTPResponse:
    """微信平台登记推送地址时核对签名，原样返回 echostr。"""
    query = _query(request)
    echo = _first(request.app.ctx.receivers, lambda receiver: receiver.echo(query))
    return HTTPResponse(echo, content_type="text/plain; charset=utf-8")


@routes.post(
    "",
    roles=PUBLIC,
    summary="接收推送",
    errors=("forged_callback",),
    limit=None,  # the platform gives up after three refusals; what is forged is refused before it costs anything
    max_body=MOST_BYTES,
    media_type="text/plain",
    reply=str,
)
async def receive(request: Request) -> HTTPResponse:
    """核对签名、解密并存下后，答复 success；重复的推送只存一次。"""
    query = _query(request)
    event = _first(request.app.ctx.receivers, lambda receiver: receiver.read(query, request.body))
    await callbacks.store(_key(event), event)
    return HTTPResponse("success", content_type="text/plain; charset=utf-8")


def _query(request: Request) -> Mapping[str, str]:
    return {name: values[0] for name, values in request.get_args(keep_blank_values=True).items()}


def _first(receivers: list[Receiver], read: Callable[[Receiver], Read]) -> Read:
    """What the first of our accounts reads that the push is for. Raises Forbidden."""
    why = "no account is set up"
    for receiver in receivers:
        try:
            return read(receiver)
        except Forged as forged:
            why = str(forged)
    log.warning("callback.refused", why=why)
    raise Forbidden("forged_callback", "推送的签名、时间或内容不对，没有接收。")


def _key(event: dict[str, Any]) -> str:
    """The sender's own id of the event, or what tells it from others where it has none (wechat.md, message push)."""
    if event.get("MsgId"):
        return f"msg:{event['MsgId']}"
    parts = [event.get(name) for name in ("FromUserName", "CreateTime", "Event", "MsgID", "TemplateId", "trace_id")]
    rows = event.get("List") or ()
    parts += [row.get(name) for row in rows if isinstance(row, dict) for name in ("TemplateId", "MsgID")]
    return ":".join(str(part) for part in parts if part is not None)
