"""Recording what a visit found, and what the verdict does to the item: all of it in one transaction, or nothing."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from models import reminders
from models.base import audit, clock
from models.base.database import as_json, atomic, locked
from models.base.errors import Conflict, Fault, Invalid
from models.base.ids import new_id
from models.base.scope import Scope
from models.evidence import NOTHING, Brought, Evidence
from models.ledger import Item
from models.lookbacks.facts import VisitFacts, checked
from models.lookbacks.tables import LookbackPlan, Source, Visit, VisitRecord
from models.lookbacks.verdicts import carry_out
from models.lookbacks.visits import assigned_to, overseen_by


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One record on its way in; `evidence_of` are the visits that its photos may have been submitted to."""

    facts: VisitFacts
    client_id: UUID
    digest: bytes
    source: Source
    written_by: UUID
    evidence_of: tuple[UUID, ...]
    together: UUID | None = None
    paper: str = ""
    correction_reason: str = ""
    brought: Brought = NOTHING


def digest_of(**form: Any) -> bytes:
    """SHA-256 that tells a replay of what was sent from anything else."""
    return hashlib.sha256(as_json(form).encode()).digest()


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
    assert by.person_id is not None
    said = {"source": Source.PHONE, "written_by": by.person_id, "correction_reason": correction_reason.strip()}
    return await _record(visit, facts, by, said, client_id=client_id, brought=brought)


@atomic()
async def record_from_paper(
    visit_id: UUID,
    facts: VisitFacts,
    *,
    by: Scope,
    client_id: UUID,
    paper: str,
    written_by: UUID | None = None,
    correction_reason: str = "",
) -> VisitRecord:
    """Oversight types in what an inspector wrote on paper; `paper` tells where the sheet is kept.

    `written_by` is the inspector who wrote it; one who went alone need not be named. Raises as above, and Invalid
    (`paper_needed`, `writer_needed`, `not_of_the_team`).
    """
    visit = await locked(overseen_by(by), visit_id)
    if not paper.strip():
        raise Invalid("paper_needed", "请填写纸质记录的编号或存放处。")
    said = {"source": Source.PAPER, "written_by": _writer(visit, written_by), "paper": paper.strip()}
    said |= {"correction_reason": correction_reason.strip()}
    return await _record(visit, facts, by, said, client_id=client_id)


def _writer(visit: Visit, written_by: UUID | None) -> UUID:
    """Whoever wrote the sheet cannot co-sign it, so of two it has to be known which."""
    if written_by is None and visit.second_inspector_id is not None:
        fault = Fault("/written_by", "writer_needed", "这次检查有两位检查人员，请选纸质记录是哪一位写的。")
        raise Invalid("writer_needed", fault.detail, faults=(fault,))
    if written_by not in (None, *visit.team):
        fault = Fault("/written_by", "not_of_the_team", "纸质记录须由这次检查的检查人员所写，请核对。")
        raise Invalid("not_of_the_team", fault.detail, faults=(fault,))
    return written_by or visit.inspector_id


async def _record(
    visit: Visit, facts: VisitFacts, by: Scope, said: dict[str, Any], *, client_id: UUID, brought: Brought = NOTHING
) -> VisitRecord:
    digest = digest_of(**said, visit=visit.id, facts=facts.model_dump(mode="json"))
    sent = Sent(facts=facts, client_id=client_id, digest=digest, evidence_of=(visit.id,), brought=brought, **said)
    if (known := await already_sent(by.zone_id, client_id, sent.digest)) is not None:
        return known
    item = await locked(Item.filter(zone_id=by.zone_id), visit.item_id)
    record = await keep(visit, item, sent, by)
    await settle([visit], by)
    return record


async def already_sent(zone_id: UUID, client_id: UUID, digest: bytes) -> VisitRecord | None:
    """The record of that id, if there is one. Raises Conflict (`client_id_reused`) where something else was said."""
    known = await VisitRecord.get_or_none(zone_id=zone_id, client_id=client_id)
    if known is not None and bytes(known.digest) != digest:
        raise Conflict("client_id_reused", "这个编号已用于另一份记录，这次的内容没有保存。请换一个新的编号再提交。")
    return known


