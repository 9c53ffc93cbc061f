"""What the platform's refusals mean: whether, and from when, the same call may be made again.

Codes and their meaning as in the platform's published documentation (design notes: `wechat.md`).
"""

from datetime import datetime, timedelta
from enum import StrEnum

from models.base import clock


class RefusalKind(StrEnum):
    """`permanent`: the same call will never pass. `retry_after`: nothing was done, repeat it at `retry_at`.

    `unknown`: the call left and no answer came; it may have been done, so only an idempotent call may be repeated.
    """

    PERMANENT = "permanent"
    RETRY_AFTER = "retry_after"
    UNKNOWN = "unknown"


class Refusal(Exception):
    """The platform did not do, or did not say that it did, what was asked.

    `errcode` is the platform's own, None where no answer could be read. `retry_at` (aware UTC) is set exactly for
    `retry_after`. `alarm` is true where a person of the office has to act (allow-list, secret, quota of the day).
    The text carries neither openid, token nor content.
    """

    def __init__(
        self,
        kind: RefusalKind,
        errcode: int | None = None,
        reason: str = "",
        *,
        retry_at: datetime | None = None,
        alarm: bool = False,
    ) -> None:
        super().__init__(f"{kind}: {errcode if errcode is not None else 'no answer'} {reason[:200]}".rstrip())
        self.kind, self.errcode, self.reason, self.retry_at, self.alarm = kind, errcode, reason[:200], retry_at, alarm

    @property
    def retry_seconds(self) -> float | None:
        """Seconds from now until `retry_at`, never negative."""
        return None if self.retry_at is None else max(0.0, (self.retry_at - clock.now()).total_seconds())


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


def not_sent(reason: str) -> Refusal:
    """The request never left (refused connection, no route, overloaded front): safe to repeat soon."""
    return Refusal(RefusalKind.RETRY_AFTER, reason=reason, retry_at=clock.now() + timedelta(seconds=5))


def no_answer(reason: str) -> Refusal:
    """The request left, and whether it was done cannot be told."""
    return Refusal(RefusalKind.UNKNOWN, reason=reason)


def _retry_at(errcode: int) -> datetime | None:
    now = clock.now()
    if errcode == 45011:  # counted by the minute
        return now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    if errcode == DAILY_QUOTA_SPENT:  # counted by the day in Shanghai
        return clock.at(clock.today() + timedelta(days=1))
    pause = _PAUSES.get(errcode)
    return None if pause is None else now + pause
