"""The platform's refusals: an errcode and an errmsg that ends with a request id, always under HTTP 200."""

from __future__ import annotations

import secrets

MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40013: "invalid appid",
    40014: "invalid access_token",
    40029: "invalid code",
    40037: "invalid template_id",
    40008: "invalid message type",
    40056: "invalid agentid",
    40097: "invalid args",
    40125: "invalid appsecret",
    40129: "invalid scene",
    40164: "invalid ip, not in whitelist",
    40165: "invalid weapp pagepath",
    40226: "code blocked",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41030: "invalid page",
    42001: "access_token expired",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    43107: "subscribe message capacity is banned",
    43108: "concurrent send to the same user",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45168: "hit sensitive word",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    61010: "code is expired",
    81013: "user & party & tag all invalid",
    85401: "link expire time limit must be between 1 and 30 days",
}


class Refusal(Exception):
    """The platform's definite no.

    >>> Refusal(43101).answer()["errcode"]
    43101
    """

    def __init__(self, errcode: int, errmsg: str | None = None) -> None:
        self.errcode = errcode
        self.errmsg = errmsg or MESSAGES.get(errcode, "error")
        super().__init__(f"{errcode} {self.errmsg}")

    def answer(self) -> dict[str, object]:
        """The JSON body that the caller gets."""
        return {"errcode": self.errcode, "errmsg": f"{self.errmsg} rid: {request_id()}"}


def request_id() -> str:
    """An id in the shape the platform uses, such as `64f0c1a2-0b1c2d3e-4f5a6b7c`."""
    text = secrets.token_hex(12)
    return f"{text[:8]}-{text[8:16]}-{text[16:]}"
