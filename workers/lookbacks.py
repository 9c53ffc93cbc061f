"""What look-backs do by themselves: fetch the pictures of site codes, see what relapses again and again."""

from uuid import UUID

from models import lookbacks, months
from workers.relay import Context, handles


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
