"""What a verdict does to the item, in the transaction that keeps the record."""

from models import ledger, organization, reminders
from models.base import clock
from models.base.scope import Scope
from models.ledger import Deadline, Item, State
from models.lookbacks.facts import VisitFacts
from models.lookbacks.tables import Effect, LookbackPlan, Verdict, Visit, VisitRecord
from models.reminders import ReminderKind


async def carry_out(visit: Visit, item: Item, facts: VisitFacts, before: VisitRecord | None, by: Scope) -> Effect:
    """Carry the verdict out, unless the item has moved on: a record is kept all the same, offline work is not lost."""
    if item.state is not State.CLOSED or item.cycle != visit.cycle:
        return Effect.NONE
    if before is not None and before.verdict is facts.verdict:
        return Effect.NONE
    plan = await LookbackPlan.get(zone_id=visit.zone_id, id=visit.plan_id)
    basis = f"回头看「{plan.name}」，{clock.local(facts.visited_at).date()}检查"
    if facts.verdict is Verdict.EFFECTIVE:
        await ledger.confirm(item.id, by=by, basis=basis)
        return Effect.CONFIRMED
    if facts.verdict is Verdict.MOSTLY_EFFECTIVE:
        await _tell_follow_up(visit, item, facts)
        return Effect.FOLLOW_UP
    deadline = Deadline(days=facts.rectify_days) if facts.rectify_days else None
    reason = f"回头看结论：{facts.verdict.label}。{facts.seen}"
    await ledger.reopen(item.id, by=by, reason=reason, basis=basis, deadline=deadline)
    return Effect.REOPENED


async def _tell_follow_up(visit: Visit, item: Item, facts: VisitFacts) -> None:
    owner = await organization.stand_in(item.zone_id, item.owner_id, clock.today())
    if owner is not None:
        await reminders.remind(
            item.zone_id,
            owner,
            ReminderKind.INFORMED,
            subject=("item", item.id),
            summary=f"「{item.title}」回头看结论为基本到位，后续：{facts.follow_up}"[:300],
            key=f"visit:{visit.id}:follow_up",
        )
