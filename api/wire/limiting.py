"""Rate limits per caller and route, counted in Redis for all processes together.

The first handful of turns is lent without asking: whoever opens their inbox and acknowledges a few things, as nearly
everyone does, costs Redis nothing. Only who wants more is counted, what was lent included, again a handful at a time;
so a process gives nobody more than the limit, and several processes at most a handful each beyond it. A caller may
carry one handful unspent into the next window, no more. Of those who come at once (a whole zone behind one address, in
the morning) one asks, and all spend what it brings.

When Redis does not answer, everyone passes: an outage of it must not stop an acknowledgement. Sign-in passes too:
guessing a password is bounded by the lock-out that PostgreSQL keeps, and a WeChat code can be used once.
"""

import asyncio
import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakValueDictionary

import structlog
from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from api.wire.routes import Route
from models.base.errors import TooMany

HANDFUL = 10
"""A tenth of the limit at a time: few round trips, and little lost when a process ends with turns unspent."""
CALLERS_KEPT = 20_000
PAUSE_SECONDS = 2.0
log = structlog.get_logger("api.limits")


@dataclass(slots=True)
class _Turns:
    """`left` to spend until `until`; none left and `refused`: nor will Redis give any before then.

    `lent`: how many of those spent Redis does not know of yet.
    """

    left: int
    until: float
    lent: int = 0
    refused: bool = False


class Limiter:
    """The limits of one process; `url` is that of Redis."""

    def __init__(self, url: str) -> None:
        patience = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
        self._connections = ConnectionPool.from_url(url, **patience)
        storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            key_prefix="limit",
            connection_pool=self._connections,  # type: ignore[arg-type]  # handed on to redis-py as it is
        )
        self._windows = FixedWindowRateLimiter(storage)
        self._turns: OrderedDict[tuple[str, str], _Turns] = OrderedDict()
        self._asking: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._open_until = 0.0

    async def check(self, route: Route, caller: str) -> None:
        """Take one turn. Raises TooMany with the seconds to wait."""
        place = (route.name, caller)
        if self._spend(place) or self._lend(place, route) or time.monotonic() < self._open_until:
            return
        async with self._asking.setdefault(place, asyncio.Lock()):
            if self._spend(place) or time.monotonic() < self._open_until:
                return
            try:
                await self._take(route, caller)
            except (RedisError, OSError, TimeoutError) as fault:
                self._open_until = time.monotonic() + PAUSE_SECONDS
                log.warning("limits.open", error=type(fault).__name__)
                return
            self._spend(place)

    def _spend(self, place: tuple[str, str]) -> bool:
        """Whether a turn was at hand. Raises TooMany."""
        turns = self._turns.get(place)
        if turns is None or turns.until <= time.time():
            return False
        if turns.refused:
            wait = max(1, math.ceil(turns.until - time.time()))
            raise TooMany("too_many_requests", f"操作过于频繁，请在 {wait} 秒后再试。", retry_after=wait)
        if turns.left == 0:
            return False
        turns.left -= 1
        return True

    def _lend(self, place: tuple[str, str], route: Route) -> bool:
        """Whether this was the first turn in a window: then a handful is given, to be counted if it does not do."""
        turns, now = self._turns.get(place), time.time()
        if turns is not None and turns.until > now:
            return False
        limit, handful = _handful(route)
        self._keep(place, _Turns(handful - 1, now + limit.get_expiry(), lent=handful))
        return True

    async def _take(self, route: Route, caller: str) -> None:
        """Ask Redis for a handful, or learn when to ask again."""
        limit, handful = _handful(route)
        place = (route.name, caller)
        lent = self._turns[place].lent if place in self._turns else 0
        if await self._windows.hit(limit, route.name, caller, cost=lent + handful):
            taken = _Turns(handful, time.time() + limit.get_expiry())
        else:
            until, _ = await self._windows.get_window_stats(limit, route.name, caller)
            taken = _Turns(0, until, refused=True)
        self._keep(place, taken)

    def _keep(self, place: tuple[str, str], turns: _Turns) -> None:
        self._turns[place] = turns
        if len(self._turns) > CALLERS_KEPT:
            self._turns.popitem(last=False)

    async def close(self) -> None:
        """Give the connections back."""
        await self._connections.disconnect()


def _handful(route: Route) -> tuple[RateLimitItem, int]:
    """The route's limit, and how many turns are given at a time."""
    assert route.limit is not None
    return route.limit, max(1, route.limit.amount // HANDFUL)
