"""Recording what a visit found, and what the verdict does to the item: all of it in one transaction, or nothing."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

import orjson
from tortoise.exceptions import IntegrityError

from models import ledger, organization, reminders
from models.base import audit, clock
from models.base.database import atomic, locked
from models.base.errors import Conflict, Fault, Forbidden, Invalid
from models.base.ids import new_id
from models.base.scope import Scope
from models.evidence import NOTHING, Brought, Evidence
from models.ledger import Deadline, Item, State
from models.lookbacks.facts import VisitFacts, checked
from models.lookbacks.tables import Cosignature, Effect, LookbackPlan, Source, Verdict, Visit, VisitRecord
from models.lookbacks.visits import assigned_to, overseen_by
from models.reminders import ReminderKind


@dataclass(frozen=True)
class _Sent:
    """One record on its way in."""

    facts: VisitFacts
    client_id: UUID
    source: Source
    paper: str = ""
    correction_reason: str = ""
    brought: Brought = NOTHING

    def digest(self, visit_id: UUID) -> bytes:
        form = {
            "visit": str(visit_id),
            "facts": self.facts.model_dump(mode="json"),
            "source": self.source,
            "paper": self.paper,
            "correction_reason": self.correction_reason,
        }
        return hashlib.sha256(orjson.dumps(form, option=orjson.OPT_SORT_KEYS)).digest()


@atomic()
async def record_visit(
    visit_id: UUID,
    facts: VisitFacts,
    *,
    by: Scope,
    client_id: UUID,
    correction_reason: str = "",
    brought: Brought = NOTHING,
) -> VisitRecord:
    """An inspector of the team records from the phone, perhaps hours later: `client_id` sent again gives the original.

    The first verdict counts; changing it afterwards is a correction and says why. Raises NotFound, Invalid
    (`no_such_line`, `unknown_evidence`), Conflict (`client_id_reused`, `already_recorded`, `nothing_to_correct`).
    """
    visit = await locked(assigned_to(by), visit_id)
    reason = correction_reason.strip()
    sent = _Sent(facts, client_id, Source.PHONE, correction_reason=reason, brought=brought)
    return await _record(visit, sent, by)


@atomic()
async def record_from_paper(
    visit_id: UUID, facts: VisitFacts, *, by: Scope, client_id: UUID, paper: str, correction_reason: str = ""
) -> VisitRecord:
    """Oversight types in what an inspector wrote on paper; `paper` tells where the sheet is kept. Raises as above."""
    visit = await locked(overseen_by(by), visit_id)
    if not paper.strip():
        raise Invalid("paper_needed", "请填写纸质记录的编号或存放处。")
    return await _record(visit, _Sent(facts, client_id, Source.PAPER, paper.strip(), correction_reason.strip()), by)


async def _record(visit: Visit, sent: _Sent, by: Scope) -> VisitRecord:
    known = await VisitRecord.get_or_none(zone_id=by.zone_id, client_id=sent.client_id)
    if known is not None:
        return _replayed(known, sent.digest(visit.id))
    before = await _last_record(visit)
    _refuse_order(before, sent)
    await _refuse_other_evidence(visit, sent.facts)
    item = await locked(Item.filter(zone_id=by.zone_id), visit.item_id)
    checks = checked(item.requirement, sent.facts.checks)
    effect = await _apply(visit, item, sent.facts, before, by)
    record = await _keep(visit, sent, by, before=before, checks=checks, effect=effect)
    if visit.recorded_at is None:
        visit.recorded_at = record.received_at
        await visit.save(update_fields=["recorded_at"])
        await _settle(visit, by)
    return record


def _replayed(known: VisitRecord, digest: bytes) -> VisitRecord:
    if bytes(known.digest) != digest:
        raise Conflict("client_id_reused", "这个编号已用于另一份记录，这次的内容没有保存。请换一个新的编号再提交。")
    return known


async def _last_record(visit: Visit) -> VisitRecord | None:
    return await VisitRecord.filter(zone_id=visit.zone_id, visit_id=visit.id).order_by("-id").first()


def _refuse_order(before: VisitRecord | None, sent: _Sent) -> None:
    if before is not None and not sent.correction_reason:
        raise Conflict("already_recorded", "这次检查已有记录，以先到的为准。如需更正，请写明更正理由后再提交。")
    if before is None and sent.correction_reason:
        raise Conflict("nothing_to_correct", "这次检查还没有记录，不用填更正理由。")


async def _refuse_other_evidence(visit: Visit, facts: VisitFacts) -> None:
    of_visit = Evidence.filter(zone_id=visit.zone_id, visit_id=visit.id)
    known = set(await of_visit.filter(id__in=facts.evidence).values_list("id", flat=True)) if facts.evidence else set()
    faults = tuple(
        Fault(f"/evidence/{place}", "unknown_evidence", "没有找到这份佐证材料，请先提交到这次检查。")
        for place, piece in enumerate(facts.evidence)
        if piece not in known
    )
    if faults:
        raise Invalid("unknown_evidence", "有佐证材料不属于这次检查。其余内容都还在。", faults=faults)


async def _apply(visit: Visit, item: Item, facts: VisitFacts, before: VisitRecord | None, by: Scope) -> Effect:
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


async def _keep(
    visit: Visit, sent: _Sent, by: Scope, *, before: VisitRecord | None, checks: list[dict[str, object]], effect: Effect
) -> VisitRecord:
    facts, digest = sent.facts, sent.digest(visit.id)
    try:
        record = await VisitRecord.create(
            id=new_id(),
            zone_id=visit.zone_id,
            visit_id=visit.id,
            client_id=sent.client_id,
            digest=digest,
            **facts.model_dump(include={"verdict", "seen", "follow_up", "visited_at"}),
            **(facts.place.kept() if facts.place else {}),
            checks=checks,
            evidence=[str(piece) for piece in facts.evidence],
            received_at=clock.now(),
            recorded_by=by.actor,
            source=sent.source,
            paper=sent.paper,
            corrects=before.id if before else None,
            correction_reason=sent.correction_reason,
            effect=effect,
            nonce=sent.brought.nonce,
            clock_skew=sent.brought.clock_skew,
        )
    except IntegrityError:  # the same client_id for two visits at the same instant: the lock is on each visit alone
        raise Conflict("client_id_reused", "这个编号已用于另一份记录，这次的内容没有保存。") from None
    said = {
        "record": str(record.id),
        "record_sha256": digest.hex(),
        "words_sha256": audit.words_hash(record.seen, record.follow_up),  # without a place, for who may not see it
        "verdict": record.verdict.value,
    }
    event = "visit.corrected" if before else "visit.recorded"
    await audit.record(by, event, ("visit", visit.id), **said, effect=effect.value, source=sent.source.value)
    return record


async def _settle(visit: Visit, by: Scope) -> None:
    """Whoever has no visit of the plan left has done what the draw asked of them."""
    await locked(LookbackPlan.filter(zone_id=visit.zone_id), visit.plan_id)  # of two last visits at once, one sees both
    left = await Visit.filter(zone_id=visit.zone_id, plan_id=visit.plan_id, recorded_at__isnull=True)
    busy = {person for other in left for person in other.team}
    for person in visit.team:
        if person not in busy:
            await reminders.settle(
                visit.zone_id, ("lookback", visit.plan_id), person_id=person, acknowledged_by=by.person_id
            )


@atomic()
async def cosign(visit_id: UUID, record_id: UUID, *, by: Scope) -> Cosignature:
    """The other inspector was there and found the same; said once, on their own phone, for the record that they saw.

    A phone may say it hours later: nobody signs a correction unseen. Raises NotFound, Forbidden (`own_record`),
    Conflict (`no_second_inspector`, `not_recorded`, `record_changed`, `already_cosigned`).
    """
    visit = await locked(assigned_to(by), visit_id)
    if visit.second_inspector_id is None:
        raise Conflict("no_second_inspector", "这次检查只有一位检查人员，不用会签。")
    record = await _last_record(visit)
    if record is None:
        raise Conflict("not_recorded", "这次检查还没有记录，有了记录再会签。")
    if record.id != record_id:
        raise Conflict("record_changed", "您看过之后，这份记录有了更正。请看过更正后的记录再会签。")
    if record.recorded_by == by.actor:
        raise Forbidden("own_record", "这份记录是您自己填的，请由另一位检查人员会签。")
    signed = await Cosignature.get_or_none(zone_id=by.zone_id, record_id=record.id)
    if signed is None:
        signed = await Cosignature.create(
            id=new_id(), zone_id=by.zone_id, record_id=record.id, person_id=by.person_id, signed_at=clock.now()
        )
        await audit.record(by, "visit.cosigned", ("visit", visit.id), record=str(record.id))
    if signed.person_id != by.person_id:
        raise Conflict("already_cosigned", "另一位检查人员已经会签。")
    return signed
