"""What look-backs do by themselves: series are drawn, pictures of site codes fetched, relapses seen together."""

from uuid import UUID

from models import lookbacks, months, organization
from workers.relay import Context, attempt, every, handles


@every(seconds=5)
async def draw_series(context: Context) -> None:
    """Draw what was frozen, then open the periods that are due; one that fails holds up no other."""
    for zone_id in await organization.zone_ids():
        for plan_id in await lookbacks.frozen_plans(zone_id):
            await attempt("lookbacks.draw_frozen", lookbacks.draw_frozen(zone_id, plan_id))
        for series_id in await lookbacks.due_series(zone_id):
            await attempt("lookbacks.open_period", lookbacks.open_period(zone_id, series_id))


@handles(lookbacks.DRAW_SITE_CODE)
async def draw_site_code(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """Ask the platform for the code's picture; asked twice, the second picture is the same."""
    site = await lookbacks.site_to_draw(zone_id, UUID(payload["site"]))
    if site is None:
        return
    picture = await context.wechat.site_code(site.scene, lookbacks.SITE_PAGE)
    await context.store.put(lookbacks.picture_key(zone_id, site.id), picture)
    await lookbacks.site_drawn(zone_id, site.id)


@handles(lookbacks.RELAPSED)
async def relapsed(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """Something relapsed: perhaps it is not the first of its kind; the month in which it was closed reads otherwise."""
    await lookbacks.look_for_pattern(zone_id, UUID(payload["item"]))
    await months.restate(zone_id)
