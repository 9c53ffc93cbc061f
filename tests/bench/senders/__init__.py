"""Others who send the same messages to the same platform: a bare loop (the limit), and queues with a job a message.

Each is one process that reads `Order` from its standard input and sends; who measures counts at the platform.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import orjson

SUBSCRIBE = "/cgi-bin/message/subscribe/send"


@dataclass(frozen=True)
class Order:
    """What to send where: to each of `openids` in `file` (a JSON list), `at_once` at a time, by way of `redis_url`."""

    origin: str
    appid: str
    secret: str
    template: str
    file: str
    at_once: int
    redis_url: str = ""

    def openids(self) -> list[str]:
        """To whom."""
        return list(orjson.loads(Path(self.file).read_bytes()))

    def message(self, openid: str) -> bytes:
        """As the product sends it."""
        return orjson.dumps(
            {
                "touser": openid,
                "template_id": self.template,
                "page": f"pages/reminders/inbox?r={openid}",
                "miniprogram_state": "formal",
                "lang": "zh_CN",
                "data": {"thing1": {"value": "您有1项待办，请进入小程序查看"}},
            }
        )


def ordered() -> Order:
    """Read from the standard input."""
    return Order(**orjson.loads(sys.stdin.buffer.read()))
