"""Keeping to a rate."""

import asyncio
from time import monotonic

from gateways.pace import BURST_SECONDS, Pace


async def test_turns_are_given_at_the_rate_and_in_order() -> None:
    pace, given, begun = Pace(200), list[int](), monotonic()

    async def take(number: int) -> None:
        await pace.turn()
        given.append(number)

    await asyncio.gather(*(take(number) for number in range(100)))
    assert given == list(range(100))
    assert monotonic() - begun >= 100 / 200 - BURST_SECONDS - 0.01


async def test_whoever_sends_little_never_waits() -> None:
    pace, begun = Pace(200), monotonic()
    for _ in range(10):
        await pace.turn()
    assert monotonic() - begun < 0.05
