"""One account's token in many hands: whatever is slow, a refused one is not given again."""

import asyncio
from itertools import count
from typing import Any

from redis.asyncio import Redis

from gateways.wechat.tokens import Tokens


async def test_a_refused_token_is_not_given_again_while_it_is_being_taken_out_of_redis(redis: Redis) -> None:
    numbers = count(1)

    async def fetch() -> tuple[str, int]:
        return f"token-{next(numbers)}", 7200

    tokens = Tokens(redis, "wx", fetch)
    drop, slow, under_way = tokens._drop, asyncio.Event(), asyncio.Event()

    async def dropped_slowly(**what: Any) -> Any:
        under_way.set()
        await slow.wait()
        return await drop(**what)

    assert await tokens.current() == "token-1"
    tokens._drop = dropped_slowly  # type: ignore[assignment]
    async with asyncio.TaskGroup() as callers:
        callers.create_task(tokens.drop("token-1"))
        await under_way.wait()
        given = callers.create_task(tokens.current())
        assert await redis.get("wechat:token:wx") == b"token-1"
        slow.set()
    assert given.result() == "token-2"
    assert await tokens.current() == "token-2"
