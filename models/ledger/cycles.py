"""After the close-out: a look-back confirms it, or finds a relapse that opens a new cycle of the same item."""

from uuid import UUID

from models import organization
from models.base import clock
from models.base.calendar import calendar_of
from models.base.database import atomic
from models.base.scope import Scope
from models.ledger.deadlines import Deadline, set_deadline
from models.ledger.issuing import open_cycles
from models.ledger.steps import take
from models.ledger.tables import Item
from models.ledger.transitions import Action

RELAPSE_DAYS = 10
"""Working days for a relapse where the verdict names no deadline."""


@atomic()
async def confirm(item_id: UUID, *, by: Scope, basis: str) -> Item:
    """A look-back found it still settled; `basis` names the visit. Nothing changes but the log."""
    step = await take(Action.CONFIRM, item_id, by, basis=basis)
    return step.item if step.repeated else await step.finish(text=basis)


@atomic()
async def reopen(item_id: UUID, *, by: Scope, reason: str, basis: str, deadline: Deadline | None = None) -> Item:
    """反弹回潮: a new cycle with its own figures, the same number, and the chain as it stands today.

    `basis` names the visit or document; `deadline` is 10 working days unless given. The closed cycle is not touched.
    """
    step = await take(Action.REOPEN, item_id, by, reason=reason, basis=basis)
    if step.repeated:
        return step.item
    item, today = step.item, clock.today()
    chain = await organization.chain_of(item.zone_id, item.owner_id, item.unit_id, today)
    item.chain, item.issued_at, item.closed_at = chain.model_dump(mode="json"), clock.now(), None
    set_deadline(item, deadline or Deadline(days=RELAPSE_DAYS), today, await calendar_of(item.zone_id))
    item.stage_goal, item.next_review_on = "", None
    await open_cycles([item], by, reason=reason.strip(), basis=basis.strip()[:500])
    return await step.finish(text=reason)
