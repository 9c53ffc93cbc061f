"""What is checked before a workbook is opened: the reader (calamine) trusts the file, and would fill the memory.

It keeps a sheet as a dense grid up to its last cell and a copy of a shared text for every cell that shows it. So every
part is inflated here once, in pieces, not believing declared sizes, and must consist of cells whose place is written
plainly and lies within the bounds. All parts are held to it, whatever their names pretend.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from models.base.errors import Invalid, TooLarge

MAX_PACKED = 32 << 20
MAX_UNPACKED = 256 << 20
MAX_PARTS = 1_000
MAX_TEXT = 512 << 10  # between two tags; Excel's own bound on a cell is 32,767 characters
MAX_SHARED = 1 << 30  # cells × longest shared text
PIECE = 256 << 10

OLE2 = b"\xd0\xcf\x11\xe0"
CELL = r'A?[A-Z](?:[1-9]\d{0,4}|10000[01])"'  # A1 … AZ100001
STRANGE_CELL_QUICK = re.compile(rf'<c(?=[\s/>])(?! r="{CELL})'.encode())  # literal prefix: a tenth of the time
STRANGE_CELL = re.compile(rf'<(?:\w+:)?c(?=[\s/>])(?!(?:\s+(?!r=)[\w:]+="[^"<]*")*\s+r="{CELL})[^>]{{0,200}}'.encode())
PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
FOREIGN_ENCODING = re.compile(rb"""^[^>]{0,100}encoding\s*=\s*["'](?!utf-8["'])""", re.IGNORECASE)
END_OF_SHARED = re.compile(rb"</(?:\w+:)?si\s*>")


def not_a_workbook(
    detail: str = "这不是可以读取的 .xlsx 文件，没有导入。请用 Excel 或 WPS 另存为 .xlsx 后再试。",
) -> Invalid:
    """The refusal of a file that is no workbook."""
    return Invalid("not_a_workbook", detail)


def too_large(detail: str = "文件太大，没有导入。请删去与导入无关的内容，或分成几个文件。") -> TooLarge:
    """The refusal of a workbook over its bounds, packed or unpacked."""
    return TooLarge("workbook_too_large", detail)


@dataclass
class _Size:
    """How much reading the workbook would take, as found so far."""

    unpacked: int = 0
    cells: int = 0
    longest_shared: int = 0
    formulas: bool = False

    def check(self) -> None:
        if self.unpacked > MAX_UNPACKED or self.cells * self.longest_shared > MAX_SHARED:
            raise too_large()


def check(data: bytes) -> bool:
    """Whether formulas may stand in it; it is safe to open then.

    Raises Invalid (`not_a_workbook`, `too_many_rows`, `too_many_columns`), TooLarge (`workbook_too_large`).
    """
    if data[:4] == OLE2:
        raise not_a_workbook("文件已加密，或是旧版 .xls，没有导入。请去掉密码，另存为 .xlsx 后再试。")
    if len(data) > MAX_PACKED:
        raise too_large()
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error) as unreadable:
        raise not_a_workbook() from unreadable
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise too_large()
    size = _Size()
    for part in parts:
        _check_part(data, part, size)
    return size.formulas


def pieces(data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part's content, inflated piece by piece, each ending before a tag.

    Raises Invalid (`not_a_workbook`), TooLarge where a text between tags has no end.
    """
    rest = b""
    for piece in _inflated(data, part):
        whole = rest + piece
        cut = max(whole.rfind(b"<"), 0)
        if len(whole) - cut > MAX_TEXT:
            raise too_large()
        rest = whole[cut:]
        yield whole[:cut]
    yield rest


def _inflated(data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    head = data[part.header_offset : part.header_offset + 30]
    if len(head) < 30 or part.flag_bits & 1 or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise not_a_workbook()
    begins = part.header_offset + 30 + sum(struct.unpack("<HH", head[26:30]))
    packed = memoryview(data)[begins : begins + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        yield from (bytes(packed[place : place + PIECE]) for place in range(0, len(packed), PIECE))
        return
    inflater = zlib.decompressobj(-15)
    waiting: bytes | memoryview = packed
    try:
        while waiting and not inflater.eof:
            yield inflater.decompress(waiting, PIECE)
            waiting = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error as broken:
        raise not_a_workbook() from broken


def _check_part(data: bytes, part: zipfile.ZipInfo, size: _Size) -> None:
    shared = part.filename.lower().endswith("sharedstrings.xml")
    is_xml, begun, of_one = part.filename.lower().endswith((".xml", ".rels")), False, 0
    for piece in pieces(data, part):
        size.unpacked += len(piece)
        if is_xml:
            _check_xml(piece, begun)
            size.cells += piece.count(b"<c") + piece.count(b":c")
            size.formulas = size.formulas or b"<f" in piece or b":f" in piece
        if shared:
            *ended, last = END_OF_SHARED.split(piece)
            if ended:
                size.longest_shared = max(size.longest_shared, of_one + len(ended[0]), *map(len, ended))
                of_one = 0
            of_one += len(last)
            size.longest_shared = max(size.longest_shared, of_one)
        begun = begun or bool(piece)
        size.check()


def _check_xml(piece: bytes, begun: bool) -> None:
    if b"<!" in piece or b"\0" in piece or (not begun and FOREIGN_ENCODING.search(piece)):
        raise not_a_workbook()  # document types, comments and foreign encodings could hide what is looked for here
    if STRANGE_CELL_QUICK.search(piece) or b":c" in piece:
        strange = STRANGE_CELL.search(piece)
        if strange:
            raise _strange(strange.group())


def _strange(cell: bytes) -> Invalid:
    place = PLACE.search(cell)
    if place and int(place[2]) > 100_001:
        return Invalid(
            "too_many_rows", "表中超过 100,000 行，没有导入。请删去多余的行（包括只有格式的空行），或分开导入。"
        )
    if place:
        return Invalid("too_many_columns", "表中超过 52 列，没有导入。请删去多余的列（包括只有格式的空列）。")
    return not_a_workbook()
