"""Firing escalation steps as they come due."""

from models import escalations, organization
from workers import metrics
from workers.relay import Context, every


@every(seconds=1)
async def fire(context: Context) -> None:
    """Fire all that is due, batch by batch."""
    for zone_id in await organization.zone_ids():
        while not context.stopping.is_set() and (late := await escalations.fire(zone_id)):
            for seconds in late:
                metrics.escalation_lag.observe(seconds)
