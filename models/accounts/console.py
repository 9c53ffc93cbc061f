"""Signing in at the console: password and one-time code, lock-out with growing pauses, sessions with two ends."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from models.accounts import passwords
from models.accounts.access import GRANTS, GRANTS_OF_PERSON, grants_of
from models.accounts.signing import Signer
from models.accounts.tables import Account, Attempt, Session
from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import TooMany, Unauthenticated
from models.base.ids import NO_ZONE, new_id
from models.base.scope import Scope

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
FREE_FAILURES = 4
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
FAILURES_FORGOTTEN = timedelta(days=1)
TOTP = "totp"

CHARGE = """
insert into sign_in_attempt as a (id, zone_id, key, failures, last_at, locked_until) values ($1, $2, $3, 1, $4, $5)
on conflict (zone_id, key) do update set
  failures = case when a.last_at < $5 then 1 else a.failures + 1 end,
  last_at = $4,
  locked_until = case when a.last_at < $5 or a.failures < $6 then a.locked_until
    else $4 + least($7::interval * power(2, a.failures - $6), $8::interval) end
where a.locked_until <= $4
returning failures
"""
SIGNED_IN = (
    "select s.id, s.zone_id, s.seen_at, a.id as account_id, a.person_id, a.login, a.must_change_password,"  # noqa: S608
    f"{GRANTS} from console_session s join account a on a.id = s.account_id and a.active"
    f" join person p on p.id = a.person_id and p.active{GRANTS_OF_PERSON}"
    " where s.token_hash = $1 and s.ended_at is null and s.seen_at > $2 and s.began_at > $3 group by s.id, a.id"
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who sits at a signed-in browser. Until a first password is changed, `scope` holds no role."""

    session_id: UUID
    scope: Scope
    login: str
    must_change_password: bool


async def sign_in(login: str, password: str, code: str, *, signer: Signer) -> str:
    """The session's token, for the cookie.

    Every attempt is charged as a failure before it is looked at, so that many at once gain nothing; success clears it.
    Raises Unauthenticated (`sign_in_failed`, whatever was wrong), TooMany (`locked_out`).
    """
    key = _key(login)
    await _charge(key)
    account = await Account.get_or_none(login=_folded(login), active=True)
    right = await passwords.matches(password, account.password_hash if account else None)
    if account is None or not right:
        raise _failed()
    return await _opened(account.id, key, code, signer)


@atomic()
async def _opened(account_id: UUID, key: bytes, code: str, signer: Signer) -> str:
    account = await Account.filter(id=account_id).select_for_update().get()
    step = passwords.step_of(signer.unseal(TOTP, account.totp_sealed), code, account.totp_step)
    if step is None:
        raise _failed()
    await Account.filter(id=account_id).update(totp_step=step)
    await Attempt.filter(zone_id=NO_ZONE, key=key).delete()
    token, now = secrets.token_urlsafe(32), clock.now()
    session = await Session.create(
        zone_id=account.zone_id, account_id=account_id, token_hash=hash_of(token), began_at=now, seen_at=now
    )
    by = Scope(account.zone_id, f"account:{account_id}", account_id=account_id)
    await audit.record(by, "console_session.began", ("console_session", session.id))
    return token


async def session_of(token: str) -> SignedIn | None:
    """Who sits at the browser with this cookie, in one statement; None when signed out, idle or too long."""
    now = clock.now()
    rows = await database.fetch(SIGNED_IN, hash_of(token), now - IDLE, now - LONGEST)
    if not rows:
        return None
    (row,) = rows
    if now - row["seen_at"] > SEEN_EVERY:
        await Session.filter(id=row["id"]).update(seen_at=now)
    scope = Scope(
        row["zone_id"],
        f"account:{row['account_id']}",
        person_id=row["person_id"],
        account_id=row["account_id"],
        grants=() if row["must_change_password"] else grants_of(row["roles"], row["paths"]),
    )
    return SignedIn(row["id"], scope, row["login"], row["must_change_password"])


@atomic()
async def sign_out(session_id: UUID, *, by: Scope) -> None:
    """End the caller's own session; again changes nothing."""
    own = Session.filter(zone_id=by.zone_id, account_id=by.account_id, id=session_id, ended_at__isnull=True)
    if await own.update(ended_at=clock.now()):
        await audit.record(by, "console_session.ended", ("console_session", session_id), why="signed_out")


async def change_password(current: str, new: str, *, session_id: UUID, by: Scope) -> None:
    """The caller's own; every other session of theirs ends. Raises Unauthenticated, Invalid, TooMany."""
    account = await Account.get(zone_id=by.zone_id, id=by.account_id)
    key = _key(account.login)
    await _charge(key)
    if not await passwords.matches(current, account.password_hash):
        raise Unauthenticated("password_wrong", "现在的密码不正确，没有修改。")
    passwords.check_strength(new, account.login, "/new")
    await _changed(account.id, await passwords.hashed(new), session_id, key, by)


@atomic()
async def _changed(account_id: UUID, password_hash: str, session_id: UUID, key: bytes, by: Scope) -> None:
    await Account.filter(id=account_id).update(password_hash=password_hash, must_change_password=False)
    await Attempt.filter(zone_id=NO_ZONE, key=key).delete()
    others = Session.filter(zone_id=by.zone_id, account_id=account_id, ended_at__isnull=True).exclude(id=session_id)
    await others.update(ended_at=clock.now())
    await audit.record(by, "account.password_changed", ("account", account_id))


async def _charge(key: bytes) -> None:
    now = clock.now()
    charged = await database.fetch(
        CHARGE, new_id(), NO_ZONE, key, now, now - FAILURES_FORGOTTEN, FREE_FAILURES, FIRST_PAUSE, LONGEST_PAUSE
    )
    if not charged:
        attempt = await Attempt.get_or_none(zone_id=NO_ZONE, key=key)
        left = (attempt.locked_until - now).total_seconds() if attempt else 0
        raise TooMany("locked_out", "连续多次登录失败，暂时不能登录。请稍后再试。", retry_after=max(1, int(left) + 1))


def _failed() -> Unauthenticated:
    return Unauthenticated("sign_in_failed", "登录名、密码或动态口令不正确。动态口令每个只能用一次。")


def _folded(login: str) -> str:
    return login.strip().lower()


def _key(login: str) -> bytes:
    return hashlib.sha256(_folded(login).encode()).digest()


def hash_of(token: str) -> bytes:
    """How a token is kept: it is random and long, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).digest()
