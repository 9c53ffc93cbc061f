"""SMS over whichever provider the zone's operator has a contract with, in one documented form (docs/deliveries.md).

A provider with another form of its own gets a small relay in front of it, or another class with this `send`.
"""

import hashlib
import hmac
from datetime import timedelta
from typing import Protocol

import orjson
import structlog

from gateways.exchange import Exchange, Reply, readable, refuse_status
from gateways.pace import UNHURRIED, Pace
from gateways.refusals import Refusal, RefusalKind
from models.base import clock
from models.base.settings import SmsSettings

log = structlog.get_logger()

PAUSE = timedelta(seconds=30)
LONGEST_PAUSE_SECONDS = 24 * 3600
SET_RIGHT = timedelta(minutes=5)
REFUSES_US = frozenset({401, 402, 403})
"""Wrong key, no money left, not from this address: nothing was sent, and a person must set something right first."""


class Sms(Protocol):
    """Sends one text to a mainland number."""

    async def send(self, phone: str, params: dict[str, str], key: str) -> str:
        """One message from the provider's template; its id. A repeat under the same key within a day sends once.

        Raises Refusal.
        """

    async def close(self) -> None:
        """Let go of the connections."""


class HttpSms:
    """The provider at one address: a signed JSON POST for each message."""

    def __init__(self, settings: SmsSettings, messages_per_second: float = UNHURRIED) -> None:
        self._settings = settings
        self._exchange, self._pace = Exchange(settings.url), Pace(messages_per_second)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._exchange.close()

    async def send(self, phone: str, params: dict[str, str], key: str) -> str:
        """As `Sms.send`."""
        body = {"phone": phone, "sign": self._settings.sign, "template": self._settings.template, "params": params}
        content = orjson.dumps(body)
        await self._pace.turn()
        reply = await self._exchange.ask("POST", "", content=content, headers=self._headers(content, key))
        try:
            return _read(reply)
        except Refusal as refusal:
            tell = log.error if refusal.alarm else log.info
            tell("sms.refused", kind=refusal.kind, status=reply.status, reason=refusal.reason)
            raise

    def _headers(self, content: bytes, key: str) -> dict[str, str]:
        stamp = str(int(clock.now().timestamp()))
        signed = b"\n".join((stamp.encode(), key.encode(), content))
        signature = hmac.new(self._settings.secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest()
        return {
            "X-Key-Id": self._settings.key_id,
            "X-Timestamp": stamp,
            "X-Signature": signature,
            "Idempotency-Key": key,
        }


def _read(reply: Reply) -> str:
    """The message's id. Raises Refusal; its `errcode` is the HTTP status."""
    if reply.status in REFUSES_US:
        raise Refusal(RefusalKind.RETRY_AFTER, reply.status, "refuses us", retry_at=clock.now() + SET_RIGHT, alarm=True)
    if reply.status in (429, 503):
        raise Refusal(RefusalKind.RETRY_AFTER, reply.status, "busy", retry_at=clock.now() + _asked_to_wait(reply))
    refuse_status(reply.status)
    with readable():
        return str(orjson.loads(reply.content)["id"])


def _asked_to_wait(reply: Reply) -> timedelta:
    """`Retry-After` in seconds, within a day."""
    asked = reply.headers.get("retry-after", "")
    if not (asked.isascii() and asked.isdigit()):
        return PAUSE
    return timedelta(seconds=min(int(asked[:6]), LONGEST_PAUSE_SECONDS))
