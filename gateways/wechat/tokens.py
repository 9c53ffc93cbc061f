"""The access token of one account, shared by all processes through Redis.

`stable_token` gives the same token until five minutes before its end, so a flushed cache costs one call and never
invalidates what another process is using.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import cast

import structlog
from redis.asyncio import Redis
from redis.asyncio.lock import Lock
from redis.exceptions import LockError, RedisError

from models.base import clock

log = structlog.get_logger()

EXPIRY_MARGIN = 300
"""Seconds before a token's end from which it is no longer used: the platform then hands out its successor."""
BELIEVED = timedelta(seconds=5)
"""For how long this process asks nobody again: thousands of messages a second leave with the same token."""
NEVER = datetime.min.replace(tzinfo=UTC)
LOCK_SECONDS = 20
"""How long one process may take to fetch: longer than a call's total timeout."""

_DROP_IF_SAME = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
return 0
"""

Fetch = Callable[[], Awaitable[tuple[str, int]]]
"""Ask the platform: the token and the seconds that it has left."""


class Tokens:
    """Gives the current token and forgets a refused one. Without Redis each process fetches, every few seconds."""

    def __init__(self, redis: "Redis", appid: str, fetch: Fetch) -> None:
        self._redis, self._fetch = redis, fetch
        self._key, self._lock_key = f"wechat:token:{appid}", f"wechat:token-lock:{appid}"
        self._here = asyncio.Lock()
        self._drop = redis.register_script(_DROP_IF_SAME)
        self._known, self._known_at, self._refused = "", NEVER, ""

    async def current(self) -> str:
        """A token that should work. Raises Refusal where the platform gives none."""
        if not timedelta(0) <= clock.now() - self._known_at < BELIEVED:  # a clock set back ends the belief too
            token = await self._shared()
            if token == self._refused:  # read before another caller's refusal took it out of Redis
                await self._forget(token)
                token = await self._shared()
            self._known, self._known_at = token, clock.now()
        return self._known

    async def drop(self, token: str) -> None:
        """Forget `token` if it is still the current one; another process may have replaced it already."""
        self._refused = token
        if token == self._known:
            self._known_at = NEVER
        await self._forget(token)

    async def _forget(self, token: str) -> None:
        with suppress(RedisError):
            await self._drop(keys=[self._key], args=[token])

    async def _shared(self) -> str:
        try:
            return await self._cached() or await self._refreshed()
        except RedisError as down:
            log.warning("wechat.token_uncached", error=type(down).__name__)
            return (await self._fetch())[0]

    async def _cached(self) -> str | None:
        found = cast("bytes | str | None", await self._redis.get(self._key))
        return found.decode() if isinstance(found, bytes) else found

    async def _refreshed(self) -> str:
        async with self._here, AsyncExitStack() as stack:  # one caller of this process, then one process
            lock = Lock(self._redis, self._lock_key, timeout=LOCK_SECONDS, sleep=0.05, blocking_timeout=LOCK_SECONDS)
            if await lock.acquire():
                stack.push_async_callback(_release, lock)
            return await self._cached() or await self._stored()

    async def _stored(self) -> str:
        token, seconds = await self._fetch()
        await self._redis.set(self._key, token, ex=max(1, seconds - EXPIRY_MARGIN))
        return token


async def _release(lock: Lock) -> None:
    with suppress(LockError):  # a flushed Redis has forgotten the lock, and that is all right
        await lock.release()
