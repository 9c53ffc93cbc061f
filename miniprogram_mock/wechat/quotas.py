"""Calls allowed per minute or per day."""

from __future__ import annotations

from .clock import Clock
from .errors import Refusal


class Quotas:
    """Counts per name within the current window only, so memory is bounded by the number of names."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[int, int]] = {}

    def per_minute(self, name: str, limit: int) -> None:
        """Take one call; raises Refusal 45011 when this minute's are used up."""
        if not self._take(name, self._clock.minute(), limit):
            raise Refusal(45011)

    def per_day(self, name: str, limit: int) -> None:
        """Take one call; raises Refusal 45009 when today's are used up."""
        if not self._take(name, self._clock.day(), limit):
            raise Refusal(45009)

    def _take(self, name: str, window: int, limit: int) -> bool:
        seen, count = self._windows.get(name, (window, 0))
        if seen != window:
            count = 0
        if count >= limit:
            return False
        self._windows[name] = (window, count + 1)
        return True
