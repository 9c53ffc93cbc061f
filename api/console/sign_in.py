"""Signing in at the console: login, password and one-time code; then a cookie, and a token every write must say."""

import secrets
from typing import Annotated

from pydantic import Field
from sanic import HTTPResponse, Request

from api.wire import PUBLIC, SIGNED_IN, Caller, Routes, Schema
from models import accounts
from models.base.errors import Forbidden, Unauthenticated
from models.base.scope import Role

routes = Routes("console", tag="登录")
COOKIE = "zl_session"
CSRF_HEADER = "x-csrf-token"


class ConsoleSignInIn(Schema):
    """Three things only the account's holder has."""

    login: Annotated[str, Field(min_length=1, max_length=64, description="登录名。", examples=["lijianguo"])]
    password: Annotated[str, Field(min_length=1, max_length=128, description="密码。")]
    code: Annotated[str, Field(pattern=r"^\d{6}$", description="动态口令，6 位数字。", examples=["492039"])]


class PasswordIn(Schema):
    """A change of the caller's own password."""

    current: Annotated[str, Field(min_length=1, max_length=128, description="现在的密码。")]
    new: Annotated[str, Field(min_length=1, max_length=128, description="新密码。")]


class SessionOut(Schema):
    """Who is signed in; `csrf_token` goes into the header `X-CSRF-Token` of every write."""

    login: Annotated[str, Field(examples=["lijianguo"])]
    roles: list[Role]
    csrf_token: str
    must_change_password: Annotated[bool, Field(description="须先修改初始密码，才能使用其他功能。")]


async def identify(request: Request) -> Caller:
    """Who sits at the browser. Raises Unauthenticated; Forbidden for a write without the session's CSRF token."""
    token = _token(request)
    signed_in = await accounts.session_of(token) if token else None
    if token is None or signed_in is None:
        raise Unauthenticated("session_ended", "登录已结束，请重新登录。未提交的内容不会保存。")
    if request.method not in ("GET", "HEAD"):
        said = request.headers.get(CSRF_HEADER, "")
        if not secrets.compare_digest(said.encode(), request.app.ctx.signer.csrf_token(token).encode()):
            raise Forbidden("csrf_token_wrong", "请求不是从本页面发出的，没有做任何改动。请刷新页面后再试。")
    scope = signed_in.scope
    return Caller(scope, frozenset(grant.role for grant in scope.grants), scope.actor, signed_in.session_id)


@routes.post(
    "/sign-in",
    roles=PUBLIC,
    body=ConsoleSignInIn,
    reply=SessionOut,
    summary="登录",
    errors=("sign_in_failed", "locked_out"),
    limit="60/minute",
)
async def sign_in(request: Request, body: ConsoleSignInIn) -> HTTPResponse:
    """用登录名、密码和动态口令登录。连续失败后暂停登录，间隔逐次加长。"""
    token = await accounts.sign_in(body.login, body.password, body.code, signer=request.app.ctx.signer)
    content = await _session(request, token)
    response = HTTPResponse(content.model_dump_json(), content_type="application/json")
    _set_cookie(request, response, token)
    return response


@routes.get("/session", roles=SIGNED_IN, reply=SessionOut, summary="当前登录")
async def session(request: Request) -> SessionOut:
    """刷新页面后取回登录信息和 CSRF 令牌。"""
    return await _session(request, _token(request) or "")


@routes.post("/sign-out", roles=SIGNED_IN, summary="退出登录")
async def sign_out(request: Request, caller: Caller) -> HTTPResponse:
    """结束当前会话。"""
    await accounts.sign_out_of_console(caller.session_id, by=caller.scope)
    response = HTTPResponse(status=204)
    _set_cookie(request, response, "", max_age=0)
    return response


@routes.post(
    "/password",
    roles=SIGNED_IN,
    body=PasswordIn,
    summary="修改密码",
    errors=("password_wrong", "weak_password", "locked_out"),
    limit="20/minute",
)
async def change_password(caller: Caller, body: PasswordIn) -> None:
    """修改本人密码；其他浏览器上的登录随即结束。"""
    await accounts.change_password(body.current, body.new, session_id=caller.session_id, by=caller.scope)


async def _session(request: Request, token: str) -> SessionOut:
    signed_in = await accounts.session_of(token)
    if signed_in is None:
        raise Unauthenticated("session_ended", "登录已结束，请重新登录。")
    return SessionOut(
        login=signed_in.login,
        roles=sorted({grant.role for grant in signed_in.scope.grants}),
        csrf_token=request.app.ctx.signer.csrf_token(token),
        must_change_password=signed_in.must_change_password,
    )


def _set_cookie(request: Request, response: HTTPResponse, token: str, *, max_age: int | None = None) -> None:
    secure = _secure(request)
    response.add_cookie(
        COOKIE,
        token,
        path="/",
        httponly=True,
        samesite="Strict",
        secure=secure,
        host_prefix=secure,
        max_age=max_age,
    )


def _token(request: Request) -> str | None:
    found: str | None = request.cookies.get(f"__Host-{COOKIE}" if _secure(request) else COOKIE)
    return found


def _secure(request: Request) -> bool:
    return request.app.ctx.settings.mode == "production"
