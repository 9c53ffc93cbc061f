"""Looking whether everything due has an outcome, telling it as metrics, and to a dead man's switch while it has."""

from datetime import timedelta

from gateways import dead_man
from models import deliveries, organization, watchdog
from models.base import alarms, clock
from workers import metrics
from workers.relay import Context, every


@every(seconds=60)
async def look(context: Context) -> None:
    """A zone that cannot be looked at ends the round: then nothing is known, and the switch hears nothing."""
    unknown = 0
    for zone_id in await organization.zone_ids():
        await watchdog.look(zone_id)
        unknown += len(await deliveries.unknown_since(clock.now() - timedelta(days=1), zone_id))
    await alarms.clear_past()
    metrics.unknown.set(unknown)
    counted = await alarms.count_open()
    for kind, count in counted.items():
        metrics.alarms.labels(kind.value).set(count)
    if context.settings.dead_man_url and not any(counted.values()):
        await dead_man.ping(context.settings.dead_man_url)
