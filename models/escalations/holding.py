"""暂缓: a person holds an item's escalation until a moment; what came due meanwhile is told then, once to each."""

from datetime import datetime, timedelta
from uuid import UUID

from models.base import audit, clock
from models.base.database import atomic
from models.base.errors import Fault, Invalid
from models.base.scope import Scope
from models.escalations.deciding import watched_by
from models.escalations.tables import Watch
from models.escalations.timers import recount

LONGEST = timedelta(days=60)


@atomic()
async def hold(item_id: UUID, *, by: Scope, until: datetime, why: str) -> Watch:
    """Nothing of the item's escalation comes due before `until`, at most 60 days ahead; the deadline stays as it is.

    Again moves the moment. People may still urge. Raises NotFound for who stands neither above the owner nor over
    them, Invalid (`required`, `bad_hold`).
    """
    if not why.strip():
        raise Invalid("required", "请写明暂缓提醒的理由。", faults=(Fault("/why", "required", "请填写理由。"),))
    if not clock.now() < until <= clock.now() + LONGEST:
        fault = Fault("/until", "bad_hold", f"请选择今后{LONGEST.days}天以内的时间。要停得更久，请办理挂账。")
        raise Invalid("bad_hold", fault.detail, faults=(fault,))
    watch, _ = await watched_by(by, item_id)
    return await _set(watch, by, until, why.strip()[:500], "escalation.held")


@atomic()
async def release(item_id: UUID, *, by: Scope) -> Watch:
    """The hold ends now; again changes nothing. Raises NotFound."""
    watch, _ = await watched_by(by, item_id)
    if watch.held_until is None:
        return watch
    return await _set(watch, by, None, "", "escalation.released")


async def _set(watch: Watch, by: Scope, until: datetime | None, why: str, event: str) -> Watch:
    if (watch.held_until, watch.held_why) == (until, why):
        return watch
    watch.held_until, watch.held_why = until, why
    await watch.save(update_fields=["held_until", "held_why"])
    await recount(watch.zone_id, watch.item_id)
    until_text = until.isoformat() if until else None
    await audit.record(by, event, ("item", watch.item_id), cycle=watch.cycle, until=until_text)
    return watch
