"""Processes that send: the product's own workers, the bare loop, the peers' workers."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from tests.bench.recipients import Recipients
from tests.bench.senders import ACCOUNT
from tests.bench.serving import CHECKOUT, READY_SECONDS, BenchError, free_port, resident

HAS_LOOKED = 'zhuoluo_job_seconds_count{job="deliveries.push"}'
"""A worker that counts this has caught up and waits for something to send."""


@asynccontextmanager
async def running(command: tuple[str, ...], environment: Mapping[str, str], log: Path) -> AsyncIterator[Process]:
    """`python -m …command` in a group of its own until the block ends."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *command),
            env={**os.environ, **environment},
            cwd=CHECKOUT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def done(command: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
    """`python -m …command` to its end. Raises BenchError."""
    async with running(command, environment, log) as process:
        if await process.wait():
            raise BenchError(f"{command[0]} failed, see {log}")


@asynccontextmanager
async def workers(
    count: int, recipients: Recipients, settings: Mapping[str, str], folder: Path
) -> AsyncIterator[list[Process]]:
    """So many of the product's workers, caught up and idle."""
    ours = {
        **settings,
        "ZHUOLUO_DATABASE_URL": recipients.url,
        "ZHUOLUO_WECHAT_ORIGIN": recipients.platform,
        "ZHUOLUO_WECHAT_APPID": ACCOUNT["appid"],
        "ZHUOLUO_WECHAT_SECRET": ACCOUNT["secret"],
    }
    async with AsyncExitStack() as stack:
        ports = [free_port() for _ in range(count)]
        crew = [
            await stack.enter_async_context(
                running(("workers",), {**ours, "ZHUOLUO_METRICS_PORT": str(port)}, folder / f"worker-{number}.log")
            )
            for number, port in enumerate(ports)
        ]
        async with asyncio.timeout(READY_SECONDS):
            for port in ports:
                while not await _has_looked(recipients.http, port):
                    await asyncio.sleep(0.1)
        yield crew


async def _has_looked(http: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/metrics") as response:
            return HAS_LOOKED in await response.text()
    except aiohttp.ClientError:
        return False


async def heaviest(crew: list[Process]) -> float:
    """The resident memory of the largest, in MB (10⁶ bytes)."""
    return max([await resident(process) for process in crew])
