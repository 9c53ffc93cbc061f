"""Passwords (argon2) and one-time codes (TOTP, RFC 6238)."""

import asyncio
import secrets
import string
from concurrent.futures import ThreadPoolExecutor

import pyotp
from pwdlib import PasswordHash

from models.base import clock
from models.base.errors import Fault, Invalid

SHORTEST, LONGEST = 12, 128
STEP_SECONDS = 30
_ARGON2 = PasswordHash.recommended()
# Two at a time: each takes 64 MiB and a core, so that a burst of sign-ins cannot take the whole machine.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
_NOBODYS = _ARGON2.hash(secrets.token_urlsafe(32))


async def hashed(password: str) -> str:
    """For keeping."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _ARGON2.hash, password)


async def matches(password: str, kept: str | None) -> bool:
    """Whether it is the password; an unknown login (None) takes just as long to be refused."""
    loop = asyncio.get_running_loop()
    right = await loop.run_in_executor(_THREADS, _ARGON2.verify, password, kept or _NOBODYS)
    return right and kept is not None


def check_strength(password: str, login: str, pointer: str) -> None:
    """Raises Invalid unless 12–128 characters of three kinds, without the login in it (等保三级 身份鉴别)."""
    kinds = (str.islower, str.isupper, str.isdigit, lambda char: not char.isalnum())
    present = sum(any(kind(char) for char in password) for kind in kinds)
    if not SHORTEST <= len(password) <= LONGEST or present < 3 or login.lower() in password.lower():
        detail = "密码应为 12 至 128 位，含大写字母、小写字母、数字、符号中的三种，且不含登录名。"
        raise Invalid("weak_password", detail, faults=(Fault(pointer, "weak_password", detail),))


def generated() -> str:
    """A first password, to be changed at the first sign-in."""
    groups = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    chars = [secrets.choice(group) for group in groups for _ in range(5)]
    secrets.SystemRandom().shuffle(chars)
    return "-".join("".join(chars[at : at + 5]) for at in (0, 5, 10))


def step_of(secret: str, code: str, after: int) -> int | None:
    """The time-step that `code` belongs to: now, the one before or the one next, and later than `after` (replays)."""
    now = int(clock.now().timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    found = [step for step in (now - 1, now, now + 1) if secrets.compare_digest(totp.generate_otp(step), code)]
    return next((step for step in found if step > after), None)


def enrolment(secret: str, login: str) -> str:
    """The `otpauth://` address for an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="着落")
