"""Sealing the audit log, and watching that it is sealed."""

from models import organization
from models.base import audit, outbox
from models.base.audit.sealer import ROWS_A_BLOCK
from workers import metrics
from workers.relay import Context, every


@every(seconds=1)
async def seal(context: Context) -> None:
    """Bind each zone's new rows into blocks."""
    for zone_id in await organization.zone_ids():
        while await audit.seal(zone_id) == ROWS_A_BLOCK:
            pass


@every(seconds=5)
async def watch(context: Context) -> None:
    """Figures that only the database knows."""
    ages = [await audit.unsealed_age(zone_id) for zone_id in await organization.zone_ids()]
    metrics.unsealed_age.set(max(ages, default=0.0))
    depth, age = await outbox.depth()
    metrics.outbox_depth.set(depth)
    metrics.outbox_age.set(age)
