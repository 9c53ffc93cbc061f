"""Openly licensed photos that packages ship, and what people do to a photo before they send it again."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import files

from PIL import Image, ImageDraw, ImageEnhance, ImageFont

SHIPPED = {
    "skimage.data": (
        *("astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png", "coins.png"),
        *("grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png"),
        *("page.png", "retina.jpg", "rocket.jpg", "text.png"),
    ),
    "sklearn.datasets.images": ("china.jpg", "flower.jpg"),
}
"""One scene each: the other eye of the motorcycle, drawings, logos and test patterns are left out."""
ORIENTATION = 0x0112
SIDEWAYS = 6
Change = Callable[[Image.Image], bytes]


def scenes() -> dict[str, Image.Image]:
    """The photos by name, in RGB."""
    return {
        name.rpartition(".")[0]: Image.open(io.BytesIO(files(package).joinpath(name).read_bytes())).convert("RGB")
        for package, names in SHIPPED.items()
        for name in names
    }


def quarters(scene: Image.Image) -> Iterator[Image.Image]:
    """Four pictures of one place that share nothing: what a search must keep apart."""
    width, height = scene.width // 2, scene.height // 2
    for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
        yield scene.crop((x * width, y * height, (x + 1) * width, (y + 1) * height))


def jpeg(scene: Image.Image, quality: int = 85, orientation: int = 1) -> bytes:
    """As a phone or a messenger writes it."""
    exif, out = Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = orientation
    scene.save(out, "JPEG", quality=quality, exif=exif)
    return out.getvalue()


def _resized(percent: int, scene: Image.Image) -> bytes:
    return jpeg(scene.resize((scene.width * percent // 100, scene.height * percent // 100)))


def _cropped(percent: int, scene: Image.Image) -> bytes:
    """So much off the width and off the height, evenly from all four sides."""
    x, y = scene.width * percent / 200, scene.height * percent / 200
    return jpeg(scene.crop((round(x), round(y), round(scene.width - x), round(scene.height - y))))


def _cut(percent: int, scene: Image.Image) -> bytes:
    """So much off one side: where a date was printed, or a sign stood."""
    return jpeg(scene.crop((0, 0, scene.width, scene.height - scene.height * percent // 100)))


def _lit(factor: float, scene: Image.Image) -> bytes:
    return jpeg(ImageEnhance.Brightness(scene).enhance(factor))


def _watermarked(scene: Image.Image) -> bytes:
    """Time and place along the foot and a word across, as camera apps and offices write them."""
    marked = scene.copy()
    draw, size = ImageDraw.Draw(marked), max(12, scene.width // 20)
    draw.text((size, scene.height - size), "2026-11-20 09:12 N30.59", "white", ImageFont.load_default(size), "ls")
    centre = (scene.width // 2, scene.height // 2)
    draw.text(centre, "COPY", (200, 200, 200), ImageFont.load_default(2 * size), "mm")
    return jpeg(marked)


def _messaged(scene: Image.Image) -> bytes:
    sent = scene.copy()
    sent.thumbnail((1280, 1280))
    return jpeg(sent, 70)


def _screenshot(scene: Image.Image) -> bytes:
    """On a phone's black screen, as wide as it, under the bar with the hour."""
    width, height = 1080, 2340
    shown = scene.resize((width, scene.height * width // scene.width))
    screen = Image.new("RGB", (width, max(height, shown.height)), "black")
    screen.paste(shown, (0, (screen.height - shown.height) // 2))
    ImageDraw.Draw(screen).text((60, 40), "09:12", "white", ImageFont.load_default(44))
    return jpeg(screen, 90)


def _sideways(scene: Image.Image) -> bytes:
    """Held upright: stored as the sensor lies, with the turn in EXIF."""
    return jpeg(scene.transpose(Image.Transpose.ROTATE_90), orientation=SIDEWAYS)


CHANGES: dict[str, Change] = {
    **{f"re-encoded, quality {quality}": partial(jpeg, quality=quality) for quality in (30, 50, 70, 90)},
    **{f"resized to {percent} %": partial(_resized, percent) for percent in (25, 50, 75)},
    **{f"brightness {'+' if factor > 1 else '−'}25 %": partial(_lit, factor) for factor in (0.75, 1.25)},
    "watermarked": _watermarked,
    "as a messenger sends it (1280 px, quality 70)": _messaged,
    "screenshot with its borders": _screenshot,
    "turned by EXIF": _sideways,
    **{f"cropped by {percent} %": partial(_cropped, percent) for percent in (2, 5, 10, 15)},
    **{f"{percent} % cut off one side": partial(_cut, percent) for percent in (5, 10)},
}
