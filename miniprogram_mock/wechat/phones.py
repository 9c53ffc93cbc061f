"""The phones that exist in this world, each with its WeChat identities, consents and received notifications."""

from __future__ import annotations

import base64
import hashlib
from collections import deque
from dataclasses import dataclass, field
from itertools import islice

from .errors import Refusal
from .messages import SentMessage
from .settings import Settings


def identity(space: str, phone: str) -> str:
    """The 28-character openid (or unionid) of a phone number within an appid, the same in every run.

    >>> len(identity("wx0", "13800000000"))
    28
    """
    digest = hashlib.sha256(f"{space}:{phone}".encode()).digest()
    return "o" + base64.urlsafe_b64encode(digest).decode()[:27]


@dataclass(slots=True)
class Phone:
    """One person's WeChat: `consents` counts the one-time accepts left, per template."""

    number: str
    nickname: str
    openid: str
    service_openid: str
    unionid: str | None
    notifications: deque[SentMessage]
    following: bool = False
    high_risk: bool = False
    main_switch: bool = True
    blocks_service: bool = False
    consents: dict[str, int] = field(default_factory=dict)
    long_term: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    visited_at: float = 0.0

    def accept(self, template_id: str, long_term: bool) -> None:
        """One more message of this template may come, or any number for a long-term one."""
        self.rejected.discard(template_id)
        if long_term:
            self.long_term.add(template_id)
        else:
            self.consents[template_id] = self.consents.get(template_id, 0) + 1

    def reject(self, template_id: str) -> None:
        """Refused for good in the settings: what was left is gone."""
        self.consents.pop(template_id, None)
        self.long_term.discard(template_id)
        self.rejected.add(template_id)

    def spend(self, template_id: str) -> None:
        """Use one consent up; raises Refusal 43101 when there is none."""
        if not self.main_switch or template_id in self.rejected:
            raise Refusal(43101)
        if template_id in self.long_term:
            return
        left = self.consents.get(template_id, 0)
        if left <= 0:
            raise Refusal(43101)
        self.consents[template_id] = left - 1

    def described(self) -> dict[str, object]:
        """The phone as the phone-side API shows it."""
        return {
            "openid": self.openid,
            "unionid": self.unionid,
            "service_openid": self.service_openid,
            "phone": self.number,
            "nickname": self.nickname,
            "following": self.following,
            "main_switch": self.main_switch,
            "consents": self.consents,
            "unread": len(self.notifications),
        }


class Phones:
    """The registry, bounded by `max_phones`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_openid: dict[str, Phone] = {}
        self._by_service_openid: dict[str, Phone] = {}

    def __len__(self) -> int:
        return len(self._by_openid)

    def register(self, number: str, nickname: str, has_unionid: bool) -> Phone | None:
        """The phone of this number, made if new; None when the registry is full."""
        openid = identity(self._settings.appid, number)
        if known := self._by_openid.get(openid):
            return known
        if len(self._by_openid) >= self._settings.max_phones:
            return None
        phone = Phone(
            number=number,
            nickname=nickname or f"用户{number[-4:]}",
            openid=openid,
            service_openid=identity(self._settings.service_appid, number),
            unionid=identity("union", number) if has_unionid else None,
            notifications=deque(maxlen=self._settings.keep_notifications),
        )
        self._by_openid[openid] = self._by_service_openid[phone.service_openid] = phone
        return phone

    def find(self, openid: object) -> Phone | None:
        """By the mini-program's openid."""
        return self._by_openid.get(openid) if isinstance(openid, str) else None

    def require(self, openid: object) -> Phone:
        """As `find`; raises Refusal 40003."""
        if phone := self.find(openid):
            return phone
        raise Refusal(40003)

    def require_service(self, openid: object) -> Phone:
        """By the service account's openid; raises Refusal 40003."""
        phone = self._by_service_openid.get(openid) if isinstance(openid, str) else None
        if phone is None:
            raise Refusal(40003)
        return phone

    def page(self, after: str, limit: int) -> list[Phone]:
        """Up to `limit` phones in order of registration, following the one named by `after`."""
        everyone = iter(self._by_openid.values())
        if after:
            for phone in everyone:
                if phone.openid == after:
                    break
        return list(islice(everyone, limit))

    def followers(self) -> list[Phone]:
        """Those who follow the service account."""
        return [phone for phone in self._by_openid.values() if phone.following]

    def latest(self, words: str, limit: int) -> list[Phone]:
        """Those most recently notified first, whose name or number contains `words`."""
        found = (p for p in self._by_openid.values() if words in p.nickname or words in p.number)
        return sorted(found, key=lambda p: p.notifications[-1].at if p.notifications else 0.0, reverse=True)[:limit]