async def keep(visit: Visit, item: Item, sent: Sent, by: Scope) -> VisitRecord:
    """Keep the record of a visit and carry its verdict out; both rows are locked."""
    before = await last_record(visit)
    _refuse_order(before, sent)
    await _refuse_other_evidence(sent, by, before)
    checks = checked(item.requirement, sent.facts.checks)
    outcome = await carry_out(visit, item, sent.facts, client_id=sent.client_id, before=before, by=by)
    record = await _write(visit, sent, by, corrects=before and before.id, checks=checks, **asdict(outcome))
    if visit.recorded_at is None:
        visit.recorded_at = record.received_at
        await visit.save(update_fields=["recorded_at"])
    said = {
        "record": str(record.id),
        "record_sha256": sent.digest.hex(),
        # without a place, for who may not see it
        "words_sha256": audit.words_hash(record.seen, record.interview, record.follow_up),
        "verdict": record.verdict.value,
    }
    event = "visit.corrected" if before else "visit.recorded"
    await audit.record(by, event, ("visit", visit.id), **said, effect=record.effect.value, source=sent.source.value)
    return record


async def last_record(visit: Visit) -> VisitRecord | None:
    """What stands of the visit: the first record, or its last correction."""
    return await VisitRecord.filter(zone_id=visit.zone_id, visit_id=visit.id).order_by("-id").first()


def _refuse_order(before: VisitRecord | None, sent: Sent) -> None:
    if before is not None and not sent.correction_reason:
        raise Conflict(
            "already_recorded",
            "这次检查已有记录，以先到的为准。如需更正，请写明更正理由后再提交。",
            visit_id=str(before.visit_id),
        )
    if before is None and sent.correction_reason:
        raise Conflict("nothing_to_correct", "这次检查还没有记录，不用填更正理由。")


async def _refuse_other_evidence(sent: Sent, by: Scope, before: VisitRecord | None) -> None:
    """A correction may name what it corrects named: photos of a stop were submitted to one of its visits."""
    of_visits = Evidence.filter(zone_id=by.zone_id, visit_id__in=sent.evidence_of)
    named = sent.facts.evidence
    known: set[Any] = {UUID(piece) for piece in before.evidence} if before else set()
    known |= set(await of_visits.filter(id__in=named).values_list("id", flat=True)) if named else set()
    faults = tuple(
        Fault(f"/evidence/{place}", "unknown_evidence", "没有找到这份佐证材料，请先提交到这次检查。")
        for place, piece in enumerate(named)
        if piece not in known
    )
    if faults:
        raise Invalid("unknown_evidence", "有佐证材料不属于这次检查。其余内容都还在。", faults=faults)


async def _write(visit: Visit, sent: Sent, by: Scope, **found: Any) -> VisitRecord:
    facts = sent.facts
    plain = ("client_id", "digest", "source", "paper", "correction_reason", "written_by", "together")
    try:
        return await VisitRecord.create(
            id=new_id(),
            zone_id=visit.zone_id,
            visit_id=visit.id,
            **{name: getattr(sent, name) for name in plain},
            **facts.model_dump(include={"verdict", "seen", "interview", "follow_up", "visited_at"}),
            **(facts.place.kept() if facts.place else {}),
            evidence=[str(piece) for piece in facts.evidence],
            received_at=clock.now(),
            recorded_by=by.actor,
            nonce=sent.brought.nonce,
            clock_skew=sent.brought.clock_skew,
            **found,
        )
    except IntegrityError:  # the same client_id for two visits at the same instant: the lock is on each visit alone
        raise Conflict("client_id_reused", "这个编号已用于另一份记录，这次的内容没有保存。") from None


async def settle(visits: Iterable[Visit], by: Scope) -> None:
    """Whoever has no visit of a plan left has done what its draw asked of them."""
    teams: dict[UUID, set[UUID]] = {}
    for visit in visits:
        teams.setdefault(visit.plan_id, set()).update(visit.team)
    for plan_id in sorted(teams):
        plans = LookbackPlan.filter(zone_id=by.zone_id)
        await locked(plans, plan_id)  # of two last visits at once, one sees both
        left = await Visit.filter(zone_id=by.zone_id, plan_id=plan_id, recorded_at__isnull=True)
        busy = {person for other in left for person in other.team}
        for person in sorted(teams[plan_id] - busy):
            await reminders.settle(by.zone_id, ("lookback", plan_id), person_id=person, acknowledged_by=by.person_id)
