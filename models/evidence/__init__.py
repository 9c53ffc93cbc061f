"""佐证材料: photos, documents, words and references to paper that show what was done (domain.md §6).

Originals are kept byte for byte under their SHA-256. Nothing depends on a photo: words or a paper file's reference do.
"""

from models.evidence.attaching import (
    COMPARE,
    DERIVE,
    NOTHING,
    Brought,
    Submission,
    attach,
    digest_of,
    of_item,
    of_visit,
    of_visits_alone,
    readable,
    refuse_stranger,
    takes,
)
from models.evidence.comparing import RADIUS, Looks, compare, looks_after, statement
from models.evidence.contents import MOST_PIXELS, SIZE_LIMITS
from models.evidence.deriving import Drawing, begin_drawing, blob_of, drawn, give_up, picture_of
from models.evidence.intake import Objects, Received, Scan, address, no_scan, sweep_incoming, take_in
from models.evidence.nonces import examine, issue
from models.evidence.reviewing import MOST_WORDS, Word, review, review_each, reviewable
from models.evidence.showing import Alike, Shown, Use, shown
from models.evidence.signals import Signal, apart, brought_along, signals_of, trace
from models.evidence.tables import (
    Blob,
    Derivation,
    DerivationState,
    Evidence,
    Form,
    Kind,
    Likeness,
    Look,
    Nonce,
    Review,
    Trace,
)

__all__ = [
    "COMPARE",
    "DERIVE",
    "MOST_PIXELS",
    "MOST_WORDS",
    "NOTHING",
    "RADIUS",
    "SIZE_LIMITS",
    "Alike",
    "Blob",
    "Brought",
    "Derivation",
    "DerivationState",
    "Drawing",
    "Evidence",
    "Form",
    "Kind",
    "Likeness",
    "Look",
    "Looks",
    "Nonce",
    "Objects",
    "Received",
    "Review",
    "Scan",
    "Shown",
    "Signal",
    "Submission",
    "Trace",
    "Use",
    "Word",
    "address",
    "apart",
    "attach",
    "begin_drawing",
    "blob_of",
    "brought_along",
    "compare",
    "digest_of",
    "drawn",
    "examine",
    "give_up",
    "issue",
    "looks_after",
    "no_scan",
    "of_item",
    "of_visit",
    "of_visits_alone",
    "picture_of",
    "readable",
    "refuse_stranger",
    "review",
    "review_each",
    "reviewable",
    "shown",
    "signals_of",
    "statement",
    "sweep_incoming",
    "take_in",
    "takes",
    "trace",
]
