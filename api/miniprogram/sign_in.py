"""Signing in on a phone: `wx.login`'s code, at first also the phone number's, then a short and a rotating token."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sanic import Request

from api.miniprogram.organization import MeOut
from api.wire import ANYONE_BOUND, PUBLIC, Caller, Routes, Schema
from models import accounts, organization
from models.accounts import Tokens
from models.base.errors import Conflict, Unauthenticated
from models.organization import Binding

routes = Routes("mini", tag="登录")
TICKET = "binding"
TICKET_LASTS = accounts.ACCESS_LASTS

Code = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$", examples=["0f3b5cF00aB1kR1"])]


class SignInIn(Schema):
    """What `wx.login` gave."""

    code: Annotated[Code, Field(description="wx.login 返回的 code，一次有效。")]


class BindIn(Schema):
    """Which number the person's phone has, as WeChat says."""

    ticket: Annotated[str, Field(description="登录时返回的绑定凭证。", min_length=1, max_length=2000)]
    phone_code: Annotated[
        Code | None, Field(description="getPhoneNumber 返回的 code；选择开发区后重新提交时不再需要。")
    ] = None
    zone: Annotated[str | None, Field(description="开发区代码；手机号在多个开发区的名册中时需要。", max_length=32)] = (
        None
    )


class RefreshIn(Schema):
    """The newest refresh token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class TokensOut(Schema):
    """Keep both; each refresh token is good once."""

    access_token: str
    refresh_token: str
    expires_in: Annotated[int, Field(description="访问凭证的有效秒数。", examples=[900])]

    @classmethod
    def of(cls, tokens: Tokens) -> "TokensOut":
        return cls(access_token=tokens.access, refresh_token=tokens.refresh, expires_in=tokens.expires_in)


class ZoneOut(Schema):
    """A development zone."""

    code: Annotated[str, Field(examples=["kfq"])]
    name: Annotated[str, Field(examples=["示范开发区"])]


class SignInOut(Schema):
    """Signed in (`tokens`, `me`, `zone`), or not yet bound (`ticket`)."""

    state: Annotated[Literal["signed_in", "to_bind"], Field(description="已登录，或需要先绑定手机号。")]
    tokens: TokensOut | None = None
    me: MeOut | None = None
    zone: ZoneOut | None = None
    ticket: Annotated[str | None, Field(description="绑定凭证，15 分钟内有效。")] = None


async def identify(request: Request) -> Caller:
    """Who holds the access token. Raises Unauthenticated."""
    token = request.token
    if not token:
        raise Unauthenticated("token_missing", "请先登录。")
    sign_in_id = request.app.ctx.signer.read_access_token(token)
    access = await request.app.ctx.accesses.of(sign_in_id)
    if access is None:
        raise Unauthenticated("sign_in_ended", "登录已结束，请重新进入小程序。")
    return Caller(access.scope, access.roles, access.scope.actor, sign_in_id)


@routes.post(
    "/sign-in",
    roles=PUBLIC,
    body=SignInIn,
    reply=SignInOut,
    summary="登录",
    errors=("wechat_code_invalid", "wechat_unavailable", "left_office"),
    limit="1200/minute",  # per address: a whole zone may stand behind one
)
async def sign_in(request: Request, body: SignInIn) -> SignInOut:
    """用 wx.login 的 code 登录。微信未绑定时返回绑定凭证，再用手机号绑定。"""
    session = await request.app.ctx.login.session(body.code)
    binding = await organization.binding_by_openid(session.openid)
    if binding is None:
        about = {"openid": session.openid, "unionid": session.unionid, "phone": None}
        return SignInOut(state="to_bind", ticket=request.app.ctx.signer.seal(TICKET, about, lasting=TICKET_LASTS))
    return await _signed_in(request, binding)


@routes.post(
    "/bind",
    roles=PUBLIC,
    body=BindIn,
    reply=SignInOut,
    summary="绑定手机号",
    errors=(
        "wechat_code_invalid",
        "wechat_unavailable",
        "ticket_invalid",
        "ticket_expired",
        "not_in_roster",
        "left_office",
        "several_zones",
        "person_bound_elsewhere",
        "openid_bound_elsewhere",
    ),
    limit="1200/minute",
)
async def bind(request: Request, body: BindIn) -> SignInOut:
    """用 getPhoneNumber 的 code 核对名册并绑定。在多个开发区时返回 several_zones，带上 zone 与新的凭证再提交。"""
    signer = request.app.ctx.signer
    about = signer.unseal(TICKET, body.ticket)
    if body.phone_code is not None:
        about["phone"] = await request.app.ctx.login.phone(body.phone_code)
    if about["phone"] is None:
        raise Conflict("phone_code_missing", "请先授权手机号，再绑定。")
    ticket = signer.seal(TICKET, about, lasting=TICKET_LASTS)
    person = await accounts.person_to_bind(about["phone"], body.zone, ticket=ticket)
    return await _signed_in(request, await accounts.bind(person, about["openid"], about["unionid"]))


@routes.post(
    "/refresh",
    roles=PUBLIC,
    body=RefreshIn,
    reply=TokensOut,
    summary="续期",
    errors=("refresh_invalid", "refresh_expired", "refresh_reused"),
    limit="1200/minute",
)
async def refresh(request: Request, body: RefreshIn) -> TokensOut:
    """换一对新凭证；旧的续期凭证随即作废。作废的凭证再次出现时，这次登录整体结束。"""
    return TokensOut.of(await accounts.refresh(body.refresh_token, signer=request.app.ctx.signer))


@routes.post("/sign-out", roles=ANYONE_BOUND, summary="退出登录", idempotent="by_rule")
async def sign_out(request: Request, caller: Caller) -> None:
    """结束这部手机的登录；绑定不变。"""
    await accounts.sign_out(caller.session_id, by=caller.scope)
    request.app.ctx.accesses.forget(caller.session_id)


async def _signed_in(request: Request, binding: Binding) -> SignInOut:
    tokens = await accounts.open_sign_in(binding, signer=request.app.ctx.signer)
    person_id: UUID = binding.person_id  # type: ignore[attr-defined]
    scope = await organization.scope_of(person_id)
    zone = await organization.zone_of(binding.zone_id)
    return SignInOut(
        state="signed_in",
        tokens=TokensOut.of(tokens),
        me=MeOut.of(await organization.own_entry(by=scope)),
        zone=ZoneOut.model_validate(zone),
    )
