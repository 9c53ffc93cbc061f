"""An exact search over the looks of a zone: all of them compared, by popcount over columns of a copy in memory.

The copy is rebuilt from the table whenever it is missing, and read on from its last number before each search; a worker
may lose it at any moment. It costs 40 bytes a look. docs/evidence.md says what else was measured.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TypeVar
from uuid import UUID

import numpy as np
import numpy.typing as npt

from models import evidence
from models.evidence import Kind

PAGE = 50_000
MOST_LOOKS = 8_000_000
"""In all zones together (320 MB); those not searched for longest are forgotten first."""
WORDS = 4
"""A look as 64-bit words."""
CHUNK = 1 << 15
"""Looks compared at a time: what stays in a core's cache."""

Columns = npt.NDArray[np.uint64]
Scalar = TypeVar("Scalar", bound=np.generic)


class Copy:
    """The looks of one kind in one zone, in the order of their numbers."""

    def __init__(self) -> None:
        self.reading = asyncio.Lock()
        self.size = 0
        self._numbers: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._columns: Columns = np.empty((WORDS, 0), np.uint64)

    @property
    def last(self) -> int:
        """The number of the newest, 0 where there is none."""
        return int(self._numbers[self.size - 1]) if self.size else 0

    def add(self, numbers: Sequence[int], bits: bytes) -> None:
        """What follows `last`; `bits` are 32 bytes for each number."""
        size = self.size + len(numbers)
        if size > len(self._numbers):
            room = max(size, len(self._numbers) * 5 // 4)
            self._numbers = _grown(self._numbers, room)
            self._columns = _grown(self._columns, room)
        self._numbers[self.size : size] = numbers
        self._columns[:, self.size : size] = columns(bits)
        self.size = size

    def near(self, looks: Columns, within: int) -> dict[int, int]:
        """Number to distance of all at most `within` bits from any of `looks`; blocking, and leaves the interpreter."""
        found: dict[int, int] = {}
        for start in range(0, self.size, CHUNK):
            stop = min(start + CHUNK, self.size)
            for look in looks.T:
                for place, distance in _near(self._columns[:, start:stop], look, within):
                    number = int(self._numbers[start + place])
                    found[number] = min(distance, found.get(number, distance))
        return found


def _grown(array: npt.NDArray[Scalar], room: int) -> npt.NDArray[Scalar]:
    grown = np.empty((*array.shape[:-1], room), array.dtype)
    grown[..., : array.shape[-1]] = array
    return grown


def _near(chunk: Columns, look: Columns, within: int) -> list[tuple[int, int]]:
    """Half of the bits exclude nearly all, the other half is looked at for what is left: exact, at half the cost."""
    half = np.bitwise_count(chunk[0] ^ look[0]) + np.bitwise_count(chunk[1] ^ look[1])
    (places,) = np.nonzero(half <= within)
    if not len(places):
        return []
    rest = np.bitwise_count(chunk[2:, places] ^ look[2:, None]).sum(axis=0, dtype=np.int64)
    distances = half[places] + rest
    close = distances <= within
    return list(zip(places[close].tolist(), distances[close].tolist(), strict=True))


def columns(bits: bytes) -> Columns:
    """Looks of 32 bytes each, word by word."""
    return np.frombuffer(bits, np.uint64).reshape(-1, WORDS).T


class Looks:
    """Copies of the zones' looks, as many as fit."""

    def __init__(self) -> None:
        self._copies: OrderedDict[tuple[UUID, Kind], Copy] = OrderedDict()

    async def current(self, zone_id: UUID, kind: Kind) -> Copy:
        """The copy, with all that was committed before the call."""
        key = (zone_id, kind)
        copy = self._copies.setdefault(key, Copy())
        self._copies.move_to_end(key)
        async with copy.reading:
            while True:
                numbers, bits = await evidence.looks_after(zone_id, kind, copy.last, PAGE)
                if numbers:
                    copy.add(numbers, bits)
                if len(numbers) < PAGE:
                    break
        self._forget()
        return copy

    async def near(self, zone_id: UUID, kind: Kind, looks: Sequence[bytes], *, within: int) -> Mapping[int, int]:
        """As `models.evidence.Looks` says."""
        copy = await self.current(zone_id, kind)
        return await asyncio.to_thread(copy.near, columns(b"".join(looks)), within)

    def _forget(self) -> None:
        while len(self._copies) > 1 and sum(copy.size for copy in self._copies.values()) > MOST_LOOKS:
            self._copies.popitem(last=False)
