"""What WeChat pushes to us: verified, decrypted and in one form, whether it was spelt as JSON or as XML."""

import binascii
import hashlib
import hmac
import struct
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from xml.parsers.expat import ExpatError

import orjson
import xmltodict
from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException

from models.base import clock

FRESH = timedelta(minutes=5)
MOST_BYTES = 256 * 1024


class Forged(Exception):
    """The push is not the platform's, not for this account, stale, or not readable. The text says why, never what."""


class Receiver:
    """Reads the pushes of one account, in plain or secure mode.

    With an `aes_key` only encrypted pushes are taken: a plain one is signed over its time and nonce alone, so
    whoever saw one such request could send any body with it.
    """

    def __init__(self, token: str, aes_key: str, appid: str) -> None:
        self._token, self._appid = token, appid
        self._crypto = PrpCrypto(WeChatCrypto(token, aes_key, appid).key) if aes_key else None

    def echo(self, query: Mapping[str, str]) -> str:
        """The answer to the handshake made when the address is entered. Raises Forged."""
        self._check(query, "signature")
        return query.get("echostr", "")

    def read(self, query: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """The event: names as pushed, `CreateTime` an int, `List` always a list. Raises Forged."""
        if len(body) > MOST_BYTES:
            raise Forged("body too large")
        outer = _parse(body)
        if self._crypto is None:
            self._check(query, "signature")
            return _kept(_normal(outer))
        sealed = outer.get("Encrypt")
        if not isinstance(sealed, str):
            raise Forged("not encrypted")
        self._check(query, "msg_signature", sealed)
        return _kept(_normal(_parse(self._opened(sealed))))

    def _check(self, query: Mapping[str, str], name: str, *sealed: str) -> None:
        """Signature first: nobody may learn the clock's tolerance without the token."""
        stamp = query.get("timestamp", "")
        signed = "".join(sorted([self._token, stamp, query.get("nonce", ""), *sealed]))
        expected = hashlib.sha1(signed.encode(), usedforsecurity=False).hexdigest()  # the platform's own scheme
        if not hmac.compare_digest(expected.encode(), query.get(name, "").encode()):
            raise Forged("signature does not match")
        if (
            not stamp.isascii()
            or not stamp.isdigit()
            or abs(clock.now().timestamp() - int(stamp)) > FRESH.total_seconds()
        ):
            raise Forged("timestamp is stale")

    def _opened(self, sealed: str) -> bytes:
        assert self._crypto is not None
        try:
            return self._crypto.decrypt(sealed, self._appid).encode()
        except InvalidAppIdException:
            raise Forged("for another account") from None
        except (ValueError, IndexError, binascii.Error, struct.error) as broken:  # padding, length, base64, UTF-8
            raise Forged(f"cannot be decrypted: {type(broken).__name__}") from None


def _parse(content: bytes) -> dict[str, Any]:
    try:
        if content.lstrip()[:1] == b"<":
            parsed = xmltodict.parse(content, disable_entities=True)["xml"]
        else:
            parsed = orjson.loads(content)
    except (ValueError, KeyError, ExpatError) as broken:
        raise Forged(f"cannot be read: {type(broken).__name__}") from None
    if not isinstance(parsed, dict):
        raise Forged("not an object")
    return parsed


def _normal(event: dict[str, Any]) -> dict[str, Any]:
    """XML wraps subscribe events' `List` in an element named after the event; single rows come bare."""
    for name in [key for key in event if key.startswith("SubscribeMsg")]:
        inner = event.pop(name) or {}
        if not isinstance(inner, dict):
            raise Forged("event is not an object")
        event |= inner
    if "List" in event and not isinstance(event["List"], list):
        event["List"] = [event["List"]]
    if "CreateTime" in event:
        try:
            event["CreateTime"] = int(event["CreateTime"])
        except (TypeError, ValueError):
            raise Forged("CreateTime is not a number") from None
    return event


def _kept(event: dict[str, Any]) -> dict[str, Any]:
    """The event, if it can be stored: jsonb holds no NUL, and JSON is written neither endlessly deep nor large."""
    try:
        written = orjson.dumps(event)
    except TypeError as odd:
        raise Forged(f"cannot be kept: {odd}") from None
    if b"\\u0000" in written:
        raise Forged("cannot be kept: holds NUL")
    return event
