"""The ZIP around a pack, read with suspicion: its own words of sizes, names and places are checked, never followed."""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MEGABYTE = 2**20
MOST_DIRECTORY = 64 * MEGABYTE
MOST_ENTRIES = 100_000
MOST_LINE = 4 * MEGABYTE
"""A block of the chain with the hashes of its rows is a tenth of it."""
END, END_SIZE = b"PK\x05\x06", 22
LOCATOR, LOCATOR_SIZE = b"PK\x06\x07", 20
ENCRYPTED = 0x1


class Unreadable(Exception):
    """A part that cannot be read, and why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


class Container:
    """The entries of an archive that can be read at all; what is wrong with the others stands in `faults`."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises Unreadable for what is no whole archive."""
        _refuse_huge_directory(file)
        try:
            self._zip = ZipFile(file)
        except (BadZipFile, ValueError, OverflowError, struct.error, UnicodeDecodeError) as broken:
            raise Unreadable("pack", f"is no ZIP: {broken}") from None
        self.faults: list[tuple[str, str]] = []
        self._entries: dict[str, ZipInfo] = {}
        end = 0
        for info in sorted(self._zip.infolist(), key=lambda info: info.header_offset):
            fault = self._fault(info, end)
            end = max(end, info.header_offset + info.compress_size)
            if fault:
                self.faults.append((info.filename, fault))
            else:
                self._entries[info.filename] = info

    def __enter__(self) -> "Container":
        return self

    def __exit__(self, *failure: object) -> None:
        self._zip.close()

    @property
    def names(self) -> frozenset[str]:
        """Of all that can be read."""
        return frozenset(self._entries)

    def _fault(self, info: ZipInfo, end: int) -> str | None:
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or {"\\", ":", "\0"} & {*info.orig_filename} or info.is_dir():
            return "has a name that leads out of the pack"
        if info.filename in self._entries:
            return "stands in the archive twice"
        if info.header_offset < end:
            return "shares its bytes with another entry"
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or info.flag_bits & ENCRYPTED:
            return "is packed in a way that packs do not use"
        return None

    def chunks(self, name: str, most: int) -> Iterator[bytes]:
        """The content of an entry, at most `most` bytes of it. Raises Unreadable."""
        info = self._entries.get(name)
        if info is None:
            raise Unreadable(name, "is missing")
        left = most
        try:
            with self._zip.open(info) as content:
                while chunk := content.read(MEGABYTE):
                    left -= len(chunk)
                    if left < 0:
                        raise Unreadable(name, f"is larger than the {most} bytes that it may have")
                    yield chunk
        except (BadZipFile, zlib.error, EOFError, OSError, struct.error, RuntimeError, UnicodeDecodeError) as broken:
            raise Unreadable(name, f"cannot be read: {broken}") from None

    def read(self, name: str, most: int) -> bytes:
        """The whole content. Raises Unreadable."""
        return b"".join(self.chunks(name, most))

    def lines(self, name: str) -> Iterator[bytes]:
        """The content line by line; the name's size has been checked before. Raises Unreadable."""
        rest = b""
        info = self._entries[name]
        for chunk in self.chunks(name, info.file_size):
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
            if len(rest) > MOST_LINE:
                raise Unreadable(name, "has a line longer than any that packs have")
        if rest:
            yield rest


def _refuse_huge_directory(file: BinaryIO) -> None:
    """zipfile reads the archive's directory at once: see first how large it says that it is. Raises Unreadable."""
    size = file.seek(0, os.SEEK_END)
    tail = _at(file, max(0, size - END_SIZE - LOCATOR_SIZE), END_SIZE + LOCATOR_SIZE)
    end = tail[-END_SIZE:]
    if len(end) < END_SIZE or end[:4] != END or end[-2:] != b"\0\0":
        raise Unreadable("pack", "is no whole pack: cut off, or something was appended")
    entries, directory = struct.unpack("<HL", end[10:16])
    locator = tail[:-END_SIZE]
    if locator[:4] == LOCATOR and len(locator) == LOCATOR_SIZE:
        (place,) = struct.unpack("<Q", locator[8:16])
        record = _at(file, place, 56) if place < size else b""
        if len(record) < 56:
            raise Unreadable("pack", "is no whole pack: its directory is not where it should be")
        entries, directory = struct.unpack("<QQ", record[32:48])
    if directory > MOST_DIRECTORY or entries > MOST_ENTRIES:
        raise Unreadable("pack", "has a directory larger than any that packs have")
    file.seek(0)


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)
