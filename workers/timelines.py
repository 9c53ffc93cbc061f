"""Drawing an item's file as a PDF for people to read: what was asked, what happened, what shows it.

Typst sets it, in a thread, from data alone: no word of anybody's becomes a command. The font lies in the document
(PDF/A-2), so that it reads the same on any machine in twenty years.
"""

import asyncio
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pylopdf_fonts_zh_cn
import typst

from models.base import clock

TEMPLATE = Path(__file__).with_suffix(".typ")


async def draw(facts: dict[str, Any]) -> bytes:
    """The PDF of what models.packs.dossier read of an item."""
    return await asyncio.to_thread(_drawn, orjson.dumps(facts, default=str).decode())


def _drawn(facts: str) -> bytes:
    pdf = typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"facts": facts},
        format="pdf",
        timestamp=clock.now().replace(microsecond=0),
        pdf_standards="a-2b",
    )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _fonts() -> typst.Fonts:
    folder = pylopdf_fonts_zh_cn.sans_path().parent
    return typst.Fonts(include_system_fonts=False, font_paths=[folder])
