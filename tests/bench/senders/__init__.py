"""What the fan-out is compared with: a bare loop, and two queues with one job a message.

All send the product's own request to the same platform, each over one aiohttp session, and nothing else: they ask no
consent, keep to no budget, write no outcome. Each finds in its environment where (`BENCH_ORIGIN`), to whom
(`BENCH_OPENIDS`, a file) and through which Redis (`BENCH_REDIS`).
"""

import json
import os
from pathlib import Path
from uuid import uuid4

import aiohttp
import orjson

from models.base.settings import WeChatSettings
from workers.channels import PAGE, TEXT
from workers.deliveries import AT_ONCE

ACCOUNT = {"appid": "wx5a1e0000000000aa", "secret": "demo-mini-secret"}
TEMPLATE = WeChatSettings().subscribe_template


def openids(first: int, count: int) -> list[str]:
    """So many recipients from a number on."""
    known: list[str] = json.loads(Path(os.environ["BENCH_OPENIDS"]).read_text())
    return known[first : first + count]


class Sender:
    """One session, one access token."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self._url = session, url

    @classmethod
    async def open(cls) -> "Sender":
        """Within the running loop."""
        origin, asked = os.environ["BENCH_ORIGIN"], {**ACCOUNT, "grant_type": "client_credential"}
        session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=AT_ONCE)
        )
        async with session.post(f"{origin}/cgi-bin/stable_token", json=asked) as response:
            token = orjson.loads(await response.read())["access_token"]
        return cls(session, f"{origin}/cgi-bin/message/subscribe/send?access_token={token}")

    async def send(self, openid: str) -> None:
        """One message. Raises RuntimeError where the platform does not take it."""
        message = {
            "touser": openid,
            "template_id": TEMPLATE,
            "page": PAGE.format(reference=uuid4().hex),
            "miniprogram_state": "formal",
            "lang": "zh_CN",
            "data": {"thing1": {"value": TEXT.format(count=1)}},
        }
        headers = {"content-type": "application/json"}
        async with self.session.post(self._url, data=orjson.dumps(message), headers=headers) as response:
            answer = orjson.loads(await response.read())
        if answer["errcode"]:
            raise RuntimeError(str(answer))
