"""Real phones in a real browser, against the whole product in processes of its own: one corner of the sample zone.

The zone's items are issued once a run, on a Monday at nine; a test takes an owner of its own (`zone.owner()`), for what
somebody does to an item stays done. Screenshots go to `.local/shots/`.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, async_playwright
from rich.console import Console

from deploy import migrations
from deploy.stack import PHONE
from deploy.story.cast import read_cast
from deploy.story.scale import CORNER, corner
from deploy.story.telling import Teller
from deploy.story.world import SAMPLE, staged
from models.base import clock, database
from tests.e2e.phone import BrowserPhone
from tests.e2e.zone import IssuedZone

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
LARGE, SMALL = ViewportSize(width=390, height=844), ViewportSize(width=320, height=568)
CHECKOUT = Path(__file__).parents[2]
SHOTS = CHECKOUT / ".local" / "shots"
MORE = ("LC10", "LC11", "LC21")
"""Every owner there has one item; each test takes an owner of its own."""
PATIENCE_MS = 15_000
Opens = Callable[..., Awaitable[BrowserPhone]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These tests share a stack and a browser, and so an event loop."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def bare_environment() -> Iterator[None]:
    """Whatever installation the caller has in mind, these tests play on their own."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("ZHUOLUO_")}
    yield
    os.environ.update(kept)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def zone(data_dir: Path, bare_environment: None) -> AsyncIterator[IssuedZone]:
    """The product, running, with the corner's items issued. Fails where the mini-program is not built (`make app`)."""
    assert PHONE.is_dir(), "the mini-program is not built: run `make app`"
    scale = corner(data_dir / "items.xlsx", (*CORNER, *MORE))
    tell, cast = Teller(Console(quiet=True)), read_cast(SAMPLE / "roster.xlsx")
    async with staged(tell, cast, data_dir / "e2e", numbers=scale.numbers) as world:
        world.workbook = scale.workbook
        await migrations.upgrade(world.stack.services.database_url)
        await database.disconnect()
        async with world.stack.running():
            issued = IssuedZone(world)
            await issued.prepare()
            yield issued


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's chromium, which can reach this machine only."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(zone: IssuedZone, chromium: Browser) -> AsyncIterator[Opens]:
    """`await phone(number)`: a phone with that number, at the product's time; any fault on it fails the test."""
    opened: list[BrowserPhone] = []

    async def open_(number: str, viewport: ViewportSize = LARGE, **options: Any) -> BrowserPhone:
        context = await chromium.new_context(
            viewport=viewport, is_mobile=True, has_touch=True, locale="zh-CN", timezone_id="Asia/Shanghai", **options
        )
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        await page.clock.set_system_time(clock.now())
        opened.append(BrowserPhone(number, zone.world.stack.api_url, context, page, SHOTS))
        return opened[-1]

    yield open_
    for one in opened:
        await one.context.close()
    assert [fault for one in opened for fault in one.faults] == []
