"""Pictures and papers made on the spot."""

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from pillow_heif import from_pillow

ORIENTATION, MAKE = 0x0112, 0x010F
OFFICE = "[Content_Types].xml"


def jpeg(
    width: int = 640,
    height: int = 480,
    colour: str = "teal",
    orientation: int = 1,
    *,
    software: str = "17.4.1",
    details: dict[int, Any] | None = None,
    gps: dict[int, Any] | None = None,
) -> bytes:
    """A photo with EXIF, as a phone makes it; `details` and `gps` are tags of those two blocks."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE], exif[Base.Software] = orientation, "a maker's name", software
    exif.get_ifd(IFD.Exif).update(details or {})
    exif.get_ifd(IFD.GPSInfo).update(gps or {})
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


def taken(when: str, offset: str = "+08:00") -> dict[int, Any]:
    """The tags of a photo taken at `2026:11:20 09:12:00`."""
    return {Base.DateTimeOriginal: when, Base.OffsetTimeOriginal: offset}


def at(latitude: float, longitude: float) -> dict[int, Any]:
    """The tags of a photo taken at that place, north and east."""
    sides = {GPS.GPSLatitudeRef: "N", GPS.GPSLongitudeRef: "E"}
    return sides | {GPS.GPSLatitude: (latitude, 0.0, 0.0), GPS.GPSLongitude: (longitude, 0.0, 0.0)}


def heic(width: int = 640, height: int = 480, orientation: int = 1) -> bytes:
    """A photo with EXIF, as an iPhone makes it."""
    exif, out = Image.Exif(), io.BytesIO()
    exif[ORIENTATION], exif[MAKE] = orientation, "a maker's name"
    from_pillow(Image.new("RGB", (width, height), "teal")).save(out, exif=exif.tobytes())
    return out.getvalue()


def heic_of(width: int, height: int) -> bytes:
    """A small file that announces so many pixels."""
    said = struct.pack(">II", 128, 128)
    content = heic(128, 128)
    assert said in content
    return content.replace(said, struct.pack(">II", width, height))


def png(width: int, height: int) -> bytes:
    """A picture that is decoded whole, whatever size is asked for: slow."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG", compress_level=1)
    return out.getvalue()


def several_in_one() -> bytes:
    """A JPEG to which the phone appended a second picture (MPO)."""
    out = io.BytesIO()
    second = Image.new("RGB", (80, 60), "navy")
    Image.new("RGB", (640, 480), "teal").save(out, "MPO", save_all=True, append_images=[second])
    return out.getvalue()


def huge_png(side: int = 40_000) -> bytes:
    """A small file that announces, and holds, `side` × `side` pixels of one bit."""
    rows = zlib.compressobj(9)
    pixels = b"".join(rows.compress(bytes(side // 8 + 1)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def pdf() -> bytes:
    """As little of a PDF as is looked at."""
    return b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def pdf_page(width: int, height: int) -> bytes:
    """A PDF of one empty page of that size in points."""
    return (
        b"%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]>>endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
    ) % (width, height)


def package(**parts: bytes) -> bytes:
    """A zip of an office document's kind; `parts` maps names (with `__` for `/`) to contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(OFFICE, b"<Types/>")
        for name, content in parts.items():
            file.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def docx(**parts: bytes) -> bytes:
    """A Word document."""
    return package(**{"word__document.xml": b"<document/>"}, **parts)


def xlsx() -> bytes:
    """An Excel workbook."""
    return package(**{"xl__workbook.xml": b"<workbook/>"})
