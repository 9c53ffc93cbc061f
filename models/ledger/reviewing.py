"""The two reviews of a close-out, by two people who are not the owner: 初审 and 复核."""

from uuid import UUID

from models import escalations, reminders
from models.base import clock
from models.base.database import atomic
from models.base.scope import Scope
from models.ledger import people, sides, telling
from models.ledger.people import who
from models.ledger.steps import Step, take
from models.ledger.tables import Item, State
from models.ledger.transitions import Action, Party
from models.ledger.working import refuse_unproved
from models.reminders import ReminderKind


@atomic()
async def unit_review(
    item_id: UUID, *, by: Scope, passed: bool, reason: str | None = None, missing: str | None = None
) -> Item:
    """初审: the unit leader passes it on to oversight, or returns it with the reason and what is missing."""
    action = Action.UNIT_APPROVE if passed else Action.UNIT_RETURN
    step = await take(action, item_id, by, reason=reason, missing=missing)
    if step.repeated:
        return step.item
    cycle = step.round
    cycle.unit_reviewed_by = who(by)
    await cycle.save(update_fields=["unit_reviewed_by"])
    if not passed:
        return await _send_back(step, reason or "", missing or "")
    await reminders.settle(step.item.zone_id, ("item", item_id), acknowledged_by=who(by))
    item = await step.finish(text=reason)
    await telling.tell_reviewer(
        item,
        people.barred(Party.OVERSIGHT, item, cycle),
        Party.OVERSIGHT,
        ReminderKind.REVIEW_WAITING,
        f"「{item.title}」初审已通过，请复核。",
        key=f"{item.state.value}:{cycle.returned_times}",
    )
    return item


@atomic()
async def oversight_review(
    item_id: UUID, *, by: Scope, passed: bool, reason: str | None = None, missing: str | None = None
) -> Item:
    """复核: oversight closes the item, or returns it with the reason and what is missing."""
    action = Action.CLOSE_OUT if passed else Action.OVERSIGHT_RETURN
    step = await take(action, item_id, by, reason=reason, missing=missing)
    if step.repeated:
        return step.item
    cycle = step.round
    cycle.overseen_by = who(by)
    if not passed:
        await cycle.save(update_fields=["overseen_by"])
        return await _send_back(step, reason or "", missing or "")
    refuse_unproved(cycle)  # what it was requested on may have been rejected since
    cycle.closed_at = step.item.closed_at = clock.now()
    cycle.first_pass = cycle.returned_times == 0
    await cycle.save(update_fields=["overseen_by", "closed_at", "first_pass"])
    await telling.stop(step.item)
    return await step.finish(text=reason, first_pass=cycle.first_pass)


async def _send_back(step: Step, reason: str, missing: str) -> Item:
    """退回: the owner hears what is missing, the timers run again."""
    item, cycle = step.item, step.round
    cycle.returned_times += 1
    await cycle.save(update_fields=["returned_times"])
    await reminders.settle(item.zone_id, ("item", item.id), acknowledged_by=who(step.by))
    long_term = item.next_review_on is not None
    if long_term:
        await sides.stage_again(item)
    back_to = State.LONG_TERM if long_term else None
    await step.finish(to=back_to, text=reason, missing=missing, returned_times=cycle.returned_times)
    await telling.tell_owner(
        item,
        ReminderKind.RETURNED,
        f"「{item.title}」已退回，还缺：{missing.strip()[:200]}",
        key=f"returned:{cycle.returned_times}",
    )
    if not long_term:
        assert item.due_on is not None
        await escalations.rearm(item.zone_id, item.id, item.due_on)  # a holiday notice may have moved it meanwhile
        await escalations.returned(item.zone_id, item.id, cycle.returned_times)
    return item
