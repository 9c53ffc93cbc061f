"""What a phone's write brings along without saying anything by it."""

from contextlib import suppress
from datetime import datetime

from sanic import Request

from models.base import clock

HEADER = "phone-time"
MOST_SKEW = 10 * 366 * 86_400
"""Seconds: a phone whose clock was never set begins in 1970."""


def clock_skew(request: Request) -> int | None:
    """By how many seconds the phone's clock is ahead, by its `Phone-Time` (ISO 8601) at sending; None where unsaid."""
    with suppress(ValueError, TypeError, OverflowError):
        theirs = datetime.fromisoformat(request.headers.get(HEADER, ""))
        skew = (theirs - (clock.now() - clock.offset())).total_seconds()  # a demo moves ours, never a phone's
        return round(max(-MOST_SKEW, min(MOST_SKEW, skew)))
    return None
