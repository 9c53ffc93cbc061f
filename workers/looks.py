"""How a picture or a statement looks: 256-bit hashes whose distance (bits that differ) is small where both look alike.

A picture is hashed in several framings, because one hash does not survive cropping; docs/evidence.md has the measured
recall. Of the candidates, a DCT hash at 512 px did best and needs nothing but Pillow and numpy.
"""

import hashlib

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 512
"""Pixels of the longer side that is hashed; more costs time and finds nothing more."""
SAMPLES, FREQUENCIES = 64, 16
MARGINS = (0.0, 0.02, 0.04, 0.0575, 0.075)
"""Of each side, what the framings around the middle leave out: between them a crop of up to 15 % finds its like."""
CUT = 0.075
"""What the other four framings leave out of one side."""
FLATTEST = 3.0
"""Standard deviation of the light (0–255) below which there is nothing to compare: all walls would look alike."""
BORDER_TONE, BORDER_SHARE, LEAST_LEFT = 12, 0.9, 0.1
FEWEST_CHARACTERS = 24
"""Of a statement: 已按要求完成整改 is written honestly a hundred times a year."""
SHINGLE = 3

Box = tuple[float, float, float, float]
Light = npt.NDArray[np.float32]
_COSINES = np.cos(np.pi / SAMPLES * np.outer(np.arange(1, FREQUENCIES + 1), np.arange(SAMPLES) + 0.5), dtype=np.float32)


def of_picture(picture: Image.Image) -> tuple[bytes, ...]:
    """Its looks, 32 bytes each, the whole first; none of a picture that shows nothing."""
    small = picture.convert("L")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
    light = np.asarray(small, np.float32)
    if light.std() < FLATTEST:
        return ()
    return tuple(_look(small, box) for box in (*_framings(), *_within_border(light)))


def _framings() -> tuple[Box, ...]:
    middle = tuple((margin, margin, 1 - margin, 1 - margin) for margin in MARGINS)
    return (*middle, (0, 0, 1, 1 - CUT), (0, CUT, 1, 1), (0, 0, 1 - CUT, 1), (CUT, 0, 1, 1))


def _within_border(light: Light) -> tuple[Box, ...]:
    """What is left when a border of one tone is taken off, as a screenshot has it; none where there is no border."""
    foreign = np.abs(light - np.median(light[:4, :4])) > BORDER_TONE
    (top, bottom), (left, right) = _extent(foreign), _extent(foreign.T)
    if not LEAST_LEFT < (bottom - top) * (right - left) < 0.98:
        return ()
    return ((left, top, right, bottom),)


def _extent(foreign: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """From the first to behind the last line that is no border, as shares; the hour in a screenshot's bar is border."""
    lines = np.flatnonzero(foreign.mean(axis=1) > 1 - BORDER_SHARE)
    return (lines[0] / len(foreign), (lines[-1] + 1) / len(foreign)) if len(lines) else (0.0, 1.0)


def _look(small: Image.Image, box: Box) -> bytes:
    """Of the part of the picture in `box` (shares of its sides): which of its low frequencies are above the middle."""
    width, height = small.size
    part = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    samples = np.asarray(small.resize((SAMPLES, SAMPLES), Image.Resampling.BOX, box=part), np.float32)
    strengths = _COSINES @ samples @ _COSINES.T
    return np.packbits(strengths > np.median(strengths)).tobytes()


def of_words(text: str) -> tuple[bytes, ...]:
    """A statement's one look (Charikar's simhash over runs of three letters); none of a short one."""
    letters = "".join(character for character in text if character.isalnum())
    if len(letters) < FEWEST_CHARACTERS:
        return ()
    shingles = {letters[at : at + SHINGLE] for at in range(len(letters) - SHINGLE + 1)}
    hashes = b"".join(hashlib.blake2b(shingle.encode(), digest_size=32).digest() for shingle in shingles)
    votes = np.unpackbits(np.frombuffer(hashes, np.uint8).reshape(-1, 32), axis=1).mean(axis=0)
    return (np.packbits(votes > 0.5).tobytes(),)
