"""Sealing the audit log, and watching that it is sealed."""

from models import escalations, organization
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
    metrics.unsealed_age.set(await audit.unsealed_age())
    metrics.escalations_late.set(await escalations.late_by())
    depth = await outbox.depth()
    metrics.outbox_depth.set(depth.due)
    metrics.outbox_age.set(depth.oldest_seconds)
    metrics.outbox_quarantined.set(depth.quarantined)
