"""Signing in on a phone: WeChat says which openid, the binding says who; then a short token and a rotating one."""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models import organization
from models.accounts.signing import Signer
from models.accounts.tables import SignIn
from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Conflict, Forbidden, NotFound, Unauthenticated
from models.base.ids import new_id
from models.base.scope import Scope
from models.organization import Binding, Person

ACCESS_LASTS = timedelta(minutes=15)
SIGN_IN_LASTS = timedelta(days=30)
"""Long, for a phone that signs in again with `wx.login` asks its owner nothing."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a phone keeps: `access` for every request, `refresh` for the next pair, once."""

    access: str
    refresh: str
    expires_in: int


@atomic()
async def open_sign_in(binding: Binding, *, signer: Signer) -> Tokens:
    """Sign in the person of a binding in force. Raises Forbidden (`left_office`)."""
    person_id: UUID = binding.person_id  # type: ignore[attr-defined]
    if not await Person.exists(zone_id=binding.zone_id, id=person_id, active=True):
        raise left_office()
    sign_in_id = new_id()
    refresh = _refresh_token(signer, sign_in_id, 0)
    sign_in = await SignIn.create(
        id=sign_in_id,
        zone_id=binding.zone_id,
        person_id=person_id,
        binding_id=binding.id,
        token_hash=_hash(refresh),
        began_at=clock.now(),
        ends_at=clock.now() + SIGN_IN_LASTS,
    )
    await audit.record(_person(sign_in), "sign_in.began", ("sign_in", sign_in_id))
    return _tokens(signer, sign_in, refresh)


async def refresh(token: str, *, signer: Signer) -> Tokens:
    """The next pair for a refresh token, which is thereby spent.

    A spent token that comes again was copied by somebody: whoever it was, the whole sign-in ends.
    Raises Unauthenticated (`refresh_invalid`, `refresh_expired`, `refresh_reused`).
    """
    sign_in_id, generation = _parse(signer, token)
    sign_in = await _turned(sign_in_id, generation, token, signer)
    if isinstance(sign_in, Unauthenticated):
        raise sign_in
    return _tokens(signer, *sign_in)


@atomic()
async def _turned(
    sign_in_id: UUID, generation: int, token: str, signer: Signer
) -> tuple[SignIn, str] | Unauthenticated:
    """Answers the refusal instead of raising it: the end of a reused sign-in must be committed."""
    sign_in = await SignIn.filter(id=sign_in_id).select_for_update().first()
    if sign_in is None or sign_in.ended_at is not None or sign_in.ends_at <= clock.now():
        return Unauthenticated("refresh_expired", "登录已结束，请重新进入小程序。")
    if not secrets.compare_digest(bytes(sign_in.token_hash), _hash(token)):
        await _end(sign_in, "refresh_reused")
        return Unauthenticated("refresh_reused", "为保护您的账号，这次登录已结束。请重新进入小程序。")
    sign_in.generation = generation + 1
    fresh = _refresh_token(signer, sign_in_id, sign_in.generation)
    sign_in.token_hash = _hash(fresh)
    await sign_in.save(update_fields=["generation", "token_hash"])
    return sign_in, fresh


@atomic()
async def sign_out(sign_in_id: UUID, *, by: Scope) -> None:
    """End a sign-in of the caller's own; again changes nothing."""
    sign_in = await SignIn.filter(zone_id=by.zone_id, person_id=by.person_id, id=sign_in_id).select_for_update().first()
    if sign_in is not None and sign_in.ended_at is None:
        await _end(sign_in, "signed_out")


async def end_sign_ins(zone_id: UUID, person_id: UUID, *, why: str) -> None:
    """End every sign-in of the person, within the transaction of whoever says so. `why` is a code."""
    for sign_in in await SignIn.filter(zone_id=zone_id, person_id=person_id, ended_at__isnull=True).select_for_update():
        await _end(sign_in, why)


async def _end(sign_in: SignIn, why: str) -> None:
    sign_in.ended_at, sign_in.ended_why = clock.now(), why
    await sign_in.save(update_fields=["ended_at", "ended_why"])
    await audit.record(_person(sign_in), "sign_in.ended", ("sign_in", sign_in.id), why=why)


async def person_to_bind(phone: str, zone_code: str | None, *, ticket: str) -> Person:
    """Who stands in a roster with this verified number, in whichever zone (or the one named).

    Raises NotFound (`not_in_roster`), Forbidden (`left_office`), Conflict (`several_zones`: it lists the `zones` and
    hands on `ticket`, with which the caller chooses one: the number's own code is spent by now).
    """
    rows = await database.fetch(
        "select p.id, p.active, z.code, z.name from zone z join person p on p.zone_id = z.id and p.phone = $1"
        " where $2::text is null or z.code = $2 order by z.code limit 20",
        phone,
        zone_code,
    )
    present = [row for row in rows if row["active"]]
    if not rows:
        raise NotFound("not_in_roster", "这个手机号不在名册中。请联系本单位管理员核对后再试。")
    if not present:
        raise left_office()
    if len(present) > 1:
        zones = [{"code": row["code"], "name": row["name"]} for row in present]
        raise Conflict(
            "several_zones", "您在多个开发区的名册中。请选择本次要绑定的开发区。", zones=zones, ticket=ticket
        )
    return await Person.get(id=present[0]["id"])


async def bind(person: Person, openid: str, unionid: str | None) -> Binding:
    """Bind the person's own WeChat. Raises Conflict as `organization.bind`."""
    by = Scope(person.zone_id, f"person:{person.id}", person_id=person.id)
    return await organization.bind(person.zone_id, person.id, openid, unionid=unionid, by=by)


def left_office() -> Forbidden:
    """Somebody of the roster who is no longer in office."""
    return Forbidden("left_office", "名册显示您已离任，不能再登录。如有疑问，请联系本单位管理员。")


def _person(sign_in: SignIn) -> Scope:
    return Scope(sign_in.zone_id, f"person:{sign_in.person_id}", person_id=sign_in.person_id)


def _tokens(signer: Signer, sign_in: SignIn, refresh: str) -> Tokens:
    access = signer.access_token(
        ACCESS_LASTS, sub=str(sign_in.person_id), zone=str(sign_in.zone_id), sid=str(sign_in.id)
    )
    return Tokens(access, refresh, int(ACCESS_LASTS.total_seconds()))


def _refresh_token(signer: Signer, sign_in_id: UUID, generation: int) -> str:
    content = sign_in_id.bytes + generation.to_bytes(4, "big") + secrets.token_bytes(24)
    return urlsafe_b64encode(content + signer.refresh_tag(content)).decode()


def _parse(signer: Signer, token: str) -> tuple[UUID, int]:
    """Forged tokens end here, so that nobody can end another's sign-in by making one up."""
    try:
        raw = urlsafe_b64decode(token.encode())
    except ValueError:
        raw = b""
    content, tag = raw[:44], raw[44:]
    if len(raw) != 76 or not secrets.compare_digest(tag, signer.refresh_tag(content)):
        raise Unauthenticated("refresh_invalid", "登录凭证无效，请重新进入小程序。")
    return UUID(bytes=content[:16]), int.from_bytes(content[16:20], "big")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
