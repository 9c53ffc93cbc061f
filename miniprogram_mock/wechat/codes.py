"""Single-use codes that a phone hands to the backend: for login, and for its phone number."""

from __future__ import annotations

import secrets

from .clock import Clock
from .errors import Refusal

LIFETIME = 300
"""Seconds a code lives."""
KEPT = 100_000


class Codes:
    """Codes by kind (`login`, `phone`); the oldest are forgotten past a bound."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: dict[tuple[str, str], tuple[str, float]] = {}

    def issue(self, kind: str, openid: str) -> str:
        """A new code for the phone with this openid."""
        code = "0" + secrets.token_urlsafe(23)[:31]
        self._codes[kind, code] = (openid, self._clock.now() + LIFETIME)
        if len(self._codes) > KEPT:
            del self._codes[next(iter(self._codes))]
        return code

    def redeem(self, kind: str, code: object) -> str:
        """The openid behind the code, which is used up by this; raises Refusal 40029 (41008 when there is none)."""
        if not isinstance(code, str) or not code:
            raise Refusal(41008)
        openid, expires_at = self._codes.pop((kind, code), ("", 0.0))
        if self._clock.now() >= expires_at:
            raise Refusal(40029)
        return openid
