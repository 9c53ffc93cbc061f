"""Rate limits: a crowd behind one address gets all that the limit gives, and no more."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from limits import parse
from redis.asyncio import Redis

from api.wire import PUBLIC, Route, Routes
from api.wire.limiting import Limiter
from deploy import local
from models.base.errors import TooMany

LIMIT = 100


def _route() -> Route:
    routes = Routes("mini", "/probe", tag="测试")

    @routes.get("/crowded", roles=PUBLIC, summary="测试", limit=f"{LIMIT}/hour")
    async def crowded() -> None:
        """Nothing."""

    (route,) = routes
    return route


@pytest.fixture
async def limiter(services: local.Services, redis: Redis) -> AsyncIterator[Limiter]:
    made = Limiter(services.redis_url)
    yield made
    await made.close()


async def _passed(limiter: Limiter, times: int) -> int:
    route = _route()
    assert route.limit == parse(f"{LIMIT}/hour")
    asked = (limiter.check(route, "at:192.0.2.1") for _ in range(times))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(answer is None or isinstance(answer, TooMany) for answer in answers)
    return sum(answer is None for answer in answers)


async def test_a_crowd_that_comes_at_once_gets_every_turn_the_limit_gives(limiter: Limiter) -> None:
    assert await _passed(limiter, LIMIT) == LIMIT


async def test_whoever_comes_after_that_is_told_to_wait(limiter: Limiter) -> None:
    assert await _passed(limiter, LIMIT + 50) == LIMIT
    assert await _passed(limiter, 10) == 0
