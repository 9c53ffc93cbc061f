"""佐证材料: photos, documents, words and references to paper that show what was done (domain.md §6).

Originals are kept byte for byte under their SHA-256. Nothing depends on a photo: words or a paper file's reference do.
"""

from models.evidence.allowance import spend
from models.evidence.attaching import (
    COMPARE,
    DERIVE,
    Submission,
    attach,
    of_item,
    of_visit,
    readable,
    refuse_stranger,
    takes,
)
from models.evidence.comparing import RADIUS, Looks, compare, looks_after, statement
from models.evidence.contents import MOST_PIXELS, SIZE_LIMITS
from models.evidence.deriving import Drawing, begin_drawing, blob_of, drawn, give_up, picture_of
from models.evidence.intake import Objects, Received, Scan, address, no_scan, sweep_incoming, take_in
from models.evidence.reviewing import review, reviewable
from models.evidence.showing import Alike, Shown, Use, shown
from models.evidence.signals import Signal, apart, signals_of, trace
from models.evidence.tables import (
    Blob,
    Derivation,
    DerivationState,
    Evidence,
    Form,
    Kind,
    Likeness,
    Look,
    Review,
    Trace,
    Upload,
    UploadDay,
    UploadPart,
)
from models.evidence.uploads import ALGORITHMS, Checksum, begin, receive, remove, sweep_ended, upload_of

__all__ = [
    "ALGORITHMS",
    "COMPARE",
    "DERIVE",
    "MOST_PIXELS",
    "RADIUS",
    "SIZE_LIMITS",
    "Alike",
    "Blob",
    "Checksum",
    "Derivation",
    "DerivationState",
    "Drawing",
    "Evidence",
    "Form",
    "Kind",
    "Likeness",
    "Look",
    "Looks",
    "Objects",
    "Received",
    "Review",
    "Scan",
    "Shown",
    "Signal",
    "Submission",
    "Trace",
    "Upload",
    "UploadDay",
    "UploadPart",
    "Use",
    "address",
    "apart",
    "attach",
    "begin",
    "begin_drawing",
    "blob_of",
    "compare",
    "drawn",
    "give_up",
    "looks_after",
    "no_scan",
    "of_item",
    "of_visit",
    "picture_of",
    "readable",
    "receive",
    "refuse_stranger",
    "remove",
    "review",
    "reviewable",
    "shown",
    "signals_of",
    "spend",
    "statement",
    "sweep_ended",
    "sweep_incoming",
    "take_in",
    "takes",
    "trace",
    "upload_of",
]
