"""The security administrator's part: console accounts and other platforms' tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sanic import Request

from api.wire import Listing, Page, Routes, Schema, expected_version, read_cursor, write_cursor
from api.wire.versions import version_passed
from models import accounts
from models.accounts import Account, Credentials, Feed, ServiceToken
from models.base.scope import Role, Scope

accounts_routes = Routes("console", "/accounts", tag="账号")
tokens_routes = Routes("console", "/service-tokens", tag="服务令牌")
routes = (accounts_routes, tokens_routes)
KEEPER = {Role.SECURITY_ADMIN}


class AccountIn(Schema):
    """A login for somebody of the roster."""

    person_id: UUID
    login: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{2,63}$", description="登录名。", examples=["lijianguo"])]


class ActiveIn(Schema):
    """Open or close."""

    active: Annotated[bool, Field(description="停用后，所有登录随即结束。")]


class AccountOut(Schema):
    """A console account; `version` goes into `If-Match` of an edit."""

    id: UUID
    person_id: UUID
    login: str
    active: bool
    must_change_password: bool
    version: int
    created_at: datetime


class CredentialsOut(Schema):
    """Shown this once."""

    account: AccountOut
    password: Annotated[str, Field(description="初始密码，首次登录后须修改。")]
    totp_uri: Annotated[str, Field(description="动态口令的登记地址，用认证器扫描。", examples=["otpauth://totp/…"])]

    @classmethod
    def of(cls, made: Credentials) -> "CredentialsOut":
        return cls(account=AccountOut.model_validate(made.account), password=made.password, totp_uri=made.totp_uri)


class ServiceTokenIn(Schema):
    """Another platform's access."""

    name: Annotated[str, Field(min_length=1, max_length=80, description="用于哪个平台。", examples=["国资监管平台"])]
    feeds: Annotated[list[Feed], Field(min_length=1, max_length=10, description="允许的数据接口。")]
    days: Annotated[int, Field(ge=1, le=366, description="有效天数。", examples=[180])]


class ServiceTokenOut(Schema):
    """A token, without its secret."""

    id: UUID
    name: str
    feeds: list[Feed]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class NewServiceTokenOut(Schema):
    """Shown this once."""

    token: ServiceTokenOut
    secret: Annotated[str, Field(description="令牌，仅显示这一次。")]


def _page(rows: list[Account], limit: int) -> Page[AccountOut]:
    items = [AccountOut.model_validate(row) for row in rows[:limit]]
    return Page(items=items, next=write_cursor(items[-1].id) if len(rows) > limit else None)


@accounts_routes.get("", roles=KEEPER, query=Listing, reply=Page[AccountOut], summary="账号列表")
async def listed(scope: Scope, query: Listing) -> Page[AccountOut]:
    """本开发区的控制台账号。"""
    after = read_cursor(query.after, UUID)
    rows = await accounts.accounts(by=scope, after=after[0] if after else None, limit=query.limit + 1)
    return _page(rows, query.limit)


@accounts_routes.post(
    "",
    roles=KEEPER,
    body=AccountIn,
    reply=CredentialsOut,
    status=201,
    summary="新建账号",
    errors=("not_found", "login_taken", "roles_not_separated"),
)
async def create(request: Request, scope: Scope, body: AccountIn) -> CredentialsOut:
    """为名册中的人员新建账号；初始密码和动态口令只显示这一次。"""
    signer = request.app.ctx.signer
    return CredentialsOut.of(await accounts.create_account(body.person_id, body.login, by=scope, signer=signer))


@accounts_routes.put(
    "/<account_id:uuid>/active",
    roles=KEEPER,
    body=ActiveIn,
    reply=AccountOut,
    summary="停用或启用账号",
    errors=("not_found", "version_passed", "if_match_missing"),
)
async def set_active(request: Request, scope: Scope, account_id: UUID, body: ActiveIn) -> AccountOut:
    """需要带上 If-Match（读取时的 version）。"""
    account = await accounts.set_active(account_id, body.active, version=expected_version(request), by=scope)
    if account is None:
        raise version_passed()
    return AccountOut.model_validate(account)


@accounts_routes.post(
    "/<account_id:uuid>/credentials",
    roles=KEEPER,
    reply=CredentialsOut,
    summary="重置密码和动态口令",
    errors=("not_found",),
)
async def reset(request: Request, scope: Scope, account_id: UUID) -> CredentialsOut:
    """原密码、原动态口令和所有登录随即作废。"""
    return CredentialsOut.of(await accounts.reset_credentials(account_id, by=scope, signer=request.app.ctx.signer))


@tokens_routes.get("", roles=KEEPER, query=Listing, reply=Page[ServiceTokenOut], summary="服务令牌列表")
async def listed_tokens(scope: Scope, query: Listing) -> Page[ServiceTokenOut]:
    """本开发区发给其他平台的令牌，不含令牌本身。"""
    after = read_cursor(query.after, UUID)
    rows = await accounts.service_tokens(by=scope, after=after[0] if after else None, limit=query.limit + 1)
    items = [ServiceTokenOut.model_validate(row) for row in rows[: query.limit]]
    return Page(items=items, next=write_cursor(items[-1].id) if len(rows) > query.limit else None)


@tokens_routes.post(
    "",
    roles=KEEPER,
    body=ServiceTokenIn,
    reply=NewServiceTokenOut,
    status=201,
    summary="新建服务令牌",
    errors=("bad_service_token",),
)
async def create_token(scope: Scope, body: ServiceTokenIn) -> NewServiceTokenOut:
    """令牌只显示这一次，请妥善保管。"""
    token, secret = await accounts.create_service_token(body.name, set(body.feeds), body.days, by=scope)
    return NewServiceTokenOut(token=_token_out(token), secret=secret)


@tokens_routes.post(
    "/<token_id:uuid>/revoke", roles=KEEPER, reply=ServiceTokenOut, summary="作废服务令牌", errors=("not_found",)
)
async def revoke_token(scope: Scope, token_id: UUID) -> ServiceTokenOut:
    """立即作废，不能恢复。"""
    return _token_out(await accounts.revoke_service_token(token_id, by=scope))


def _token_out(token: ServiceToken) -> ServiceTokenOut:
    return ServiceTokenOut.model_validate(token)
