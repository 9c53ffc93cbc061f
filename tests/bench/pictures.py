"""Photos drawn a second: the product's own way through its pool, beside the shortest loop in as many processes.

Both decode, turn, hash, write the caption and save the same two pictures of the same photos. The loop keeps its photo
in memory, hands nothing from process to process and checks nothing: what it is faster by is the price of the bounds.
"""

import asyncio
import io
import math
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from tests.bench.figures import Figure, Figures, Goal
from tests.bench.measuring import Told
from tests.corpus.scenes import scenes
from workers import looks, pictures
from workers.pictures import METHOD, PROCESSES, QUALITY, THUMBNAIL_SIDE, VIEW_SIDE

SIZE = (4000, 3000)
CAPTION = "ZL-WT-2026-0001  2026-11-24 15:00  U0103"


async def measure_deriving(figures: Figures, told: Told, folder: Path, *, photos: int, rounds: int) -> None:
    """`photos` of 12 megapixels a round and side, in turn."""
    file = folder / "photo.jpg"
    file.write_bytes(photo())
    rates: dict[str, list[float]] = {"ours": [], "limit": []}
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as bare:
        for number in range(-1, rounds):  # the first starts the processes
            for who, drawing in (("ours", _ours(file, photos)), ("limit", _bare(bare, file, photos))):
                told(f"photos: {who}, round {number + 1}")
                begun = perf_counter()
                await drawing
                if number >= 0:
                    rates[who].append(photos / (perf_counter() - begun))
    ours, limit = median(rates["ours"]), median(rates["limit"])
    figures.add(Figure("photos drawn (12 megapixels)", ours, "/s", limit, goal=Goal(of_limit=0.9)))


def photo() -> bytes:
    """A scene as large as phones make them, with a sensor's noise, on its side."""
    scene = scenes()["china"].resize(SIZE, Image.Resampling.BICUBIC)
    noise = np.random.default_rng(1).normal(0, 4, (SIZE[1], SIZE[0], 3))
    grainy = Image.fromarray((np.asarray(scene) + noise).clip(0, 255).astype(np.uint8))
    exif, out = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    grainy.save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


async def _ours(file: Path, photos: int) -> None:
    """As workers.evidence does it: read, draw in the pool, as many at once as there are processes."""

    async def one() -> None:
        async with pictures.turn():
            original = await asyncio.to_thread(file.read_bytes)
            await pictures.draw(original, "image/jpeg", CAPTION)

    await asyncio.gather(*(one() for _ in range(photos)))


async def _bare(pool: ProcessPoolExecutor, file: Path, photos: int) -> None:
    loop = asyncio.get_running_loop()
    share = photos // PROCESSES
    await asyncio.gather(*(loop.run_in_executor(pool, draw_all, str(file), share) for _ in range(PROCESSES)))


def draw_all(file: str, photos: int) -> None:
    """The shortest way in Pillow."""
    original = Path(file).read_bytes()
    for _ in range(photos):
        draw(original)


def draw(original: bytes) -> tuple[bytes, bytes, tuple[bytes, ...]]:
    """One photo, not a statement more than must be."""
    image: Image.Image = Image.open(io.BytesIO(original))
    scale = VIEW_SIDE / max(image.size)
    image.draft("RGB", (math.ceil(image.width * scale), math.ceil(image.height * scale)))
    image = ImageOps.exif_transpose(image)
    image.thumbnail((VIEW_SIDE, VIEW_SIDE), Image.Resampling.LANCZOS)
    thumbnail = image.copy()
    thumbnail.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    seen = looks.of_picture(image)
    size = image.width // 45
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text((size, image.height - size), CAPTION, fill="white", font=font, anchor="lm")
    view, small = io.BytesIO(), io.BytesIO()
    image.save(view, "WEBP", quality=QUALITY, method=METHOD)
    thumbnail.save(small, "WEBP", quality=QUALITY, method=METHOD)
    return view.getvalue(), small.getvalue(), seen
