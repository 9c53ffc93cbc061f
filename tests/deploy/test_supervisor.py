"""The supervisor: children start in order, come back when they die, and leave in reverse order."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy import local
from deploy.local import ServiceError
from deploy.local.layout import Layout, accepts
from deploy.local.processes import is_alive, pid_of
from deploy.local.supervisor import Child, supervise

CHECKOUT = Path(__file__).parents[2]

# Appends what happens to it to a file: enough of a service to see orders and restarts.
NOTING = """
import signal, sys, time
name, notes = sys.argv[1:]
def note(word):
    with open(notes, "a") as file: file.write(f"{name} {word}\\n")
def leave(*_):
    note("ends"); sys.exit()
signal.signal(signal.SIGTERM, leave)
note("begins")
print("ready", flush=True)
while True: time.sleep(60)
"""


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.02)


def noting(name: str, folder: Path) -> Child:
    notes = folder / "notes"

    async def begun() -> bool:
        return notes.exists() and f"{name} begins" in notes.read_text()

    return Child(name, [sys.executable, "-c", NOTING, name, str(notes)], ready=begun)


@asynccontextmanager
async def supervised(*children: Child, at: Path, services: local.Services | None = None):
    ready, stop = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(supervise(children, at, services=services, on_ready=ready.set, stop=stop))
    await until(lambda: ready.is_set() or running.done())
    try:
        yield
    finally:
        stop.set()
        await running


async def test_children_start_in_order_and_stop_in_reverse(tmp_path):
    async with supervised(noting("first", tmp_path), noting("second", tmp_path), at=tmp_path):
        pass
    notes = (tmp_path / "notes").read_text().splitlines()
    assert notes == ["first begins", "second begins", "second ends", "first ends"]
    assert not is_alive(Layout(tmp_path).lock("first"))


async def test_a_killed_child_is_started_again_in_a_session_of_its_own(tmp_path):
    lock = Layout(tmp_path).lock("only")
    async with supervised(noting("only", tmp_path), at=tmp_path):
        killed = pid_of(lock)
        assert os.getsid(killed) == killed
        os.kill(killed, signal.SIGKILL)
        await until(lambda: pid_of(lock) not in (None, killed))
        await until(lambda: (tmp_path / "notes").read_text().count("begins") == 2)
    assert "ready" in (tmp_path / "log" / "only.log").read_text()


async def test_a_health_address_is_waited_for(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    async with supervised(Child("web", argv, cwd=tmp_path, ready=f"http://127.0.0.1:{port}/"), at=tmp_path):
        assert accepts(port)
    assert not accepts(port)


async def test_a_child_that_dies_at_the_start_is_reported_with_its_log_and_the_others_stopped(tmp_path):
    async def never() -> bool:
        return False

    dying: Awaitable[None] = supervise(
        [
            noting("first", tmp_path),
            Child("broken", [sys.executable, "-c", "raise SystemExit('no such port')"], ready=never),
        ],
        tmp_path,
    )
    with pytest.raises(ServiceError, match="no such port"):
        await dying
    assert (tmp_path / "notes").read_text().splitlines() == ["first begins", "first ends"]


async def test_a_child_that_ignores_the_request_to_stop_is_killed(tmp_path):
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(99)"
    )

    async def listening() -> bool:
        return "deaf" in (tmp_path / "log" / "deaf.log").read_text()

    child = Child("deaf", [sys.executable, "-c", deaf], ready=listening, stop_within=0.2)
    async with supervised(child, at=tmp_path):
        pass
    assert not is_alive(Layout(tmp_path).lock("deaf"))


async def test_a_second_supervisor_is_refused(tmp_path):
    async with supervised(noting("only", tmp_path), at=tmp_path):
        with pytest.raises(ServiceError, match="Another process holds"):
            await supervise([], tmp_path)


async def test_what_a_killed_supervisor_left_behind_is_ended_by_the_next(tmp_path):
    code = (
        "import asyncio, sys, pathlib; from deploy.local.supervisor import Child, supervise; "
        "asyncio.run(supervise([Child('only', sys.argv[2:])], pathlib.Path(sys.argv[1])))"
    )
    child = noting("only", tmp_path)
    argv = [sys.executable, "-c", code, str(tmp_path), *child.argv]
    killed = await asyncio.create_subprocess_exec(*argv, cwd=CHECKOUT)
    notes, lock = tmp_path / "notes", Layout(tmp_path).lock("only")
    await until(lambda: notes.exists() and "begins" in notes.read_text())
    killed.kill()
    await killed.wait()
    left_behind = pid_of(lock)
    assert left_behind is not None
    async with supervised(child, at=tmp_path):
        assert pid_of(lock) not in (None, left_behind)
        assert notes.read_text().splitlines()[1] == "only ends"


async def test_a_signal_ends_the_supervisor_and_its_children(tmp_path):
    child = noting("only", tmp_path)
    running = asyncio.create_task(supervise([child], tmp_path))
    await until((tmp_path / "notes").exists)
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    assert (tmp_path / "notes").read_text().splitlines() == ["only begins", "only ends"]


async def test_an_embedded_service_that_dies_is_started_again(monkeypatch):
    monkeypatch.setenv("ZHUOLUO_DATABASE_URL", "postgres://u:p@db.example:5432/z")
    home = CHECKOUT / ".local" / f"test-supervisor-{os.getpid()}"
    try:
        with local.start(home, ephemeral=True) as services:
            killed = local.status(home).valkey.pid
            async with supervised(at=home, services=services):
                os.kill(killed, signal.SIGKILL)
                await until(lambda: local.status(home).valkey.pid not in (None, killed))
    finally:
        shutil.rmtree(home)
