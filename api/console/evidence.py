"""Evidence on the console: what came from paper is typed or scanned in, and reviewed."""

from api.evidence import routes_for
from models.base.scope import Role

routes = routes_for(
    "console",
    submitters={Role.OVERSIGHT, Role.INSPECTOR},
    readers={Role.OVERSIGHT, Role.UNIT_LEADER, Role.INSPECTOR},
    reviewers={Role.OVERSIGHT, Role.UNIT_LEADER},
)
