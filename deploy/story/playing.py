"""Playing the chapters in order, on a stage of their own."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from deploy.story import (
    assigning,
    beginning,
    breaking,
    climbing,
    closing,
    counting,
    looking_back,
    proving,
    reaching,
)
from deploy.story.cast import read_cast
from deploy.story.scale import Scale, corner
from deploy.story.telling import Broken, Teller
from deploy.story.world import SAMPLE, World, staged
from miniprogram_mock.phones import Problem

CHAPTERS: tuple[Callable[[World], Awaitable[None]], ...] = (
    beginning.roster,
    beginning.offices,
    assigning.assign,
    reaching.bind,
    reaching.morning,
    climbing.receive,
    climbing.climb,
    closing.work,
    closing.close,
    looking_back.look_back,
    breaking.break_down,
    proving.prove,
    counting.count,
)


async def play(console: Console, folder: Path, *, short: bool = False) -> None:
    """The whole story under `folder`, or a corner of it. Raises Broken, local.ServiceError."""
    for name in [name for name in os.environ if name.startswith("ZHUOLUO_")]:
        del os.environ[name]  # whatever installation the caller has in mind, the story plays on its own
    tell = Teller(console)
    with TemporaryDirectory() as aside:
        scale = corner(Path(aside, "items.xlsx")) if short else Scale()
        try:
            await _play(tell, folder, scale)
        except Problem as refused:
            raise Broken(tell.now, "an answer of the product", "what the story asked for", str(refused)) from refused


async def _play(tell: Teller, folder: Path, scale: Scale) -> None:
    cast = await asyncio.to_thread(read_cast, SAMPLE / "roster.xlsx")
    async with staged(tell, cast, folder, numbers=scale.numbers) as world:
        world.workbook = scale.workbook
        await beginning.migrate(world)
        async with world.stack.running():
            for chapter in CHAPTERS:
                await chapter(world)
