"""Evidence on the console: what came from paper is typed or scanned in, and reviewed."""

from api import evidence, uploads
from models.base.scope import Role

SUBMITTERS = {Role.OVERSIGHT, Role.INSPECTOR}
routes = (
    evidence.routes_for(
        "console",
        submitters=SUBMITTERS,
        readers={Role.OVERSIGHT, Role.UNIT_LEADER, Role.INSPECTOR},
        reviewers={Role.OVERSIGHT, Role.UNIT_LEADER},
    ),
    uploads.routes_for("console", submitters=SUBMITTERS),
)
