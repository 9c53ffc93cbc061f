"""What a verdict does to the item, in the transaction that keeps the record."""

from dataclasses import dataclass
from uuid import UUID

from models import ledger
from models.base import clock
from models.base.scope import Scope
from models.ledger import Deadline, Item, State
from models.lookbacks.facts import VisitFacts
from models.lookbacks.patterns import relapsed
from models.lookbacks.tables import Effect, LookbackPlan, Verdict, Visit, VisitRecord

CORRECTED = "检查记录已更正，这件后续不用再办。"


@dataclass(frozen=True)
class Outcome:
    """What a record did to its item, and the task that it filed, if it did."""

    effect: Effect
    follow_up_item: UUID | None = None


async def carry_out(
    visit: Visit, item: Item, facts: VisitFacts, *, client_id: UUID, before: VisitRecord | None, by: Scope
) -> Outcome:
    """Carry the verdict out, unless the item has moved on: a record is kept all the same, offline work is not lost.

    A correction takes back what the record before it asked the owner to do on the side, and asks anew where it asks for
    something else; what is done stays done, and a cycle that was opened stays.
    """
    moved_on = item.state is not State.CLOSED or item.cycle != visit.cycle
    if before is not None and before.verdict is facts.verdict:
        asked_alike = before.follow_up == facts.follow_up
        if moved_on or asked_alike or not await _taken_back(visit, before):
            return Outcome(Effect.NONE, before.follow_up_item)
    elif before is not None:
        await _taken_back(visit, before)
    if moved_on:
        return Outcome(Effect.NONE)
    plan = await LookbackPlan.get(zone_id=visit.zone_id, id=visit.plan_id)
    basis = f"回头看「{plan.name}」，{clock.local(facts.visited_at).date()}检查"
    if facts.verdict is Verdict.EFFECTIVE:
        await ledger.confirm(item.id, by=by, basis=basis)
        return Outcome(Effect.CONFIRMED)
    deadline = Deadline(days=facts.rectify_days) if facts.rectify_days else None
    if facts.verdict is Verdict.MOSTLY_EFFECTIVE:
        said = {"filed_for": f"{_filed_for(visit)}{client_id}", "requirement": facts.follow_up}
        task = await ledger.file_follow_up(item.id, by=by, basis=basis, deadline=deadline, **said)
        return Outcome(Effect.FOLLOW_UP, task.id)
    reason = f"回头看结论：{facts.verdict.label}。{facts.seen}"
    if facts.verdict is Verdict.INEFFECTIVE:
        await ledger.send_back(item.id, by=by, reason=reason, basis=basis, deadline=deadline)
        return Outcome(Effect.SENT_BACK)
    await relapsed(await ledger.reopen(item.id, by=by, reason=reason, basis=basis, deadline=deadline))
    return Outcome(Effect.REOPENED)


async def _taken_back(visit: Visit, before: VisitRecord) -> bool:
    """Whether what the record had asked for on the side was still open."""
    if before.follow_up_item is None:
        return False
    filed_for = _filed_for(visit)
    return await ledger.withdraw_follow_up(visit.zone_id, before.follow_up_item, filed_for=filed_for, reason=CORRECTED)


def _filed_for(visit: Visit) -> str:
    """How what a visit files begins; its record's id follows."""
    return f"{visit.id}:"
