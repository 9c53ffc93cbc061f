"""Console accounts, kept by the security administrator; made first by whoever sets up the zone."""

from dataclasses import dataclass
from uuid import UUID

import pyotp
from tortoise.exceptions import IntegrityError

from models import organization
from models.accounts import passwords
from models.accounts.console import TOTP
from models.accounts.signing import Signer
from models.accounts.tables import Account, Session
from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Conflict, NotFound
from models.base.scope import SEPARATED, Role, Scope
from models.organization import Person


@dataclass(frozen=True, slots=True)
class Credentials:
    """Shown once to whoever hands them over: a first password and the address for the authenticator app."""

    account: Account
    password: str
    totp_uri: str


async def create_account(person_id: UUID, login: str, *, by: Scope, signer: Signer) -> Credentials:
    """A login for a person of the zone, with a generated password that must be changed.

    Raises Forbidden, NotFound, Conflict (`login_taken`, `roles_not_separated`).
    """
    _require_keeper(by)
    person = await Person.get_or_none(zone_id=by.zone_id, id=person_id, active=True)
    if person is None:
        raise NotFound()
    await _check_separation(person_id)
    password, secret = passwords.generated(), pyotp.random_base32()
    made = Account(
        zone_id=by.zone_id,
        person_id=person_id,
        login=login.strip().lower(),
        password_hash=await passwords.hashed(password),
        totp_sealed=signer.seal(TOTP, secret),
        created_at=clock.now(),
    )
    await _create(made, by)
    return Credentials(made, password, passwords.enrolment(secret, made.login))


@atomic()
async def _create(account: Account, by: Scope) -> None:
    try:
        await account.save(force_create=True)
    except IntegrityError:
        raise Conflict("login_taken", "这个登录名已被使用，或者这位人员已有账号。") from None
    await audit.record(by, "account.created", ("account", account.id), person=str(account.person_id))


async def reset_credentials(account_id: UUID, *, by: Scope, signer: Signer) -> Credentials:
    """A new password and authenticator secret; every session ends. Raises Forbidden, NotFound."""
    _require_keeper(by)
    password, secret = passwords.generated(), pyotp.random_base32()
    account = await _reset(account_id, await passwords.hashed(password), signer.seal(TOTP, secret), by)
    return Credentials(account, password, passwords.enrolment(secret, account.login))


@atomic()
async def _reset(account_id: UUID, password_hash: str, totp_sealed: str, by: Scope) -> Account:
    account = await database.locked(Account.filter(zone_id=by.zone_id), account_id)
    account.password_hash, account.totp_sealed, account.must_change_password = password_hash, totp_sealed, True
    account.version += 1
    await account.save(update_fields=["password_hash", "totp_sealed", "must_change_password", "version"])
    await _end_sessions(account)
    await audit.record(by, "account.credentials_reset", ("account", account_id))
    return account


@atomic()
async def set_active(account_id: UUID, active: bool, *, version: int, by: Scope) -> Account | None:
    """Close an account, which ends its sessions, or open it again; None if another edit passed `version`.

    Raises Forbidden, NotFound.
    """
    _require_keeper(by)
    account = await database.locked(Account.filter(zone_id=by.zone_id), account_id)
    if account.version != version:
        return None
    account.active, account.version = active, version + 1
    await account.save(update_fields=["active", "version"])
    if not active:
        await _end_sessions(account)
    await audit.record(by, "account.opened" if active else "account.closed", ("account", account_id))
    return account


async def accounts(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[Account]:
    """The zone's accounts, oldest first, from behind `after`. Raises Forbidden."""
    _require_keeper(by)
    rows = Account.filter(zone_id=by.zone_id)
    return await (rows.filter(id__gt=after) if after else rows).order_by("id").limit(limit)


def _require_keeper(by: Scope) -> None:
    if by.actor != "system":
        by.require(Role.SECURITY_ADMIN)


async def _check_separation(person_id: UUID) -> None:
    held = {grant.role for grant in (await organization.scope_of(person_id)).grants}
    if len(held & SEPARATED) > 1:
        detail = "系统管理员、安全管理员、审计员须由不同人员担任（三权分立）。请先调整角色。"
        raise Conflict("roles_not_separated", detail)


async def _end_sessions(account: Account) -> None:
    open_ones = Session.filter(zone_id=account.zone_id, account_id=account.id, ended_at__isnull=True)
    await open_ones.update(ended_at=clock.now())
