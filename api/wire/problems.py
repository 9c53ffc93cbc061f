"""Refusals and faults as RFC 9457 problem details: one place, one shape, nothing leaked."""

from http import HTTPStatus
from typing import Annotated, Any

import asyncpg
import orjson
import structlog
from pydantic import ConfigDict, Field
from sanic import HTTPResponse, Request
from sanic.exceptions import MethodNotAllowed, SanicException
from sanic.handlers import ErrorHandler
from tortoise.exceptions import DBConnectionError

from api.wire.headers import dress, request_id
from api.wire.schemas import Schema
from models.base.errors import Refused

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "请求有误",
    401: "需要重新登录",
    403: "没有权限",
    404: "没有找到",
    405: "不支持这种操作",
    408: "请求超时",
    409: "与当前状态不符",
    410: "已经失效",
    412: "内容已被修改",
    413: "内容过大",
    415: "类型不支持",
    422: "内容有误",
    423: "正在处理",
    428: "缺少版本号",
    429: "操作过于频繁",
    460: "校验不符",
    500: "服务暂时出错",
    503: "服务暂时不可用",
}
ROUTING = {
    400: ("malformed_request", "请求的格式不对，没有做任何改动。"),
    404: ("no_such_route", "没有这个地址。"),
    405: ("method_not_allowed", "这个地址不支持这种操作。"),
    408: ("request_timeout", "请求没有及时传完，没有做任何改动。请检查网络后重试。"),
    413: ("body_too_large", "内容超过了大小限制，没有保存。"),
    417: ("malformed_request", "请求的格式不对，没有做任何改动。"),
    503: ("timed_out", "服务没有及时答复。请稍后查看结果，再决定是否重试。"),
}
UNREACHABLE = (
    DBConnectionError,
    ConnectionError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.InterfaceError,
)
log = structlog.get_logger("api")


class FaultOut(Schema):
    """One field's fault."""

    pointer: Annotated[str, Field(description="字段位置（JSON Pointer）。", examples=["/due_on"])]
    code: Annotated[str, Field(description="稳定的代码，供程序判断。", examples=["missing"])]
    detail: Annotated[str, Field(description="说明。", examples=["这一项必须填写。"])]
    sheet: Annotated[str | None, Field(description="表格导入时：工作表。", examples=["人员"])] = None
    row: Annotated[int | None, Field(description="表格导入时：行号，从 1 起。", examples=[58])] = None
    column: Annotated[str | None, Field(description="表格导入时：列名。", examples=["手机号"])] = None


class Problem(Schema):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, Field(examples=["urn:zhuoluo:problem:wrong_state"])]
    title: Annotated[str, Field(examples=["与当前状态不符"])]
    status: Annotated[int, Field(ge=400, le=599, examples=[409])]
    code: Annotated[str, Field(description="稳定的代码，供程序判断。", examples=["wrong_state"])]
    detail: Annotated[str, Field(description="发生了什么、保留了什么、可以怎么做。", examples=["事项已签收。"])]
    faults: Annotated[list[FaultOut], Field(description="逐项错误；没有时为空。")]
    request_id: Annotated[str, Field(description="请求编号，反馈问题时请提供。")]


def problem(
    request: Request | None, status: int, code: str, detail: str, *, faults: Any = (), **extra: Any
) -> HTTPResponse:
    """A problem reply. `extra` are its extension members; `retry_after` also becomes the header."""
    content = {
        **extra,
        "type": f"urn:zhuoluo:problem:{code}",
        "title": TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "faults": list(faults),
        "request_id": request_id(request) if request else "",
    }
    response = HTTPResponse(orjson.dumps(content), status, content_type=MEDIA_TYPE)
    if "retry_after" in extra:
        response.headers["retry-after"] = str(extra["retry_after"])
    if status == 401:
        response.headers["www-authenticate"] = 'Bearer realm="zhuoluo"'
    return dress(request, response) if request else response


def answer(request: Request, fault: Exception) -> HTTPResponse:
    """The reply to any exception. Unknown ones are logged whole and answered neutrally."""
    if isinstance(fault, Refused):
        return problem(request, fault.status, fault.code, fault.detail, faults=fault.faults, **fault.extra)
    if isinstance(fault, SanicException):
        return _of_server(request, fault)
    if isinstance(fault, UNREACHABLE):
        log.error("dependency.unreachable", exc_info=fault)
        detail = "服务暂时不可用，没有做任何改动。请稍后重试。"
        return problem(request, 503, "unavailable", detail, retry_after=3)
    log.error("request.failed", method=request.method, route=route_of(request), exc_info=fault)
    return problem(request, 500, "internal", "服务暂时出错，已记录。请稍后重试；多次出现请提供请求编号。")


def _of_server(request: Request, fault: SanicException) -> HTTPResponse:
    status = fault.status_code
    if status not in ROUTING:
        log.error("request.failed", method=request.method, route=route_of(request), exc_info=fault)
        return problem(request, 500, "internal", "服务暂时出错，已记录。请稍后重试；多次出现请提供请求编号。")
    code, detail = ROUTING[status]
    response = problem(request, 400 if status == 417 else status, code, detail)
    if isinstance(fault, MethodNotAllowed):
        response.headers["allow"] = fault.headers.get("Allow", "")
    return response


def route_of(request: Request) -> str:
    """The route's template; a path itself may hold ids, so it is never logged nor counted."""
    return f"/{request.route.path}" if request.route else "unmatched"


class Problems(ErrorHandler):
    """Sanic's handler of everything that was raised and of what the server itself refuses."""

    def response(self, request: Request, exception: Exception) -> HTTPResponse:
        return answer(request, exception)
