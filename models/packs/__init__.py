"""证据包: one item's or campaign's file, which anybody can check without the product and without its database."""

from models.packs.asking import FOLDER, KEPT, address, ask, cancel, drawn_up, items_in, pack_of, packs, take
from models.packs.building import Stopped, begin, expired, finish, give_up, go_on, note, put_back, to_expire
from models.packs.dossier import Dossier, TooLong, dossier
from models.packs.making import Made, NotSealedYet, Objects
from models.packs.manifest import FORMAT, MOST_FILES, FileFact, Manifest
from models.packs.tables import Pack, PackState, PackSubject
from models.packs.verifying import Mismatch, Verifying, verify

__all__ = [
    "FOLDER",
    "FORMAT",
    "KEPT",
    "MOST_FILES",
    "Dossier",
    "FileFact",
    "Made",
    "Manifest",
    "Mismatch",
    "NotSealedYet",
    "Objects",
    "Pack",
    "PackState",
    "PackSubject",
    "Stopped",
    "TooLong",
    "Verifying",
    "address",
    "ask",
    "begin",
    "cancel",
    "dossier",
    "drawn_up",
    "expired",
    "finish",
    "give_up",
    "go_on",
    "items_in",
    "note",
    "pack_of",
    "packs",
    "put_back",
    "take",
    "to_expire",
    "verify",
]
