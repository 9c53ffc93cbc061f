"""The search among a zone's looks: how long one takes, and whether it finds what comparing one by one finds."""

from time import perf_counter

import numpy as np
import numpy.typing as npt

from models.evidence import RADIUS, Kind
from tests.bench.figures import Figure, Figures, Goal
from tests.bench.measuring import Told
from workers.likenesses import PAGE, Copy, columns

FRAMINGS = 10
CHECKED = 50
WITHIN = RADIUS[Kind.PHOTO]
Rows = npt.NDArray[np.uint8]


def measure_reuse(figures: Figures, told: Told, *, among: int, searches: int) -> None:
    """Looks drawn at random and, for every other search, a relative of one of them within the radius or beyond it."""
    random = np.random.default_rng(20_261_124)
    stored: Rows = random.integers(0, 256, (among, 32), dtype=np.uint8)
    copy = Copy()
    for start in range(0, among, PAGE):
        page = stored[start : start + PAGE]
        copy.add(range(start + 1, start + 1 + len(page)), page.tobytes())
    asked = np.stack([_asked(stored, random, number) for number in range(searches)])
    told(f"searching among {among:,} looks")
    copy.near(columns(asked[0].tobytes()), WITHIN)
    took, found = [], []
    for look in asked:
        begun = perf_counter()
        found.append(copy.near(columns(look.tobytes()), WITHIN))
        took.append(1000 * (perf_counter() - begun))
    told("comparing one by one")
    name = f"search among {among / 1e6:g} M looks"
    p50, p99 = np.percentile(took, (50, 99))
    figures.add(
        Figure(f"{name}, p50", float(p50), "ms"),
        Figure(f"{name}, p99", float(p99), "ms", goal=Goal(most=10)),
        Figure(f"{name}, recall", _recall(stored, asked[:CHECKED], found), "", goal=Goal(least=1)),
        Figure(f"{name}, a photo's {FRAMINGS} at once", _together(copy, asked), "ms"),
    )


def _asked(stored: Rows, random: np.random.Generator, number: int) -> Rows:
    """A stranger, or one of the stored with up to half as many bits again changed as may differ."""
    if number % 2:
        return random.integers(0, 256, 32, dtype=np.uint8)
    bits = np.unpackbits(stored[random.integers(len(stored))])
    bits[random.permutation(256)[: random.integers(0, WITHIN * 3 // 2)]] ^= 1
    return np.packbits(bits)


def _recall(stored: Rows, asked: Rows, found: list[dict[int, int]]) -> float:
    """Of what differs in at most `WITHIN` bits, byte by byte, the share that was found with that distance."""
    expected = hit = 0
    for look, numbers in zip(asked, found, strict=False):
        distances = np.bitwise_count(stored ^ look).sum(axis=1)
        true = {int(place) + 1: int(distances[place]) for place in np.flatnonzero(distances <= WITHIN)}
        expected += len(true)
        hit += len(true.items() & numbers.items())
        assert len(numbers) == len(true)
    assert expected
    return hit / expected


def _together(copy: Copy, asked: Rows) -> float:
    """The median over groups of as many looks as a photo has, in ms."""
    took = []
    for start in range(0, len(asked) - FRAMINGS, FRAMINGS):
        begun = perf_counter()
        copy.near(columns(asked[start : start + FRAMINGS].tobytes()), WITHIN)
        took.append(1000 * (perf_counter() - begun))
    return float(np.median(took))
