"""Access tokens of every account: the stable kind, and the old kind that each call replaces."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from .clock import Clock
from .errors import Refusal

LIFETIME = 7200
"""Seconds a token lives."""
OVERLAP = 300
"""Seconds before expiry from which a new stable token is given, while the old one still works."""
FORCED_GAP = 30
"""Seconds between forced refreshes; within them nothing is refreshed."""
FORCED_PER_DAY = 20
KEPT = 2000
BYTES = 375
"""500 characters: whoever keeps a token is told to reserve 512 for it."""
_SHAPE = re.compile(r"\d+_[A-Za-z0-9_-]{100,500}")


@dataclass(slots=True)
class Token:
    """One credential of one account (`mini`, `service` or `wecom`)."""

    value: str
    account: str
    expires_at: float
    revoked: bool = False


class Tokens:
    """Issues and checks tokens. The two kinds never affect each other, as the platform promises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Token] = {}
        self._stable: dict[str, Token] = {}
        self._plain: dict[str, Token] = {}
        self._forced: dict[str, tuple[int, int, float]] = {}
        self.issued = {"mini": 0, "service": 0, "wecom": 0}

    def stable(self, account: str, force: bool) -> Token:
        """The same token until five minutes before its end; raises Refusal 45009 past 20 forced a day."""
        if force and self._may_force(account):
            self._retire(self._stable.pop(account, None))
        current = self._stable.get(account)
        if current and not current.revoked and self._clock.now() < current.expires_at - OVERLAP:
            return current
        self._stable[account] = self._issue(account)
        return self._stable[account]

    def plain(self, account: str) -> Token:
        """A new token of the old kind; the account's previous one stops working."""
        self._retire(self._plain.get(account))
        self._plain[account] = self._issue(account)
        return self._plain[account]

    def require(self, value: str | None, account: str) -> None:
        """Raises Refusal 41001, 40014, 40001, 42001 or, for the other account's token, 48001."""
        token = self._known.get(value) if value else None
        if token is None:
            raise Refusal(_why_unknown(value))
        if token.revoked:
            raise Refusal(40001)
        if self._clock.now() >= token.expires_at:
            raise Refusal(42001)
        if token.account != account:
            raise Refusal(48001)

    def expire(self, account: str) -> None:
        """Let every token of the account have reached its end (42001)."""
        for token in self._of(account):
            token.expires_at = self._clock.now()

    def revoke(self, account: str) -> None:
        """Let every token of the account be no longer the latest (40001)."""
        for token in self._of(account):
            token.revoked = True

    @staticmethod
    def _retire(token: Token | None) -> None:
        if token:
            token.revoked = True

    def _of(self, account: str) -> list[Token]:
        return [token for token in self._known.values() if token.account == account]

    def _may_force(self, account: str) -> bool:
        now, today = self._clock.now(), self._clock.day()
        day, count, last = self._forced.get(account, (today, 0, 0.0))
        if now - last < FORCED_GAP:
            return False
        count = count if day == today else 0
        if count >= FORCED_PER_DAY:
            raise Refusal(45009)
        self._forced[account] = (today, count + 1, now)
        return True

    def _issue(self, account: str) -> Token:
        self.issued[account] += 1
        value = f"{80 + self.issued[account]}_{secrets.token_urlsafe(BYTES)}"
        token = Token(value, account, self._clock.now() + LIFETIME)
        self._known[token.value] = token
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]
        return token


def _why_unknown(value: str | None) -> int:
    if not value:
        return 41001
    return 40001 if _SHAPE.fullmatch(value) else 40014
