"""An SMS provider as docs/deliveries.md says, over HTTP on this machine: checks what it gets, and fails on order."""

import asyncio
import hashlib
import hmac
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from models.base.settings import SmsSettings

KEY_ID, SECRET = "zhuoluo", "an sms secret of this test"


@dataclass
class Provider:
    """`sent` holds what left for a number, by key; `faults` are taken one a request: a status, or `drop_after`."""

    url: str = ""
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: deque[int | str] = field(default_factory=deque)
    requests: int = 0
    retry_after: str | None = None

    @property
    def settings(self) -> SmsSettings:
        return SmsSettings(url=self.url, key_id=KEY_ID, secret=SECRET, sign="开发区", template="ZL_SMS")  # type: ignore[arg-type]

    async def answer(self, request: web.Request) -> web.Response:
        self.requests += 1
        content = await request.read()
        if not _signed(request, content):
            return web.json_response({"error": "bad_signature"}, status=401)
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, int):
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return web.Response(status=fault, headers=headers)
        key, body = request.headers["Idempotency-Key"], await request.json()
        if self.sent.setdefault(key, body) != body:
            return web.json_response({"error": "key_reused"}, status=409)
        if fault == "drop_after":
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(1)
        return web.json_response({"id": f"sms-{list(self.sent).index(key) + 1}"})


def _signed(request: web.Request, content: bytes) -> bool:
    if request.headers.get("X-Key-Id") != KEY_ID:
        return False
    stamp, key = request.headers["X-Timestamp"], request.headers["Idempotency-Key"]
    signed = b"\n".join((stamp.encode(), key.encode(), content))
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, request.headers.get("X-Signature", ""))


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """Listening on a free port for as long as the block lasts."""
    provided = Provider()
    app = web.Application()
    app.router.add_post("/v1/messages", provided.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    provided.url = f"http://{host}:{port}/v1/messages"
    try:
        yield provided
    finally:
        await runner.cleanup()
