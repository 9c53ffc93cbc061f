"""Posters of site codes as one PDF, a page of A4 each: what the code is for, in plain words, and nobody's name."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import orjson
import typst
from pylopdf_fonts_zh_cn import sans_path

from models.lookbacks.sites import Sign

TEMPLATE = Path(__file__).with_name("posters.typ")


async def posters(signs: Sequence[Sign], pictures: Callable[[str], AsyncIterator[bytes]]) -> bytes:
    """The PDF; `pictures(key)` gives a code's picture (JPEG or PNG) in chunks. Set in a thread: it takes its time."""
    with tempfile.TemporaryDirectory() as folder:
        for number, sign in enumerate(signs):
            picture = b"".join([chunk async for chunk in pictures(sign.picture_key)])
            await asyncio.to_thread(Path(folder, str(number)).write_bytes, picture)
        return await asyncio.to_thread(_set, signs, folder)


def _set(signs: Sequence[Sign], folder: str) -> bytes:
    lines = [{"site": sign.site, "unit": sign.unit, "picture": f"/{number}"} for number, sign in enumerate(signs)]
    said = {"signs": orjson.dumps(lines).decode()}
    fonts, words = [sans_path().parent], TEMPLATE.read_bytes()
    made: bytes = typst.compile(  # type: ignore[misc]  # its stubs cannot tell bytes from a path
        words, root=folder, font_paths=fonts, ignore_system_fonts=True, sys_inputs=said
    )
    return made
