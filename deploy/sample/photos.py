"""Eight small pictures that look enough like photographs of a site, drawn from gradients, shapes and noise.

Dedicated to the public domain (CC0). Some carry what a phone writes: time, orientation, place. Places lie in
open sea, so that no real address is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFilter
from PIL.Image import Exif
from PIL.TiffImagePlugin import IFDRational

SIZE = (640, 480)
ORIENTATION, MAKE, TAKEN, EXIF_IFD, GPS_IFD = 0x0112, 0x010F, 0x9003, 0x8769, 0x8825
UNTURN = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
"""How to store an upright picture so that this orientation turns it upright again."""

Colour = tuple[int, int, int]
Scene = Callable[[ImageDraw.ImageDraw, Random], None]


@dataclass(frozen=True)
class Shot:
    """A picture to draw: `place` is (latitude, longitude) in degrees, north and east; None leaves no GPS."""

    name: str
    sky: Colour
    ground: Colour
    scene: Scene
    taken: str | None = None
    orientation: int | None = None
    place: tuple[float, float] | None = None


def write_photos(folder: Path) -> None:
    """Write every shot as `<name>.jpg`, 60 KB at most, the same bytes with the same Pillow."""
    folder.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        picture = draw(shot)
        if shot.orientation in UNTURN:
            picture = picture.transpose(UNTURN[shot.orientation])
        picture.save(folder / f"{shot.name}.jpg", quality=72, exif=exif(shot))


def draw(shot: Shot) -> Image.Image:
    """The picture, upright."""
    rng = Random(shot.name)
    sky, ground = (Image.new("RGB", SIZE, colour) for colour in (shot.sky, shot.ground))
    picture = Image.composite(ground, sky, Image.linear_gradient("L").resize(SIZE))
    shot.scene(ImageDraw.Draw(picture), rng)
    grain = Image.frombytes("L", SIZE, rng.randbytes(SIZE[0] * SIZE[1])).filter(ImageFilter.GaussianBlur(1.2))
    return Image.blend(picture.filter(ImageFilter.GaussianBlur(0.8)), grain.convert("RGB"), 0.12)


def exif(shot: Shot) -> Exif:
    """What the phone would have written; empty when it wrote nothing."""
    tags = Exif()
    if shot.orientation:
        tags[ORIENTATION] = shot.orientation
    if shot.taken:
        tags[MAKE] = "Zhuoluo Sample"
        tags.get_ifd(EXIF_IFD)[TAKEN] = shot.taken
    if shot.place:
        north, east = (_degrees(value) for value in shot.place)
        tags.get_ifd(GPS_IFD).update({1: "N", 2: north, 3: "E", 4: east})
    return tags


def _degrees(value: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    seconds = round(value * 360_000)
    degrees, rest = divmod(seconds, 360_000)
    return IFDRational(degrees, 1), IFDRational(rest // 6_000, 1), IFDRational(rest % 6_000, 100)


def building_site(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """A crane over unfinished floors."""
    pen.rectangle((360, 150, 590, 430), fill=(150, 146, 138))
    for floor in range(160, 430, 38):
        for bay in range(370, 580, 44):
            pen.rectangle((bay, floor, bay + 30, floor + 24), fill=(60 + rng.randrange(50), 66, 72))
    pen.line((150, 440, 150, 60), fill=(226, 170, 40), width=12)
    pen.line((60, 90, 420, 70), fill=(226, 170, 40), width=8)


def service_hall(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """Counters with screens under a row of lamps."""
    for lamp in range(30, 640, 120):
        pen.ellipse((lamp, 40, lamp + 70, 70), fill=(255, 250, 225))
    for counter in range(0, 640, 128):
        pen.rectangle((counter + 6, 280, counter + 120, 400), fill=(120, 84 + rng.randrange(30), 60))
        pen.rectangle((counter + 38, 220, counter + 94, 262), fill=(34, 60, 98))


def river_bank(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """Water between banks, a pumping station on the far side."""
    pen.polygon(((0, 300), (640, 230), (640, 360), (0, 470)), fill=(78, 118, 132))
    pen.rectangle((470, 140, 580, 240), fill=(196, 190, 176))
    for _ in range(60):
        x, y = rng.randrange(640), rng.randrange(320, 400)
        pen.line((x, y, x + 26, y - 3), fill=(128, 164, 172), width=2)


def road(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """A new carriageway running to the horizon between trees."""
    pen.polygon(((290, 200), (350, 200), (640, 480), (0, 480)), fill=(74, 76, 80))
    for step in range(5):
        top, half = 215 + step * step * 14, 2 + step * 2
        pen.rectangle((320 - half, top, 320 + half, top + 8 + step * 6), fill=(235, 235, 228))
    for _ in range(40):
        x, y = rng.choice((rng.randrange(180), rng.randrange(460, 640))), rng.randrange(150, 260)
        pen.ellipse((x, y, x + 50, y + 50), fill=(48, 96 + rng.randrange(40), 52))


def notice_board(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """Papers pinned under glass."""
    pen.rectangle((70, 70, 570, 390), fill=(150, 34, 36))
    pen.rectangle((90, 90, 550, 370), fill=(228, 226, 214))
    for left in range(110, 540, 110):
        pen.rectangle((left, 112, left + 92, 240 + rng.randrange(110)), fill=(250, 250, 246))
        for line in range(126, 226, 12):
            pen.line((left + 8, line, left + 40 + rng.randrange(44), line), fill=(96, 96, 102), width=3)


def workshop(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """Empty plant hall: trusses above, machines under covers."""
    for beam in range(-80, 720, 80):
        pen.line((beam, 0, beam + 80, 120), fill=(120, 126, 130), width=6)
    for machine in range(40, 600, 150):
        height = 90 + rng.randrange(70)
        pen.rectangle((machine, 400 - height, machine + 110, 400), fill=(40, 92, 120 + rng.randrange(40)))


def bins(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """Four sorting bins against a tiled wall."""
    for row in range(0, 300, 30):
        for tile in range(row % 60 // 2, 640, 60):
            shade = 188 + rng.randrange(24)
            pen.rectangle((tile, row, tile + 57, row + 27), fill=(shade, shade - 6, shade - 16))
    for place, colour in enumerate(((40, 90, 170), (60, 130, 70), (176, 50, 46), (90, 90, 94))):
        pen.rectangle((60 + place * 140, 250, 160 + place * 140, 430), fill=colour)


def pipe_trench(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    """Pipes laid in an open trench, spoil to the right."""
    pen.polygon(((120, 480), (300, 120), (380, 120), (440, 480)), fill=(70, 54, 42))
    for ring in range(6):
        width, top = 34 + ring * 18, 150 + ring * 52
        pen.ellipse((325 - width, top, 325 + width // 2, top + width), fill=(36, 40, 46))
    for _ in range(90):
        x, y = rng.randrange(440, 640), rng.randrange(250, 460)
        pen.ellipse((x, y, x + 26, y + 16), fill=(140 + rng.randrange(30), 104, 70))


SHOTS = (
    Shot("building_site", (168, 196, 224), (142, 122, 96), building_site, "2026:11:26 09:14:05", 1, (27.5, 125.25)),
    Shot("service_hall", (236, 234, 226), (172, 164, 150), service_hall, "2026:11:27 14:40:31", 1),
    Shot("river_bank", (190, 208, 222), (94, 112, 72), river_bank, "2026:12:01 10:22:48", 6, (27.506, 125.262)),
    Shot("road", (150, 190, 232), (150, 140, 118), road, "2026:12:03 16:05:12", 3, (27.51, 125.248)),
    Shot("notice_board", (120, 130, 134), (96, 88, 80), notice_board, "2026:12:04 08:51:00", 8),
    Shot("workshop", (204, 206, 204), (92, 96, 98), workshop),
    Shot("bins", (200, 196, 188), (128, 126, 122), bins, "2026:12:08 11:33:27"),
    Shot("pipe_trench", (176, 180, 178), (150, 116, 82), pipe_trench, "2026:12:09 15:18:59", 6, (27.498, 125.257)),
)
