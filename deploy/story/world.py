"""The stage: an installation of the story's own, its clock, the console, the phones and the platform's controls."""

import asyncio
import os
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from deploy import local
from deploy.stack import ANY_PORTS, Stack, prepare
from deploy.story.cast import Player
from deploy.story.office import Office
from deploy.story.telling import Teller
from miniprogram_mock.phones import Fleet, Phone
from miniprogram_mock.phones.wire import Wire
from models.base import clock

CHECKOUT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parents[1] / "sample"
ZONE = "lanchuan"
FIRST_EVENING = date(2026, 11, 9)
"""A Monday; the sample's deadlines begin two weeks later."""
Json = dict[str, Any]


@dataclass
class World:
    """What the chapters share, and what they leave to those after them."""

    tell: Teller
    stack: Stack
    cast: dict[str, Player]
    fleet: Fleet
    platform: Wire
    product: Wire
    offices: dict[str, Office] = field(default_factory=dict)
    workbook: Path = SAMPLE / "items.xlsx"
    campaign: str = ""
    imported: int = 0
    burst: int = 0
    accepting: set[Phone] = field(default_factory=set)
    following: set[Phone] = field(default_factory=set)
    silent: dict[str, Phone] = field(default_factory=dict)
    worked: dict[str, Phone] = field(default_factory=dict)
    followed: int = 0

    @property
    def office(self) -> Office:
        """The discipline office: somebody with the role of oversight."""
        return self.offices["oversight"]

    @property
    def folder(self) -> Path:
        """Where the story keeps its files."""
        return self.stack.data_dir

    async def leave(self) -> None:
        """The offices close their browsers."""
        for office in self.offices.values():
            await office.close()

    def phone(self, number: str) -> Phone:
        """The phone of the person with this 人员编号."""
        return self.fleet[self.cast[number].phone]

    async def move_to(self, day: date, hour: int, minute: int = 0) -> None:
        """Make it that time in Shanghai, for the product and for the platform."""
        await self.move(clock.at(day, hour, minute).timestamp() - clock.now().timestamp())

    async def move(self, seconds: float) -> None:
        """Make it that much later."""
        clock.move(timedelta(seconds=seconds))
        await self.control("POST", "clock", offset_seconds=clock.offset().total_seconds())

    async def control(self, method: str, what: str, **content: Any) -> Any:
        """Ask the platform's control side: `sent`, `stats`, `faults`, `clock`."""
        if method == "GET":
            return await self.platform.ask("GET", f"/_control/{what}", params=content)
        return await self.platform.ask(method, f"/_control/{what}", json=content or None)

    async def sent(self, after: int = 0) -> list[Json]:
        """Messages that the platform took from us since number `after`, oldest first."""
        found: list[Json] = []
        while True:
            page = await self.control("GET", "sent", after=after, limit=1000)
            found += page["items"]
            if not page["next"] or not page["items"]:
                return found
            after = page["next"]

    async def rings(self, channel: str, after: int = 0, *, besides: Collection[str] = ()) -> Counter[str]:
        """How often each phone (by number, `besides` some) rang over a channel since message `after`."""
        names = {phone.openid: phone.number for phone in self.fleet.phones.values()}
        names |= {phone.service_openid: phone.number for phone in self.fleet.phones.values()}
        heard = (names[message["openid"]] for message in await self.sent(after) if message["channel"] == channel)
        return Counter(number for number in heard if number not in besides)

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run `zhuoluo …` as an operator does; its exit status and all that it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "deploy.cli", *arguments),
            cwd=CHECKOUT,
            env={**os.environ, **self.stack.environment, "COLUMNS": "200", "TERM": "dumb"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def metric(self, name: str) -> dict[str, float]:
        """A metric of the API by its labels as written (`{…}` or empty)."""
        lines = (await self.product.ask("GET", "/metrics")).decode().splitlines()
        rows = [line.rpartition(" ") for line in lines if line.startswith((f"{name}{{", f"{name} "))]
        return {labelled.removeprefix(name): float(value) for labelled, _, value in rows}

    async def reminded(self, kind: str) -> dict[str, list[Phone]]:
        """Who has an open reminder of this kind, by the item (or other subject) that it is about."""
        found: dict[str, list[Phone]] = defaultdict(list)
        phones = list(self.fleet.phones.values())
        for phone, inbox in zip(phones, await self.fleet.all(Phone.inbox), strict=True):
            for reminder in inbox:
                if reminder["kind"] == kind:
                    found[reminder["subject_id"]].append(phone)
        return found


@asynccontextmanager
async def staged(
    tell: Teller, cast: dict[str, Player], folder: Path, *, numbers: Collection[str] | None = None
) -> AsyncIterator[World]:
    """An empty installation under `folder`: services and settings, neither schema nor processes yet.

    What an earlier story left there is removed. People of `numbers` (人员编号; None: all) have phones.
    Raises local.ServiceError.
    """
    await asyncio.to_thread(local.stop, folder)
    shutil.rmtree(folder, ignore_errors=True)
    async with AsyncExitStack() as stack:
        services = stack.enter_context(await asyncio.to_thread(local.start, folder))
        ours = prepare(services, preferred=ANY_PORTS)
        clock.allow_moving(folder / "clock")
        stack.callback(clock.allow_moving, None)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        fleet = await stack.enter_async_context(
            Fleet.open(
                [cast[number].phone for number in numbers or cast], api_url=ours.api_url, wechat_url=ours.wechat_url
            )
        )
        platform, product = Wire(session, ours.wechat_url), Wire(session, ours.api_url)
        world = World(tell, ours, cast, fleet, platform, product)
        stack.push_async_callback(world.leave)
        yield world
