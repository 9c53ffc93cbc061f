"""The one source of time. Aware UTC inside, Asia/Shanghai at the edges.

Only demo and tests may move it, through a file that every process of the machine reads: a clock that is moved in
one process is moved in all. In production no such file is read.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class _Moved:
    """The offset that a file holds, re-read only when the file's modification time changes."""

    def __init__(self) -> None:
        self.file: Path | None = None
        self._seen: int | None = None
        self._offset = timedelta()

    def offset(self) -> timedelta:
        if self.file is None:
            return timedelta()
        try:
            stamp = self.file.stat().st_mtime_ns
        except FileNotFoundError:
            return timedelta()
        if stamp != self._seen:
            self._offset = timedelta(seconds=float(self.file.read_text() or 0))
            self._seen = stamp
        return self._offset


_moved = _Moved()


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC) + _moved.offset()


def today() -> date:
    """The day it is in Shanghai, where every deadline is counted."""
    return now().astimezone(SHANGHAI).date()


def local(instant: datetime) -> datetime:
    """The same instant as a wall clock in Shanghai shows it."""
    return instant.astimezone(SHANGHAI)


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """The instant (UTC) at which a wall clock in Shanghai shows `hour:minute` on `day`."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI).astimezone(UTC)


def allow_moving(file: Path | None) -> None:
    """Let `file` move the clock (demo and tests), or with None keep to the machine's own (production)."""
    _moved.file = file


def offset() -> timedelta:
    """How far the clock has been moved; zero in production."""
    return _moved.offset()


def move(by: timedelta) -> None:
    """Move the clock further by `by`, for every process that reads the same file.

    Raises RuntimeError where moving was not allowed.
    """
    if _moved.file is None:
        raise RuntimeError("the clock may be moved in demo and tests only")
    moved_to = _moved.offset() + by
    fresh = _moved.file.with_suffix(".new")
    fresh.write_text(str(moved_to.total_seconds()))
    fresh.replace(_moved.file)  # atomic: no reader sees half a number
