"""The platform's own time, so that tests can let codes, tokens and quotas run out without waiting."""

from __future__ import annotations

import time

SHANGHAI = 8 * 3600
"""Seconds east of Greenwich: daily quotas start again at midnight in China."""


class Clock:
    """Real time plus an offset in seconds. Network delays (latency, push time-outs) stay in real time."""

    def __init__(self) -> None:
        self.offset: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch as this platform sees them."""
        return time.time() + self.offset

    def minute(self) -> int:
        """A number that changes every minute."""
        return int(self.now()) // 60

    def day(self) -> int:
        """A number that changes at midnight in Shanghai."""
        return (int(self.now()) + SHANGHAI) // 86_400
