"""Starting the mock platform from elsewhere (tests, the demo, benches) as a process of its own.

>>> with start(port=0, latency_ms=0) as mock:  # doctest: +SKIP
...     print(mock.url)
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]


class DidNotStart(RuntimeError):
    """The process ended, or did not listen in time; carries the end of its log."""


@dataclass(frozen=True)
class MockWechat:
    """A running mock platform."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Process id; also its session and process group."""
        return self.process.pid

    def stop(self, patience: float = 5.0) -> None:
        """Ask it to end, and end it after `patience` seconds. Stopping twice is harmless."""
        self.process.terminate()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> MockWechat:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(*, log: Path | None = None, patience: float = 30.0, port: int = 0, **options: str | int | bool) -> MockWechat:
    """Start it and wait until it listens; `options` are the fields of `Settings`, port 0 any free one.

    Blocks for at most `patience` seconds; raises DidNotStart.
    """
    with tempfile.TemporaryDirectory(prefix="wechat-mock-") as folder:
        ready = Path(folder) / "url"
        log = log or Path(folder) / "log"
        with log.open("ab") as output:
            # Sanic ends by killing its process group: it must not be ours.
            process = subprocess.Popen(  # noqa: S603
                _command(options | {"port": port, "ready_file": str(ready)}),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        mock = MockWechat("", process)
        if not _listens(process, ready, patience):
            mock.stop()
            raise DidNotStart(log.read_text("utf-8", "replace")[-4000:])
        return MockWechat(ready.read_text(), process)


def _command(options: dict[str, str | int | bool]) -> list[str]:
    named = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "miniprogram_mock.wechat", *named]


def _listens(process: subprocess.Popen[bytes], ready: Path, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
