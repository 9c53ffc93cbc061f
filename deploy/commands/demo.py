"""Everything on this machine with the sample zone, for looking around."""

import asyncio
import shlex
from contextlib import suppress
from time import monotonic

from deploy import local

# What only these commands need is imported when they run: the others should start at once.


def demo() -> None:
    """Run everything with the sample zone until Ctrl-C; what was done is kept for the next time."""
    begun = monotonic()
    from deploy.demo import run  # noqa: PLC0415

    with suppress(asyncio.CancelledError):  # asked to leave before it was ready
        asyncio.run(run(begun))


def environment() -> None:
    """Print the demo's settings as `export` lines: `eval "$(zhuoluo env)"` makes the other commands speak to it."""
    from deploy.stack import prepare  # noqa: PLC0415

    for name, value in prepare(local.start()).environment.items():
        print(f"export {name}={shlex.quote(value)}")
