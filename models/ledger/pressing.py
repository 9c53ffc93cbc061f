"""催办 and 暂缓提醒: only what is with its owner can be urged or held."""

from datetime import datetime
from uuid import UUID

from models import escalations
from models.base.database import atomic, locked
from models.base.errors import Conflict
from models.base.scope import Scope
from models.ledger import people
from models.ledger.deadlines import TIMED
from models.ledger.tables import Item


@atomic()
async def urge(item_id: UUID, *, by: Scope, note: str | None = None) -> UUID | None:
    """`escalations.urge`. Raises NotFound, Conflict (`wrong_state`), TooMany (`urged_recently`)."""
    await _with_owner(item_id, by, "催办")
    return await escalations.urge(item_id, by=by, note=note)


@atomic()
async def hold(item_id: UUID, *, by: Scope, until: datetime, why: str) -> None:
    """`escalations.hold`. Raises NotFound, Conflict (`wrong_state`), Invalid (`required`, `bad_hold`)."""
    await _with_owner(item_id, by, "暂缓提醒")
    await escalations.hold(item_id, by=by, until=until, why=why)


@atomic()
async def release(item_id: UUID, *, by: Scope) -> None:
    """`escalations.release`. Raises NotFound, Conflict (`wrong_state`)."""
    await _with_owner(item_id, by, "恢复提醒")
    await escalations.release(item_id, by=by)


async def _with_owner(item_id: UUID, by: Scope, step: str) -> Item:
    item = await locked(people.visible(by, await people.selves(by)), item_id)
    if item.state not in TIMED:
        label = item.state.label
        raise Conflict("wrong_state", f"这件事项现在是「{label}」，不用{step}。", state=item.state.value)
    return item
