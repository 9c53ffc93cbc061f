"""What the other side's refusals mean: whether, and from when, the same call may be made again."""

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
    """The other side did not do, or did not say that it did, what was asked.

    `errcode` is its own, None where no answer could be read. `retry_at` (aware UTC) is set exactly for
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


def not_sent(reason: str) -> Refusal:
    """The request never left (refused connection, no route, overloaded front): safe to repeat soon."""
    return Refusal(RefusalKind.RETRY_AFTER, reason=reason, retry_at=clock.now() + timedelta(seconds=5))


def no_answer(reason: str) -> Refusal:
    """The request left, and whether it was done cannot be told."""
    return Refusal(RefusalKind.UNKNOWN, reason=reason)
