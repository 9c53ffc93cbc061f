"""Keeping to a rate: a token bucket of one process. Several workers send at several times the rate."""

import asyncio
from time import monotonic

UNHURRIED = 10_000.0
BURST_SECONDS = 0.1
"""What an idle moment saves up: turns that may then be taken at once."""


class Pace:
    """At most so many turns a second."""

    def __init__(self, per_second: float) -> None:
        self._gap, self._next = 1 / per_second, 0.0

    async def turn(self) -> None:
        """Wait until it is this caller's turn; turns are given in the order of asking."""
        now = monotonic()
        self._next = max(self._next, now - BURST_SECONDS) + self._gap
        if self._next > now:
            await asyncio.sleep(self._next - now)
