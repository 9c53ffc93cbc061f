"""After the close-out: a look-back confirms it, leaves something small to do, or opens a new cycle of the same item."""

from uuid import UUID

from tortoise.expressions import Q

from models import escalations, organization
from models.base import clock
from models.base.calendar import calendar_of
from models.base.database import atomic, locked
from models.base.ids import new_id
from models.base.scope import Scope
from models.ledger.deadlines import Deadline, set_deadline
from models.ledger.drafts import policy_codes
from models.ledger.issuing import issue_filed, open_cycles
from models.ledger.sides import cancel
from models.ledger.steps import Step, take
from models.ledger.tables import OPEN, Item, ListKind, Opening
from models.ledger.transitions import Action

RELAPSE_DAYS = 10
"""Working days for what a look-back asks for where the verdict names no deadline."""


@atomic()
async def confirm(item_id: UUID, *, by: Scope, basis: str) -> Item:
    """A look-back found it still settled; `basis` names the visit. Nothing changes but the log."""
    step = await take(Action.CONFIRM, item_id, by, basis=basis)
    return step.item if step.repeated else await step.finish(text=basis)


@atomic()
async def send_back(item_id: UUID, *, by: Scope, reason: str, basis: str, deadline: Deadline | None = None) -> Item:
    """未到位: a look-back found that it never was settled. A new cycle with a new deadline; else as `reopen`."""
    step = await take(Action.SEND_BACK, item_id, by, reason=reason, basis=basis)
    return step.item if step.repeated else await _begin_again(step, Opening.SENT_BACK, reason, basis, deadline)


@atomic()
async def reopen(item_id: UUID, *, by: Scope, reason: str, basis: str, deadline: Deadline | None = None) -> Item:
    """反弹回潮: a new cycle with its own figures, the same number, and the chain as it stands today.

    `basis` names the visit or document; `deadline` is 10 working days unless given. From now on the item is watched by
    the zone's policy `important`, where it has not been retired. The closed cycle is not touched.
    """
    step = await take(Action.REOPEN, item_id, by, reason=reason, basis=basis)
    return step.item if step.repeated else await _begin_again(step, Opening.RELAPSE, reason, basis, deadline)


async def _begin_again(step: Step, opening: Opening, reason: str, basis: str, deadline: Deadline | None) -> Item:
    item, today = step.item, clock.today()
    chain = await organization.chain_of(item.zone_id, item.owner_id, item.unit_id, today)
    item.chain, item.issued_at, item.closed_at = chain.model_dump(mode="json"), clock.now(), None
    set_deadline(item, deadline or Deadline(days=RELAPSE_DAYS), today, await calendar_of(item.zone_id))
    item.stage_goal, item.next_review_on = "", None
    item.policy_codes = await _policies(item, opening)
    await open_cycles([item], step.by, opening=opening, reason=reason.strip(), basis=basis.strip()[:500])
    return await step.finish(text=reason)


async def _policies(item: Item, opening: Opening) -> list[str]:
    """A policy that was retired since the item was issued must not keep it closed."""
    known = set(await policy_codes(item.zone_id))
    if opening is Opening.RELAPSE and escalations.IMPORTANT.code in known:
        return [escalations.IMPORTANT.code]
    return [code for code in item.policy_codes if code in known]


@atomic()
async def file_follow_up(
    item_id: UUID, *, by: Scope, filed_for: str, requirement: str, basis: str, deadline: Deadline | None = None
) -> Item:
    """基本到位: what remains of a closed item, as a small task of its owner that oversight alone reviews, issued.

    `filed_for` (≤ 80 characters) says for what: it is filed once. So is the same requirement while an earlier one is
    open. Of the closed item nothing changes. `deadline` is 10 working days unless given. Raises NotFound.
    """
    item = await locked(Item.filter(zone_id=by.zone_id), item_id)
    words = requirement.strip()
    filed = Item.filter(zone_id=by.zone_id, follows=item.id)
    alike = Q(Q(filed_for=filed_for), Q(state__in=list(OPEN), requirement=words), join_type=Q.OR)
    if (existing := await filed.filter(alike).first()) is not None:
        return existing
    known = set(await policy_codes(item.zone_id))
    kept = ("zone_id", "campaign_id", "area", "classification", "owner_id", "unit_id", "unit_path")
    task = Item(
        **{name: getattr(item, name) for name in kept},
        id=new_id(),
        list=ListKind.TASK,
        title=f"后续：{item.title}"[:100],
        requirement=words,
        basis=f"{basis}，原事项{item.number}"[:500],
        policy_codes=[code for code in item.policy_codes if code in known],
        immediate_fix=True,
        due_on=deadline.on if deadline else None,
        due_days=deadline.days if deadline else RELAPSE_DAYS,
        follows=item.id,
        filed_for=filed_for,
        drafted_at=clock.now(),
    )
    return await issue_filed(task, by)


async def withdraw_follow_up(zone_id: UUID, task_id: UUID, *, filed_for: str, reason: str) -> bool:
    """What was to follow is not to be done after all: cancelled if it is open and was filed for what begins so.

    Whether it was.
    """
    filed = Item.filter(zone_id=zone_id, id=task_id, filed_for__startswith=filed_for)
    if not await filed.filter(state__in=list(OPEN)).exists():
        return False
    await cancel(task_id, by=Scope.system(zone_id), reason=reason)
    return True
