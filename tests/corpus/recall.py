"""Recall of each change at the product's own radius, and how near two scenes come that have nothing in common."""

import io
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from PIL import Image, ImageOps

from models.evidence import RADIUS, Kind
from tests.corpus.scenes import CHANGES, jpeg, quarters
from workers import looks

WITHIN = RADIUS[Kind.PHOTO]
Seen = tuple[bytes, ...]


def seen(content: bytes) -> Seen:
    """The looks of a photo's bytes, held upright."""
    return looks.of_picture(ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB"))


def distance(one: Seen, other: Seen) -> int:
    """Bits that differ between the two framings that are most alike."""
    a, b = (np.unpackbits(np.frombuffer(b"".join(looks), np.uint8).reshape(-1, 32), axis=1) for looks in (one, other))
    return int((a[:, None] != b[None]).sum(axis=2).min())


def found(scenes: Mapping[str, Image.Image]) -> dict[str, dict[str, int]]:
    """Of each change: by scene, how far the changed photo is from its original."""
    originals = {name: seen(jpeg(scene, 95)) for name, scene in scenes.items()}
    return {
        change: {name: distance(originals[name], seen(changed(scene))) for name, scene in scenes.items()}
        for change, changed in CHANGES.items()
    }


def apart(scenes: Mapping[str, Image.Image]) -> Iterator[int]:
    """Distances between pictures that share nothing: whole scenes, and quarters of the same or of different ones."""
    pictures = [(name, "whole", seen(jpeg(scene, 95))) for name, scene in scenes.items()]
    for name, scene in scenes.items():
        pictures += [(name, "quarter", seen(jpeg(part, 95))) for part in quarters(scene)]
    for (one, part, a), (other, piece, b) in combinations(pictures, 2):
        if a and b and not (one == other and part != piece):
            yield distance(a, b)
