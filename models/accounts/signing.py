"""What is proved by the product's own key: access tokens, sealed tickets, refresh tokens' descent, CSRF tokens.

Every purpose has a key of its own, derived from the one secret, so that nothing made for one is taken for another.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
import orjson
from cryptography.fernet import Fernet, InvalidToken
from jwt.types import Options

from models.base import clock
from models.base.errors import Unauthenticated

ALGORITHM = "HS256"
AUDIENCE = "mini"
VERIFIED = 20_000
"""Tokens found genuine that a process remembers (some 10 MB when full); a forged one is never remembered."""
_CHECKED: Options = {"require": ["exp", "aud", "sid"], "verify_exp": False, "verify_iat": False, "verify_sub": False}


class Signer:
    """Holds the derived keys. Raises ValueError for a secret shorter than 32 characters."""

    def __init__(self, secret: str) -> None:
        if len(secret) < 32:
            raise ValueError("the signing key must hold at least 32 characters")
        self._secret = secret.encode()
        self._access = self._key("access token")
        self._csrf = self._key("csrf")
        self._refresh = self._key("refresh token")
        self._verified = lru_cache(VERIFIED)(self._verify)

    def _key(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, f"zhuoluo {purpose}".encode(), hashlib.sha256)

    def _box(self, purpose: str) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._key(f"sealed {purpose}")))

    def access_token(self, lasting: timedelta, **claims: str) -> str:
        """A JWT that holds `claims` for so long."""
        now = clock.now()
        payload = {**claims, "aud": AUDIENCE, "iat": int(now.timestamp()), "exp": int((now + lasting).timestamp())}
        return jwt.encode(payload, self._access, ALGORITHM)

    def read_access_token(self, token: str) -> UUID:
        """The sign-in it was given to. Raises Unauthenticated (`token_invalid`, `token_expired`).

        A phone shows the same token for a quarter of an hour: its signature is checked once a process.
        """
        sign_in_id, expires_at = self._verified(token)
        if expires_at <= clock.now().timestamp():
            raise Unauthenticated("token_expired", "登录已过期，正在为您续期。")
        return sign_in_id

    def _verify(self, token: str) -> tuple[UUID, int]:
        try:
            claims = jwt.decode(token, self._access, algorithms=[ALGORITHM], audience=AUDIENCE, options=_CHECKED)
            return UUID(claims["sid"]), int(claims["exp"])
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
            raise Unauthenticated("token_invalid", "登录凭证无效，请重新进入小程序。") from None

    def seal(self, purpose: str, content: Any, *, lasting: timedelta | None = None) -> str:
        """`content` (JSON) so that nobody else can read, change or, past `lasting`, use it."""
        until = (clock.now() + lasting).timestamp() if lasting else None
        return self._box(purpose).encrypt(orjson.dumps([until, content])).decode()

    def unseal(self, purpose: str, sealed: str) -> Any:
        """What was sealed for `purpose`. Raises Unauthenticated (`ticket_invalid`, `ticket_expired`)."""
        try:
            until, content = orjson.loads(self._box(purpose).decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            raise Unauthenticated("ticket_invalid", "凭证无效，请重新进入小程序。") from None
        if until is not None and datetime.fromtimestamp(until, UTC) <= clock.now():
            raise Unauthenticated("ticket_expired", "停留时间过长，请重新进入小程序再操作。")
        return content

    def refresh_tag(self, content: bytes) -> bytes:
        """32 bytes that show a refresh token was once made by us, even when it is no longer good."""
        return hmac.digest(self._refresh, content, hashlib.sha256)

    def csrf_token(self, session_token: str) -> str:
        """What a page must say beside the cookie: another site's page cannot know it."""
        return hmac.new(self._csrf, session_token.encode(), hashlib.sha256).hexdigest()
