"""The measured servers, each one process with one worker on a port of its own, and asking them."""

import asyncio
import json
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.bench.asking import ASKS
from tests.bench.load import Outcome, Run

CHECKOUT = Path(__file__).parents[2]
PROGRAMS = {"ours": "api", "limit": "tests.bench.limit", "peer": "tests.bench.peer", "disk": "tests.bench.disk"}
READY_SECONDS = 120.0
PATIENCE_SECONDS = 60.0


class BenchError(RuntimeError):
    """A figure that cannot be taken: a server does not start or answers wrongly."""


@dataclass(frozen=True)
class Server:
    """A running server; `tokens` is the file that the load signs in with."""

    name: str
    port: int
    process: Process
    tokens: Path

    async def sample(self, ask: str, number: int) -> tuple[int, Any]:
        """One right reply: its length and what it says. Raises BenchError."""
        tokens = json.loads(self.tokens.read_text())
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(ASKS[ask](number, tokens))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        writer.close()
        if head[9:12] != b"200":
            raise BenchError(f"{self.name} answers {ask} with {head[9:12].decode()}: {body[:300].decode()}")
        return length, json.loads(body)

    async def asked(self, run: Run) -> Outcome:
        """The load's outcome. Raises BenchError where any reply was wrong."""
        command = (sys.executable, "-m", "tests.bench.load")
        load = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=CHECKOUT)
        try:
            async with asyncio.timeout(run.warm + run.seconds + PATIENCE_SECONDS):
                said, _ = await load.communicate(json.dumps(asdict(run)).encode())
        finally:
            if load.returncode is None:
                load.kill()
        outcome = Outcome(**json.loads(said)) if said else None
        if outcome is None or outcome.wrong or not outcome.replies:
            raise BenchError(f"{self.name} answered {run.ask} wrongly: {outcome and outcome.wrong}")
        return outcome

    def resident_now(self) -> float:
        """As `memory`, without a process for asking: for whoever asks often."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    async def memory(self) -> float:
        """Resident memory now, in MB (10⁶ bytes)."""
        return await resident(self.process)


async def resident(process: Process) -> float:
    """Its resident memory now, in MB (10⁶ bytes)."""
    ps = await asyncio.create_subprocess_exec("ps", "-o", "rss=", "-p", str(process.pid), stdout=PIPE)
    said, _ = await ps.communicate()
    return int(said) * 1024 / 1e6


@asynccontextmanager
async def serving(name: str, environment: Mapping[str, str], tokens: Path, log: Path) -> AsyncIterator[Server]:
    """One of `PROGRAMS`, ready, for as long as the block lasts. Raises BenchError."""
    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", PROGRAMS[name], "--port", str(port)),
            env={**os.environ, **environment},
            cwd=CHECKOUT,
            stdout=output,
            stderr=output,
        )
    try:
        await _ready(name, process, port, log)
        yield Server(name, port, process, tokens)
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()


async def _ready(name: str, process: Process, port: int, log: Path) -> None:
    """Polls until the port answers."""
    loop = asyncio.get_running_loop()
    until = loop.time() + READY_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if process.returncode is not None or loop.time() > until:
                raise BenchError(f"{name} does not start, see {log}") from None
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
