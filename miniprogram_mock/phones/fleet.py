"""Hundreds of phones at once, over one pool of connections and never more than a bound at work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp

from miniprogram_mock.phones.phone import Phone
from miniprogram_mock.phones.wire import Wire

AT_ONCE = 32
REGISTER_AT_ONCE = 10_000
Seen = TypeVar("Seen")


class Fleet:
    """The phones of a zone, by number."""

    def __init__(self, numbers: Iterable[str], *, api: Wire, wechat: Wire, at_once: int = AT_ONCE) -> None:
        self._api, self._wechat, self._at_once = api, wechat, at_once
        self.phones = {number: Phone(number, api=api, wechat=wechat) for number in numbers}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, numbers: Iterable[str], *, api_url: str, wechat_url: str, at_once: int = AT_ONCE
    ) -> AsyncIterator["Fleet"]:
        """A fleet with connections of its own, closed on leaving."""
        connector = aiohttp.TCPConnector(limit=at_once, keepalive_timeout=30)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield cls(numbers, api=Wire(session, api_url), wechat=Wire(session, wechat_url), at_once=at_once)

    def __len__(self) -> int:
        return len(self.phones)

    def __getitem__(self, number: str) -> Phone:
        return self.phones[number]

    def newcomer(self, number: str) -> Phone:
        """A phone beside the fleet, for whoever is not expected."""
        return Phone(number, api=self._api, wechat=self._wechat)

    async def register(self) -> None:
        """Make every phone known to the platform, in few requests."""
        numbers = list(self.phones)
        for at in range(0, len(numbers), REGISTER_AT_ONCE):
            part = numbers[at : at + REGISTER_AT_ONCE]
            made = await self._wechat.ask(
                "POST", "/_phone/register_many", json={"phones": [{"phone": number} for number in part]}
            )
            for number, phone in zip(part, made["phones"], strict=True):
                self.phones[number].known_as(phone)

    async def all(
        self,
        act: Callable[[Phone], Awaitable[Seen]],
        phones: Iterable[Phone] | None = None,
        *,
        done: Callable[[], None] = lambda: None,
    ) -> list[Seen]:
        """`act` on each of the phones (default: all), a bounded number at once; what each saw, in order.

        The first failure stops the rest and is raised. `done` is called after each, for a progress bar.
        """
        chosen = list(self.phones.values() if phones is None else phones)
        turn = asyncio.Semaphore(self._at_once)

        async def one(phone: Phone) -> Seen:
            async with turn:
                seen = await act(phone)
            done()
            return seen

        tasks = [asyncio.create_task(one(phone)) for phone in chosen]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
