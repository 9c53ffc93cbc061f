"""Keys of other platforms: shown once, kept hashed, for named feeds and a limited time."""

import secrets
from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models.accounts.console import hash_of
from models.accounts.tables import Feed, ServiceToken
from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Fault, Invalid, Unauthenticated
from models.base.scope import Role, Scope

LONGEST_DAYS = 366
PREFIX = "zls_"


@dataclass(frozen=True, slots=True)
class Service:
    """Another platform that calls."""

    scope: Scope
    feeds: frozenset[Feed]
    token_id: UUID


@atomic()
async def create_service_token(name: str, feeds: Set[Feed], days: int, *, by: Scope) -> tuple[ServiceToken, str]:
    """The row, and the token itself, which cannot be shown again. Raises Forbidden, Invalid."""
    by.require(Role.SECURITY_ADMIN)
    if not feeds or not 1 <= days <= LONGEST_DAYS:
        detail = "至少选择一项数据接口，有效期为 1 至 366 天。"
        raise Invalid("bad_service_token", detail, faults=(Fault("/feeds", "bad_service_token", detail),))
    secret, now = PREFIX + secrets.token_urlsafe(32), clock.now()
    token = await ServiceToken.create(
        zone_id=by.zone_id,
        name=name,
        feeds=sorted(feeds),
        token_hash=hash_of(secret),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    await audit.record(by, "service_token.created", ("service_token", token.id), feeds=sorted(feeds), days=days)
    return token, secret


@atomic()
async def revoke_service_token(token_id: UUID, *, by: Scope) -> ServiceToken:
    """End it at once; again changes nothing. Raises Forbidden, NotFound."""
    by.require(Role.SECURITY_ADMIN)
    token = await database.locked(ServiceToken.filter(zone_id=by.zone_id), token_id)
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        await token.save(update_fields=["revoked_at"])
        await audit.record(by, "service_token.revoked", ("service_token", token_id))
    return token


async def service_tokens(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[ServiceToken]:
    """The zone's tokens, oldest first, from behind `after`. Raises Forbidden."""
    by.require(Role.SECURITY_ADMIN)
    rows = ServiceToken.filter(zone_id=by.zone_id)
    return await (rows.filter(id__gt=after) if after else rows).order_by("id").limit(limit)


async def service_of(secret: str) -> Service:
    """Who calls with this token. Raises Unauthenticated."""
    token = await ServiceToken.get_or_none(token_hash=hash_of(secret), revoked_at__isnull=True)
    if token is None or token.expires_at <= clock.now():
        raise Unauthenticated("service_token_invalid", "服务令牌无效或已过期。")
    scope = Scope(token.zone_id, f"service:{token.id}")
    return Service(scope, frozenset(map(Feed, token.feeds)), token.id)
