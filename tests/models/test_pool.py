"""The pool of connections serves whoever has waited longest."""

import asyncio

from models.base import database

ASKING = 40


async def test_nobody_is_overtaken_by_more_than_those_who_ask_at_the_same_time(database_url: str) -> None:
    await database.connect(database_url, pool=4)
    served, overtaken = 0, list[int]()

    async def ask_again_and_again() -> None:
        nonlocal served
        for _ in range(100):
            before = served
            await database.fetch("select 1")
            served += 1
            overtaken.append(served - before)

    await asyncio.gather(*(ask_again_and_again() for _ in range(ASKING)))
    await database.disconnect()
    assert max(overtaken) <= 4 * ASKING


async def test_a_statement_that_fails_or_is_given_up_leaves_its_turn(database_url: str) -> None:
    await database.connect(database_url, pool=1)
    for _ in range(3):
        failed = await asyncio.gather(database.fetch("select 1 / 0"), return_exceptions=True)
        assert isinstance(failed[0], Exception)
        slow = asyncio.create_task(database.fetch("select pg_sleep(60)"))
        waiting = asyncio.create_task(database.fetch("select 1"))
        await asyncio.sleep(0)
        for task in (waiting, slow):
            task.cancel()
        await asyncio.gather(slow, waiting, return_exceptions=True)
    async with asyncio.timeout(10):
        assert await database.fetch("select 1 as one") == [{"one": 1}]
    await database.disconnect()
