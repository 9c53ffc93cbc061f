"""Long-lived processes, each known by a lock that only the living can hold.

A process inherits an open, locked file from whoever starts it, and so do its own forks. The kernel releases
that lock when the last of them is gone, however they died: a pid file can be stale or its number reused, a
held lock cannot.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.account import Account

POLL_SECONDS = 0.02
LOG_BYTES_KEPT = 10_000_000

# Our own children must be reaped by us, or a long-lived launcher collects zombies.
_children: list[subprocess.Popen[bytes]] = []


class ServiceError(RuntimeError):
    """A service could not be started, reached or stopped; the message says what to do about it."""


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll `condition` until it holds; False if it still does not after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


@contextmanager
def exclusive(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold the lock file at `path`, waiting up to `seconds` for another process to let go of it.

    Raises ServiceError when it does not.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not wait_until(lambda: _locks(descriptor), seconds):
            raise ServiceError(f"Another process holds {path} and did not let go of it within {seconds:.0f} s.")
        yield
    finally:
        os.close(descriptor)


def _locks(descriptor: int, kind: int = fcntl.LOCK_EX) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_alive(lock: Path) -> bool:
    """Whether a process spawned with `lock`, or any of its forks, is still there."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who look at once do not take each other for the process.
        return not _locks(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def pid_of(lock: Path) -> int | None:
    """The process that was spawned with `lock`, if it is alive."""
    return int(lock.read_text() or 0) or None if is_alive(lock) else None


@contextmanager
def claimed(lock: Path) -> Iterator[int]:
    """An open file that holds `lock`, to be inherited by the process that shall live under it.

    Raises ServiceError if a living process holds it.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Somebody who only looks lets go at once.
        if not wait_until(lambda: _locks(descriptor), 1):
            raise ServiceError(f"A process that is already running holds {lock}.")
        yield descriptor
    finally:
        os.close(descriptor)


def record(descriptor: int, pid: int) -> None:
    """Write into a claimed lock who lives under it."""
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, str(pid).encode(), 0)


def spawn(
    argv: Sequence[str], *, lock: Path, log: Path, account: Account, env: Mapping[str, str], cwd: Path | str = "/"
) -> None:
    """Start `argv` in its own session as `account`, holding `lock` and writing to `log`.

    Raises ServiceError if `lock` is held or the program cannot be executed.
    """
    _reap()
    with claimed(lock) as descriptor, opened_log(log) as output:
        try:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=cwd,
                env=dict(env),
                pass_fds=[descriptor],
                start_new_session=True,
                **account.popen(),
            )
        except OSError as refused:
            raise ServiceError(f"{argv[0]} could not be executed: {refused}.") from refused
        _children.append(child)
        record(descriptor, child.pid)


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


@contextmanager
def opened_log(path: Path) -> Iterator[int]:
    """Append to the log, keeping one earlier file when it has grown past LOG_BYTES_KEPT."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES_KEPT:
        path.replace(path.with_suffix(".log.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def log_tail(path: Path, *, lines: int = 8) -> str:
    """The last lines of a log, to be shown with an error."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 4096))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


def terminate(lock: Path, *, signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Ask the holder of `lock` to leave, with each signal in turn, waiting the seconds that go with it.

    Raises ServiceError if it outlives them all.
    """
    for number, seconds in signals:
        pid = pid_of(lock)
        if pid is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if wait_until(lambda: not is_alive(lock), seconds):
            _reap()
            return
    raise ServiceError(f"The process holding {lock} does not end.")
