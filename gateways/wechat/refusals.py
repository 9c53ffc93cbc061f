"""What the platform's codes mean.

Codes and their meaning as in the platform's published documentation (design notes: `wechat.md`).
"""

from datetime import datetime, timedelta

from gateways.refusals import Refusal, RefusalKind
from models.base import clock

TOKEN_REFUSED = frozenset({40001, 40014, 42001})
"""The access token is wrong, malformed or expired: worth one more try with a fresh one."""
DAILY_QUOTA_SPENT = 45009
NOT_VISITED_LATELY = 61010

_PAUSES = {
    -1: timedelta(seconds=10),  # the platform is busy
    43108: timedelta(seconds=2),  # another send to the same openid is under way
    40001: timedelta(minutes=1),
    40014: timedelta(minutes=1),
    42001: timedelta(minutes=1),
    40013: timedelta(minutes=5),  # from here on a person must set something right first
    40125: timedelta(minutes=5),
    40164: timedelta(minutes=5),
}
_ALARMS = frozenset({40013, 40125, 40164, DAILY_QUOTA_SPENT})


def refusal_of(errcode: int, errmsg: str = "") -> Refusal:
    """The refusal that an `errcode` other than 0 means; a code that is not known is permanent."""
    retry_at = _retry_at(errcode)
    kind = RefusalKind.PERMANENT if retry_at is None else RefusalKind.RETRY_AFTER
    return Refusal(kind, errcode, errmsg, retry_at=retry_at, alarm=errcode in _ALARMS)


def _retry_at(errcode: int) -> datetime | None:
    now = clock.now()
    if errcode == 45011:  # counted by the minute
        return now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if errcode == DAILY_QUOTA_SPENT:  # counted by the day in Shanghai
        return clock.at(clock.today() + timedelta(days=1))
    pause = _PAUSES.get(errcode)
    return None if pause is None else now + pause
