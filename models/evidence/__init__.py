"""佐证材料: photos, documents, words and references to paper that show what was done (domain.md §6).

Originals are kept byte for byte under their SHA-256. Nothing depends on a photo: words or a paper file's reference do.
"""

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
from models.evidence.holding import begin_clearing, cleared, end_holds, hold, unnamed, unnamed_before
from models.evidence.intake import INCOMING, Objects, Received, Scan, address, no_scan, sweep_incoming, take_in
from models.evidence.reviewing import review, reviewable
from models.evidence.showing import Alike, Shown, Use, shown
from models.evidence.signals import Signal, apart, signals_of, trace
from models.evidence.tables import (
    Blob,
    Damage,
    Derivation,
    DerivationState,
    Evidence,
    Form,
    Hold,
    Kind,
    Likeness,
    Look,
    Review,
    Trace,
)
from models.evidence.verifying import claim_unverified, count_unverified, damaged, unverified, verified

__all__ = [
    "COMPARE",
    "DERIVE",
    "INCOMING",
    "MOST_PIXELS",
    "RADIUS",
    "SIZE_LIMITS",
    "Alike",
    "Blob",
    "Damage",
    "Derivation",
    "DerivationState",
    "Drawing",
    "Evidence",
    "Form",
    "Hold",
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
    "Use",
    "address",
    "apart",
    "attach",
    "begin_clearing",
    "begin_drawing",
    "blob_of",
    "claim_unverified",
    "cleared",
    "compare",
    "count_unverified",
    "damaged",
    "drawn",
    "end_holds",
    "give_up",
    "hold",
    "looks_after",
    "no_scan",
    "of_item",
    "of_visit",
    "picture_of",
    "readable",
    "refuse_stranger",
    "review",
    "reviewable",
    "shown",
    "signals_of",
    "statement",
    "sweep_incoming",
    "take_in",
    "takes",
    "trace",
    "unnamed",
    "unnamed_before",
    "unverified",
    "verified",
]
