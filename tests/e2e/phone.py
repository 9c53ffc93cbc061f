"""One phone: a browser of its own that plays it, and what must never happen on it."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, FilePayload, Locator, Page, Request, expect

OURS = "127.0.0.1"
HARMLESS = ("net::ERR_INTERNET_DISCONNECTED", "Failed to load resource")
"""What a browser itself says of a missing network or of a refusal, which pages then tell the person about."""


class BrowserPhone:
    """The mini-program on one person's phone. `page` is what is in front."""

    def __init__(self, number: str, origin: str, context: BrowserContext, page: Page, shots: Path) -> None:
        self.number, self.context, self.page = number, context, page
        self.faults: list[str] = []
        self._origin, self._shots = origin, shots
        context.on("request", self._guard)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.faults.append(f"error: {error.error}"))

    def _guard(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != OURS:
            self.faults.append(f"a request to a foreign host: {parts.hostname}")

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in HARMLESS):
            self.faults.append(f"console: {message.text}")

    async def open(self, page: str = "") -> None:
        """Start the mini-program, or open a page of it (`pages/reminders/inbox`) as a tapped message does."""
        await self.page.goto(f"{self._origin}/phone/?phone={self.number}" + (f"#/{page}" if page else ""))

    async def bind(self) -> None:
        """From the privacy notice to the inbox, as somebody of the roster at first use; the bound come in at once."""
        await self.open()
        await self.press("同意并登录")
        await expect(self.tab("待办").or_(self.button("授权手机号"))).to_be_visible()
        if await self.button("授权手机号").count():
            await self.press("授权手机号")
            await self.press("信息无误，进入")
            await expect(self.tab("待办")).to_be_visible()

    async def enter(self, page: str = "pages/reminders/inbox") -> None:
        """As somebody who has bound before, on a new phone; then to this page."""
        await self.open()
        await self.press("同意并登录")
        await expect(self.tab("待办")).to_be_visible()
        await self.open(page)

    def button(self, label: str) -> Locator:
        """Buttons whose spoken name holds `label`, on the page in front: H5 keeps earlier pages."""
        return self.page.locator("uni-page:visible").last.get_by_role("button", name=label)

    def text(self, words: str | re.Pattern[str], *, exact: bool = False) -> Locator:
        """Words on the page in front; `exact`: nothing but these."""
        return self.page.locator("uni-page:visible").last.get_by_text(words, exact=exact)

    def tab(self, label: str) -> Locator:
        """A tab of the bar below."""
        return self.page.locator(".uni-tabbar__item:visible").filter(has_text=label)

    async def press(self, label: str) -> None:
        """Press the first such button."""
        await self.button(label).first.click()

    async def chooses(self, label: str, *, exact: bool = False) -> None:
        """Choose the first such option."""
        await self.page.locator("uni-page:visible").last.get_by_role("radio", name=label, exact=exact).first.click()

    async def fills(self, label: str, words: str) -> None:
        """Type into the field with this spoken name."""
        field = self.page.locator("uni-page:visible").last.locator(f"[aria-label='{label}']")
        await field.locator("textarea, input").fill(words)

    async def picks(self, label: str, *files: "Path | FilePayload") -> None:
        """Press the button, and pick files in what the phone then opens."""
        async with self.page.expect_file_chooser() as opened:
            await self.press(label)
        await (await opened.value).set_files(list(files))  # type: ignore[arg-type]  # all paths, or all payloads

    async def adds_photos(self, *files: Path) -> None:
        """Choose photos from the album."""
        await self.picks("从相册选", *files)
        await expect(self.button(f"去掉照片 {len(files)}")).to_be_visible()

    async def sees(self, words: str, *, exact: bool = False) -> None:
        """Wait until the page in front shows these words; `exact`: and nothing beside them."""
        await expect(self.text(words, exact=exact).first).to_be_visible()

    async def leaves_network(self) -> None:
        """No network from now on; the browser keeps the app itself as soon as its worker is at work."""
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        await self.context.set_offline(True)

    async def slows_network(self, bytes_a_second: int) -> None:
        """What is sent from now on goes at most this fast."""
        wire = await self.context.new_cdp_session(self.page)
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second}
        await wire.send("Network.emulateNetworkConditions", slow)

    async def finds_network(self) -> None:
        """The network is back."""
        await self.context.set_offline(False)

    async def shot(self, name: str, *, whole: bool = False) -> None:
        """A screenshot for people to look at: `.local/shots/<name>.png`; `whole`: below the screen's edge too."""
        self._shots.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=self._shots / f"{name}.png", full_page=whole, **_STILL)


_STILL: dict[str, Any] = {"animations": "disabled"}
