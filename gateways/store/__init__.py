"""Where bytes are kept: objects under keys, on the local disk or in S3, named by one URL, each sealed by itself.

An object is seen whole or not at all, and is never replaced. Keys are relative paths (`<zone>/<sha256[:2]>/<sha256>`).
"""

from gateways.store.composing import opened
from gateways.store.faults import Damaged, KeyMissing, Missing, Unreadable
from gateways.store.keys import Keys, WrongKeys, made
from gateways.store.objects import ENVELOPES, Kept, Store

__all__ = [
    "ENVELOPES",
    "Damaged",
    "Kept",
    "KeyMissing",
    "Keys",
    "Missing",
    "Store",
    "Unreadable",
    "WrongKeys",
    "made",
    "opened",
]
