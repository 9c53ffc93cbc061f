"""What every reply carries, and the number by which a request is found again in the logs."""

import re

import uuid_utils
from sanic import HTTPResponse, Request

SAFE = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cache-control", "no-store"),
)
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id(request: Request) -> str:
    """The client's `X-Request-ID` if it is harmless, else a fresh one."""
    known: str | None = getattr(request.ctx, "request_id", None)
    if known is None:
        given = request.headers.get("x-request-id", "")
        known = given if _ACCEPTED_ID.fullmatch(given) else str(uuid_utils.uuid4())
        request.ctx.request_id = known
    return known


def dress(request: Request, response: HTTPResponse, always: tuple[tuple[str, str], ...] = ()) -> HTTPResponse:
    """`response` with the headers every reply carries, and every one of its route; a handler's own stay."""
    headers = response.headers
    headers["x-request-id"] = request_id(request)
    for name, value in (*always, *SAFE):
        headers.setdefault(name, value)
    return response
