"""Everything this platform knows, in memory, and what resetting means."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock
from .codes import Codes
from .faults import Faults
from .messages import Mailbox, SentMessage
from .phones import Phones
from .pushes import Pusher
from .quotas import Quotas
from .settings import Settings
from .templates import Templates
from .tokens import Tokens


@dataclass(slots=True)
class Words:
    """Substrings that content safety looks for."""

    sensitive: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    risky: tuple[str, ...] = ()

    def verdict(self, text: str) -> tuple[str, int]:
        """`suggest` and `label` for a text."""
        if any(word in text for word in self.risky):
            return "risky", 20006
        if any(word in text for word in self.review):
            return "review", 21000
        return "pass", 100


@dataclass(slots=True)
class Stats:
    """Counts since the last reset."""

    calls: Counter[str] = field(default_factory=Counter)
    errcodes: Counter[str] = field(default_factory=Counter)


class World:
    """The one state of the one process. Only the event loop touches it, so nothing is locked."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock()
        self.faults = Faults()
        self.pusher = Pusher(settings, self.clock, self.faults)
        self.latency = settings.latency_ms / 1000
        self.phones = Phones(settings)
        self._begin()

    def _begin(self) -> None:
        self.tokens = Tokens(self.clock)
        self.codes = Codes(self.clock)
        self.quotas = Quotas(self.clock)
        self.templates = Templates()
        self.words = Words()
        self.mailbox = Mailbox(self.settings.keep_sent)
        self.sending: set[str] = set()
        self.repeats: dict[tuple[str, str], tuple[float, SentMessage]] = {}
        self.members: set[str] = set()
        self.texts: dict[bytes, SentMessage] = {}
        self.links: deque[dict[str, Any]] = deque(maxlen=10_000)
        self.stats = Stats()

    def reset(self, keep_phones: bool) -> None:
        """Back to the beginning; the callback address stays."""
        if not keep_phones:
            self.phones = Phones(self.settings)
        self.faults.remove()
        self.clock.offset = 0.0
        self.pusher.log.clear()
        self.pusher.counts.update(dict.fromkeys(self.pusher.counts, 0))
        self._begin()
