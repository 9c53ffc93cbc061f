"""What a file really is, by its content and never by its name; headers are read, nothing is decoded or unpacked."""

import re
import struct
import warnings
import zipfile
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from models.base.errors import Invalid, UnsupportedType
from models.evidence.tables import Kind

MEGABYTE = 2**20
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
"""By media type: of the file that somebody downloads."""
SIZE_LIMITS = {Kind.PHOTO: 20 * MEGABYTE, Kind.DOCUMENT: 50 * MEGABYTE}
FORMATS = ("JPEG", "PNG", "WEBP")
PHOTO_TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""MPO is a JPEG to which the phone appended a depth map or a second exposure (CIPA DC-007); the first one counts."""
HEIC = "image/heic"
HEIC_BRANDS = frozenset({b"heic", b"heix"})
MOST_BRANDS, MOST_META = 1024, MEGABYTE
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 20_000
"""A phone's largest ordinary picture is 50 megapixels; decoded, 64 take about 200 MB."""

PDF = "application/pdf"
OFFICE_TYPES = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_ENTRIES = 5_000
MOST_DIRECTORY = 2 * MEGABYTE
MOST_UNPACKED = 300 * MEGABYTE
MOST_RATIO = 200
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_SPAN = 65_557
"""Bytes from a zip's end within which its directory is announced: 22 and the longest comment."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's media type, and its width and height in pixels where it is a picture."""

    media_type: str
    width: int | None = None
    height: int | None = None


def examine(file: BinaryIO, kind: Kind) -> Content:
    """What `file` (seekable, at its start) holds. Blocking.

    Raises UnsupportedType where it is not a file of this `kind`; Invalid where it is damaged, or made to be a burden.
    """
    return _photo(file) if kind is Kind.PHOTO else _document(file)


def _photo(file: BinaryIO) -> Content:
    content = _heic(file) or _picture(file)
    assert content.width and content.height
    if content.width * content.height > MOST_PIXELS or max(content.width, content.height) > LONGEST_SIDE:
        raise _too_many_pixels()
    return content


def _picture(file: BinaryIO) -> Content:
    try:
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(file, formats=FORMATS) as image,
        ):
            (width, height), media_type = image.size, PHOTO_TYPES[str(image.format)]
    except Image.DecompressionBombError:
        raise _too_many_pixels() from None
    except UnidentifiedImageError:
        raise UnsupportedType(
            "not_a_photo",
            "这个文件不是可用的照片（支持 JPEG、PNG、WebP、HEIC），没有保存。也可以改交文字说明或纸质材料编号。",
        ) from None
    except (OSError, SyntaxError, ValueError, struct.error):
        raise _broken_photo() from None
    return Content(media_type, width, height)


def _heic(file: BinaryIO) -> Content | None:
    """What an iPhone's HEIC announces (ISO/IEC 23008-12), read by hand: its decoder stays out of this process.

    None where it is no HEIC; then `file` is at its start again.
    """
    size, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
    brands = file.read(min(size, MOST_BRANDS) - 8) if kind == b"ftyp" and size >= 16 else b""
    if not HEIC_BRANDS & {brands[at : at + 4] for at in range(0, len(brands), 4)}:
        file.seek(0)
        return None
    size, kind = struct.unpack(">I4s", file.read(8).ljust(8, b"\0"))
    meta = file.read(size - 8) if kind == b"meta" and 8 < size <= MOST_META else b""
    spans = [found.end() + 4 for found in re.finditer(b"ispe", meta) if found.end() + 12 <= len(meta)]
    sides = [struct.unpack_from(">II", meta, at) for at in spans]  # of the whole, of its tiles and of its thumbnail
    if len(meta) != size - 8 or not sides or not all(map(all, sides)):
        raise _broken_photo()
    return Content(HEIC, max(width for width, _ in sides), max(height for _, height in sides))


def _broken_photo() -> Invalid:
    return Invalid("broken_photo", "这张照片不完整或已损坏，没有保存。请重新选择或重新拍摄。")


def _too_many_pixels() -> Invalid:
    return Invalid("image_too_large_dimensions", "照片的像素太多（最多6400万像素），没有保存。请缩小后再传。")


def _document(file: BinaryIO) -> Content:
    head = file.read(1024)
    if head.removeprefix(BOM_UTF8).lstrip().startswith(b"%PDF-"):  # after other bytes it may be two things at once
        return _pdf(file)
    if head.startswith(b"PK\x03\x04"):
        return _office(file)
    raise UnsupportedType(
        "not_a_document", "只接收 PDF、Word（docx）、Excel（xlsx）文件，没有保存。旧格式请先另存为新格式。"
    )


def _pdf(file: BinaryIO) -> Content:
    if b"%%EOF" not in _tail(file, 2048):
        raise Invalid("broken_document", "这个 PDF 不完整，没有保存。请重新选择文件。")
    return Content(PDF)


def _office(file: BinaryIO) -> Content:
    _refuse_heavy_directory(_tail(file, _END_SPAN + 20))
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as package:
            entries = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error):
        raise _broken_package() from None
    _refuse_heavy(entries)
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names or any(name.endswith("vbaProject.bin") for name in names):
        raise UnsupportedType("not_a_document", "只接收不含宏的 Word（docx）、Excel（xlsx）文件，没有保存。")
    for part, media_type in OFFICE_TYPES.items():
        if part in names:
            return Content(media_type)
    raise UnsupportedType("not_a_document", "只接收 PDF、Word（docx）、Excel（xlsx）文件，没有保存。")


def _refuse_heavy_directory(tail: bytes) -> None:
    """Read the announced size of the directory before zipfile reads the directory itself into memory."""
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22 or _END_64 in tail[:at][-20:]:  # no file under 50 MB needs the 64-bit form
        raise _broken_package()
    entries, size = struct.unpack_from("<HI", tail, at + 10)
    if entries > MOST_ENTRIES or size > MOST_DIRECTORY:
        raise _bomb()


def _refuse_heavy(entries: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(packed, 1):
        raise _bomb()
    if any(entry.flag_bits & 1 for entry in entries):
        raise Invalid("encrypted_document", "这个文件加了密码，无法审核，没有保存。请去掉密码后再传。")


def _broken_package() -> Invalid:
    return Invalid("broken_document", "这个文件不完整或已损坏，没有保存。请重新选择文件。")


def _bomb() -> Invalid:
    return Invalid("document_unpacks_too_large", "这个文件展开后过大，没有保存。请精简内容后再传。")


def _tail(file: BinaryIO, length: int) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - length))
    return file.read(length)
