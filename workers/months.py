"""Months are frozen after they have ended; what has become another figure since is said beside it."""

import structlog

from models import months, organization
from workers.relay import Context, every

log = structlog.get_logger()


@every(seconds=3600)
async def freeze(context: Context) -> None:
    """Freeze what has ended since."""
    for zone_id in await organization.zone_ids():
        for month in await months.freeze(zone_id):
            log.info("month.frozen", month=f"{month:%Y-%m}")


@every(seconds=6 * 3600)
async def restate(context: Context) -> None:
    """Compare with what is known by now; what a relapse changes is said at once."""
    for zone_id in await organization.zone_ids():
        await months.restate(zone_id)
