"""Evidence from the phone: files, words, references to paper; and its review by unit leaders."""

from api import evidence, uploads
from api.wire import ANYONE_BOUND

routes = (
    evidence.routes_for("mini", submitters=ANYONE_BOUND, readers=ANYONE_BOUND, reviewers=ANYONE_BOUND),
    uploads.routes_for("mini", submitters=ANYONE_BOUND),
)
"""Evidence as the mini-program and the console both submit, read and review it."""
