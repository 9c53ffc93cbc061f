"""A reviewer's word on a piece of evidence."""

from collections.abc import Sequence
from uuid import UUID

from models import ledger
from models.base import audit, clock
from models.base.database import atomic, locked
from models.base.errors import Conflict, Fault, Forbidden, Invalid
from models.base.scope import Role, Scope
from models.evidence.attaching import readable
from models.evidence.tables import Evidence, Review
from models.ledger import telling
from models.ledger.people import parties, selves, visible, who
from models.reminders import ReminderKind

REVIEWERS = frozenset({ledger.Party.UNIT_REVIEWER, ledger.Party.OVERSIGHT})
OVER = frozenset({ledger.State.CLOSED, ledger.State.CANCELLED})


@atomic()
async def review(evidence_id: UUID, *, by: Scope, verdict: Review, reason: str = "") -> Evidence:
    """Accept it, reject it or ask for more; the last two need a reason, and the owner is told.

    Anybody of the item's reviewers may speak, and again until the item is closed; the log keeps each word. Never who
    submitted it, nor the owner. Raises NotFound, Forbidden (`not_your_step`, `same_person`), Invalid, Conflict.
    """
    _refuse_unreasoned(verdict, reason)
    await readable(evidence_id, by=by)
    evidence = await locked(Evidence.filter(zone_id=by.zone_id), evidence_id)
    item = await ledger.readable(evidence.item_id, by=by) if evidence.item_id else None
    reviewer = await _reviewer(evidence, item, by)
    if (evidence.review, evidence.review_reason, evidence.reviewed_by) == (verdict, reason.strip(), reviewer):
        return evidence
    if item and item.state in OVER:
        raise Conflict("wrong_state", f"事项现在是「{item.state.label}」，材料不再审核。", state=item.state.value)
    if item:
        await _count(item, evidence, verdict)
    evidence.review, evidence.review_reason = verdict, reason.strip()
    evidence.reviewed_by, evidence.reviewed_at = reviewer, clock.now()
    await evidence.save(update_fields=["review", "review_reason", "reviewed_by", "reviewed_at"])
    await audit.record(by, "evidence.reviewed", ("evidence", evidence.id), verdict=verdict.value)
    if item and verdict is not Review.ACCEPTED:
        await _tell(item, evidence)
    return evidence


async def _count(item: ledger.Item, evidence: Evidence, verdict: Review) -> None:
    """What is rejected no longer stands for a close-out, until somebody takes the word back."""
    change = (evidence.review is Review.REJECTED) - (verdict is Review.REJECTED)
    if change and evidence.visit_id is None and evidence.cycle == item.cycle:
        await ledger.count_evidence(item, change)


def _refuse_unreasoned(verdict: Review, reason: str) -> None:
    if verdict is Review.PENDING:
        raise Invalid("bad_verdict", "请选择认可、不予采纳或需要补充。")
    if verdict is not Review.ACCEPTED and not reason.strip():
        fault = Fault("/reason", "required", "请填写理由。")
        raise Invalid("required", "请写明理由和还缺什么，以便责任人补充。", faults=(fault,))


async def reviewable(rows: Sequence[Evidence], *, by: Scope) -> frozenset[UUID]:
    """Those of `rows`, a page of one item's or one visit's, that the caller may review now."""
    found: set[UUID] = set()
    others = [row for row in rows if row.submitted_by != who(by)]  # nobody reviews their own
    for item_id in {row.item_id for row in others}:  # at most two: the item, and none where a visit's names none
        item = await visible(by, await selves(by)).get_or_none(id=item_id) if item_id else None
        if (item_id and item is None) or (item and item.state in OVER) or not await _reviews(item, by):
            continue
        found |= {row.id for row in others if row.item_id == item_id and who(by) not in _barred(row, item)}
    return frozenset(found)


async def _reviews(item: ledger.Item | None, by: Scope) -> bool:
    if who(by) is None:
        return False
    if item is None:
        return by.may(Role.OVERSIGHT)
    return bool(REVIEWERS & (await parties(item, by, await selves(by))).keys())


def _barred(evidence: Evidence, item: ledger.Item | None) -> set[UUID]:
    return {evidence.submitted_by, *([item.owner_id] if item else [])}


async def _reviewer(evidence: Evidence, item: ledger.Item | None, by: Scope) -> UUID:
    reviewer = who(by)
    if reviewer is None or not await _reviews(item, by):
        raise Forbidden("not_your_step", "佐证材料由单位负责人或监督机构审核，您可以查看，不用操作。")
    if reviewer in _barred(evidence, item):
        raise Forbidden("same_person", "材料不能由提交人或责任人自己审核，请由其他同志审核。")
    return reviewer


async def _tell(item: ledger.Item, evidence: Evidence) -> None:
    """Once for each word said: the moment is part of the key."""
    summary = f"「{item.title}」的一份佐证材料{evidence.review.label}：{evidence.review_reason}"[:300]
    key = f"evidence:{evidence.id}:{int(evidence.reviewed_at.timestamp())}"
    await telling.tell_owner(item, ReminderKind.RETURNED, summary, key=key)
