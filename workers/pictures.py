"""Drawing a file's view and thumbnail, in processes that may take so much time and memory and no more."""

import asyncio
import io
import math
import multiprocessing
import resource
from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

import pypdfium2
from pebble import ProcessPool
from PIL import Image, ImageDraw, ImageFont, ImageOps
from pillow_heif import register_heif_opener

from workers import looks, traces
from workers.traces import Traces

register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)

PDF = "application/pdf"
OFFICE = "application/vnd.openxmlformats-officedocument."
SIGNS = {
    f"{OFFICE}wordprocessingml.document": ("DOCX", "#2b579a"),
    f"{OFFICE}spreadsheetml.sheet": ("XLSX", "#217346"),
}
"""What is drawn for a document that is never opened."""
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
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
    """Both as WebP: upright, without EXIF; the view carries the caption. `looks` were taken before it was written.

    `traces` are what the file says of itself.
    """

    view: bytes
    thumbnail: bytes
    looks: tuple[bytes, ...]
    traces: Traces


async def draw(original: bytes, media_type: str, caption: str, seconds: float = SECONDS) -> Pictures:
    """Draw in another process, which is ended when it takes longer than `seconds`.

    Raises Undrawable for what is damaged, locked or too large; TimeoutError, MemoryError or pebble.ProcessExpired where
    it took too much, which may be the moment's fault.
    """
    return await asyncio.wrap_future(_pool().schedule(drawn, args=(original, media_type, caption), timeout=seconds))


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


def drawn(original: bytes, media_type: str, caption: str) -> Pictures:
    """Both pictures of the bytes of a file. Raises Undrawable."""
    try:
        picture, said = _picture(original, media_type)
        thumbnail = picture.copy()
        thumbnail.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
        seen = looks.of_picture(picture)
        return Pictures(_webp(_captioned(picture, caption)), _webp(thumbnail), seen, said)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, pypdfium2.PdfiumError) as damaged:
        raise Undrawable(type(damaged).__name__) from None


def _picture(original: bytes, media_type: str) -> tuple[Image.Image, Traces]:
    if media_type in SIGNS:
        return _sign(*SIGNS[media_type]), Traces()
    if media_type == PDF:
        return _first_page(original), Traces()
    image: Image.Image = Image.open(io.BytesIO(original), formats=FORMATS)
    if image.width * image.height > MOST_PIXELS:
        raise Undrawable("too many pixels")
    said = traces.of_photo(image, original)
    return _upright(image), said


def _sign(label: str, colour: str) -> Image.Image:
    sheet = Image.new("RGB", (600, 800), "white")
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((0, 250, 600, 450), fill=colour)
    draw.text((300, 350), label, fill="white", font=ImageFont.load_default(120), anchor="mm")
    return sheet


def _first_page(original: bytes) -> Image.Image:
    """At most `VIEW_SIDE` long, whatever the page says of its size; scripts and forms are not run."""
    with pypdfium2.PdfDocument(original) as document:
        page = document[0]
        scale = VIEW_SIDE / max(*page.get_size(), 1)
        return page.render(scale=scale, draw_annots=False, may_draw_forms=False).to_pil().convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    """At most `VIEW_SIDE` long, as it was held, RGB on white, with neither EXIF nor colour profile."""
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
