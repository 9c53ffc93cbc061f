"""催办 by a person: only while it is the owner's turn. Whoever waits for a review, or is done, is left in peace."""

from uuid import UUID

from models import escalations
from models.base.database import atomic, locked
from models.base.errors import Conflict
from models.base.scope import Scope
from models.ledger.tables import RUNNING, Item


@atomic()
async def urge(item_id: UUID, *, by: Scope, note: str | None = None) -> None:
    """Urge the owner, not again within the zone's interval.

    Raises NotFound (to whoever does not stand above the owner), TooMany (`urged_recently`), Conflict (`wrong_state`).
    """
    item = await locked(Item.filter(zone_id=by.zone_id), item_id)
    await escalations.urge(item_id, by=by, note=note)  # it knows who may; what it did is undone by a refusal
    if item.state not in RUNNING:
        detail = f"事项现在是「{item.state.label}」，责任人没有要办的事，不用催办。"
        raise Conflict("wrong_state", detail, state=item.state.value)
