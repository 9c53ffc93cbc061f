"""Evidence from the phone: files, words, references to paper; and its review by unit leaders."""

from api.evidence import routes_for
from api.wire import ANYONE_BOUND

routes = routes_for("mini", submitters=ANYONE_BOUND, readers=ANYONE_BOUND, reviewers=ANYONE_BOUND)
