"""Sharing round trips: nobody waits without need, everybody gets their own answer."""

import asyncio
from collections.abc import Sequence

import pytest

from models.base.together import Together


async def test_asks_that_arrive_while_a_trip_is_under_way_share_the_next_one() -> None:
    trips: list[list[int]] = []
    under_way = asyncio.Event()

    async def double(asks: Sequence[int]) -> list[int]:
        trips.append(list(asks))
        await under_way.wait()
        return [ask * 2 for ask in asks]

    together = Together(double, most=3, trips=1)
    first = asyncio.create_task(together.ask(0))
    await asyncio.sleep(0)
    rest = [asyncio.create_task(together.ask(n)) for n in range(1, 6)]
    await asyncio.sleep(0)
    under_way.set()
    assert await asyncio.gather(first, *rest) == [0, 2, 4, 6, 8, 10]
    assert trips == [[0], [1, 2, 3], [4, 5]]


async def test_a_failing_trip_fails_its_askers_and_not_the_next() -> None:
    async def refuse_odd(asks: Sequence[int]) -> list[int]:
        if any(ask % 2 for ask in asks):
            raise ValueError("odd")
        return list(asks)

    together = Together(refuse_odd, most=1)
    answers = await asyncio.gather(*(together.ask(n) for n in range(4)), return_exceptions=True)
    assert [answer if isinstance(answer, int) else type(answer) for answer in answers] == [0, ValueError, 2, ValueError]


async def test_an_asker_who_gives_up_is_not_asked_for_and_spoils_nothing() -> None:
    asked: list[int] = []
    under_way = asyncio.Event()

    async def answer(asks: Sequence[int]) -> list[int]:
        asked.extend(asks)
        await under_way.wait()
        return list(asks)

    together = Together(answer, trips=1)
    tasks = [asyncio.create_task(together.ask(n)) for n in range(3)]
    await asyncio.sleep(0)
    last = asyncio.create_task(together.ask(3))
    await asyncio.sleep(0)
    last.cancel()
    under_way.set()
    assert await asyncio.gather(*tasks) == [0, 1, 2]
    with pytest.raises(asyncio.CancelledError):
        await last
    assert asked == [0, 1, 2]


def test_it_works_on_in_a_new_loop_after_one_was_closed_in_the_middle() -> None:
    async def never(asks: Sequence[int]) -> list[int]:
        if asks[0]:
            await asyncio.Event().wait()
        return list(asks)

    together = Together(never, trips=1)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(together.ask(1), 0.01)

    asyncio.run(give_up())
    assert asyncio.run(together.ask(0)) == 0


async def test_who_asks_at_the_moment_a_trip_ends_is_taken_by_another() -> None:
    async def echo(asks: Sequence[int]) -> list[int]:
        return list(asks)

    together = Together(echo, trips=1)
    async with asyncio.timeout(5):
        assert [await together.ask(n) for n in range(3)] == [0, 1, 2]
