"""佐证材料: photos, documents, words and references to paper that show what was done (domain.md §6).

Originals are kept byte for byte under their SHA-256. Nothing depends on a photo: words or a paper file's reference do.
"""

from models.evidence.attaching import (
    DERIVE,
    Submission,
    attach,
    of_item,
    of_visit,
    readable,
    refuse_stranger,
    takes,
)
from models.evidence.contents import MOST_PIXELS, SIZE_LIMITS
from models.evidence.deriving import Drawing, begin_drawing, blob_of, drawn, give_up, picture_of
from models.evidence.intake import Objects, Received, Scan, address, no_scan, sweep_incoming, take_in
from models.evidence.reviewing import review, reviewable
from models.evidence.showing import Shown, Use, shown
from models.evidence.tables import Blob, Derivation, DerivationState, Evidence, Form, Kind, Review

__all__ = [
    "DERIVE",
    "MOST_PIXELS",
    "SIZE_LIMITS",
    "Blob",
    "Derivation",
    "DerivationState",
    "Drawing",
    "Evidence",
    "Form",
    "Kind",
    "Objects",
    "Received",
    "Review",
    "Scan",
    "Shown",
    "Submission",
    "Use",
    "address",
    "attach",
    "begin_drawing",
    "blob_of",
    "drawn",
    "give_up",
    "no_scan",
    "of_item",
    "of_visit",
    "picture_of",
    "readable",
    "refuse_stranger",
    "review",
    "reviewable",
    "shown",
    "sweep_incoming",
    "take_in",
    "takes",
]
