"""Drawing a photo's view and thumbnail, in processes that may take so much time and memory and no more."""

import asyncio
import io
import math
import multiprocessing
import resource
from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

from pebble import ProcessPool
from PIL import Image, ImageDraw, ImageFont, ImageOps

from workers import looks

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 64_000_000
VIEW_SIDE, THUMBNAIL_SIDE = 1600, 320
QUALITY, METHOD = 80, 2  # measured: method 2 draws 9.0 pictures a second where 4 draws 6.5 to 7.8
SECONDS = 20
BYTES = 1024**3
PROCESSES = 2


class Undrawable(Exception):
    """The original cannot be drawn; the text says why."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Both as WebP: upright, without EXIF; the view carries the caption. `looks` were taken before it was written."""

    view: bytes
    thumbnail: bytes
    looks: tuple[bytes, ...]


async def draw(original: bytes, caption: str, seconds: float = SECONDS) -> Pictures:
    """Draw in another process, which is ended when it takes longer than `seconds`.

    Raises Undrawable for what is no picture or too large; TimeoutError, MemoryError or pebble.ProcessExpired where
    it took too much, which may be the moment's fault.
    """
    return await asyncio.wrap_future(_pool().schedule(drawn, args=(original, caption), timeout=seconds))


def turn() -> asyncio.Semaphore:
    """Entered around `draw`: whoever waits here has not begun, so no attempt of theirs counts."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(PROCESSES))


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@cache
def _pool() -> ProcessPool:
    # spawned: a fork would take along the loop, its sockets and locks
    context = multiprocessing.get_context("spawn")
    return ProcessPool(max_workers=PROCESSES, max_tasks=200, initializer=_bounded, context=context)


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def drawn(original: bytes, caption: str) -> Pictures:
    """Both pictures of the bytes of a photo. Raises Undrawable."""
    try:
        upright = _upright(original)
        thumbnail = upright.copy()
        thumbnail.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
        seen = looks.of_picture(upright)
        return Pictures(_webp(_captioned(upright, caption)), _webp(thumbnail), seen)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as damaged:
        raise Undrawable(type(damaged).__name__) from None


def _upright(original: bytes) -> Image.Image:
    """At most `VIEW_SIDE` long, as it was held, RGB on white, with neither EXIF nor colour profile."""
    image: Image.Image = Image.open(io.BytesIO(original), formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        raise Undrawable("too many pixels")
    # libjpeg scales while decoding, but only if *both* sides asked for fit: ask in the picture's own proportion
    scale = min(1.0, VIEW_SIDE / max(image.size))
    image.draft("RGB", (math.ceil(image.width * scale), math.ceil(image.height * scale)))
    image = ImageOps.exif_transpose(image)
    image.thumbnail((VIEW_SIDE, VIEW_SIDE), Image.Resampling.LANCZOS)
    layered = image.convert("RGBA") if image.has_transparency_data else image
    flat = Image.new("RGB", image.size, "white")
    flat.paste(layered.convert("RGB"), mask=layered.getchannel("A") if layered.mode == "RGBA" else None)
    return flat


def _captioned(image: Image.Image, caption: str) -> Image.Image:
    """The caption on a darkened band along the foot."""
    size = max(10, image.width // 45)
    foot = (0, max(0, image.height - 2 * size), image.width, image.height)
    image.paste(image.crop(foot).point(lambda light: light // 2), foot)
    font = ImageFont.load_default(size)  # Pillow's own, ASCII: no font of the system is needed
    ImageDraw.Draw(image).text((size, image.height - size), caption, fill="white", font=font, anchor="lm")
    return image


def _webp(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=METHOD)
    return out.getvalue()
