"""Event pushes to the backend's callback address: sealed, signed, given five seconds, tried four times in all."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
import orjson

from .clock import Clock
from .crypto import Envelope, signature
from .events import Event, spell
from .faults import Faults
from .settings import Settings

TRIES = 4
"""One and three retries."""
MOST_WAITING = 50_000
MOST_DELAYED = 10_000


@dataclass(slots=True)
class Push:
    """One event on its way; `status` is the last HTTP status, or why there was none."""

    account: str
    event: Event
    form: str
    at: float
    attempts: int = 0
    delivered: bool = False
    status: str = ""

    def described(self) -> dict[str, Any]:
        """What the control API shows: the event's name, never its whole body."""
        shown = {key: value for key, value in asdict(self).items() if key not in ("event", "form")}
        return shown | {"event": self.event.get("Event", ""), "openid": self.event.get("FromUserName", "")}


class Pusher:
    """A bounded queue and a few carriers. Events beyond the bound are dropped and counted."""

    def __init__(self, settings: Settings, clock: Clock, faults: Faults) -> None:
        self._settings, self._clock, self._faults = settings, clock, faults
        self.urls = {"mini": settings.callback_url, "service": settings.service_callback_url}
        self.form = settings.push_format
        self._appids = {"mini": settings.appid, "service": settings.service_appid}
        self._original_ids = {"mini": settings.original_id, "service": settings.service_original_id}
        self._envelopes = {a: Envelope(settings.encoding_aes_key, appid) for a, appid in self._appids.items()}
        self._queue: asyncio.Queue[Push] = asyncio.Queue(MOST_WAITING)
        self._carriers: list[asyncio.Task[None]] = []
        self._unfinished = 0
        self._stamped = 0
        self.counts = {"delivered": 0, "failed": 0, "attempts": 0, "dropped": 0}
        self.log: deque[Push] = deque(maxlen=10_000)

    async def open(self) -> None:
        """Start the carriers; call once, inside the running loop."""
        timeout = aiohttp.ClientTimeout(total=self._settings.push_timeout_ms / 1000)
        self._session = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        self._carriers = [asyncio.create_task(self._carry()) for _ in range(self._settings.push_concurrency)]

    async def close(self) -> None:
        """Stop at once; what waits is lost, as nobody would be there to retry it."""
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        await self._session.close()

    @property
    def pending(self) -> int:
        """Events neither delivered nor given up yet."""
        return self._unfinished

    def url(self, account: str) -> str:
        """Where the account's events go; empty when nowhere."""
        return self.urls[account] or self.urls["mini"]

    def offer(self, account: str, event: Event, form: str = "", delay: float = 0.0) -> None:
        """Queue an event of `mini` or `service`, after `delay` seconds; nothing happens without a callback URL."""
        if not self.url(account):
            return
        if self._unfinished >= (MOST_DELAYED if delay else MOST_WAITING):
            self.counts["dropped"] += 1
            return
        push = Push(account, self._stamp(account, event), form or self.form, self._clock.now())
        self._unfinished += 1
        if delay:
            asyncio.get_running_loop().call_later(delay, self._queue.put_nowait, push)
        else:
            self._queue.put_nowait(push)

    async def verify(self, account: str) -> tuple[bool, int]:
        """The handshake made when an address is entered: whether the echo came back, and the HTTP status."""
        echo = secrets.token_hex(8)
        params = self._signed() | {"echostr": echo}
        async with self._session.get(self.url(account), params=params) as response:
            return (await response.text()).strip() == echo, response.status

    def _stamp(self, account: str, event: Event) -> Event:
        self._stamped += 1
        at = int(self._clock.now())
        # The platform spells the time both ways, so both come in turn.
        spelled = at if self._stamped % 2 else str(at)
        return {"ToUserName": self._original_ids[account], "CreateTime": spelled} | event

    async def _carry(self) -> None:
        while True:
            push = await self._queue.get()
            try:
                await self._deliver(push)
            finally:
                self._unfinished -= 1
                self.log.append(push)

    async def _deliver(self, push: Push) -> None:
        fault = self._faults.pick(f"push:{push.event.get('Event', '')}") if self._faults else None
        if fault and fault.kind == "lose":
            push.status = "lost"
            return
        if fault and fault.kind == "latency":
            await asyncio.sleep(fault.options["ms"] / 1000)
        await self._try_until_taken(push)
        if fault and fault.kind == "duplicate":
            await self._attempt(push)

    async def _try_until_taken(self, push: Push) -> None:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(self._settings.push_retry_ms / 1000)
            if await self._attempt(push):
                push.delivered = True
                self.counts["delivered"] += 1
                return
        self.counts["failed"] += 1

    async def _attempt(self, push: Push) -> bool:
        push.attempts += 1
        self.counts["attempts"] += 1
        params, body, kind = self._sealed(push)
        try:
            async with self._session.post(
                self.url(push.account), params=params, data=body, headers={"content-type": kind}
            ) as response:
                push.status = str(response.status)
                answer = await response.content.read(64)
                return response.status == 200 and answer.strip() == b"success"
        except (aiohttp.ClientError, TimeoutError, ValueError) as unreachable:
            push.status = type(unreachable).__name__
            return False

    def _signed(self, *sealed: str) -> dict[str, str]:
        timestamp, nonce = str(int(self._clock.now())), str(secrets.randbelow(10**10))
        params = {"timestamp": timestamp, "nonce": nonce, "signature": ""}
        params["signature"] = signature(self._settings.token, timestamp, nonce)
        if sealed:
            params["msg_signature"] = signature(self._settings.token, timestamp, nonce, *sealed)
        return params

    def _sealed(self, push: Push) -> tuple[dict[str, str], bytes, str]:
        sealed = self._envelopes[push.account].seal(spell(push.event, push.form))
        params = self._signed(sealed) | {
            "openid": str(push.event.get("FromUserName", "")),
            "encrypt_type": "aes",
        }
        outer = {"ToUserName": push.event["ToUserName"], "Encrypt": sealed}
        if push.form == "xml":
            return params, spell(outer, "xml"), "text/xml"
        return params, orjson.dumps(outer), "application/json"
