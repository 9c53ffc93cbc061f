"""Series of look-backs: what is due is frozen, and drawn once the log has sealed it."""

from models import lookbacks, organization
from workers.relay import Context, attempt, every


@every(seconds=5)
async def draw_series(context: Context) -> None:
    """Draw what was frozen, then open the periods that are due; one that fails holds up no other."""
    for zone_id in await organization.zone_ids():
        for plan_id in await lookbacks.frozen_plans(zone_id):
            await attempt("lookbacks.draw_frozen", lookbacks.draw_frozen(zone_id, plan_id))
        for series_id in await lookbacks.due_series(zone_id):
            await attempt("lookbacks.open_period", lookbacks.open_period(zone_id, series_id))
