"""Submitting evidence, and reading what was submitted."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise.queryset import QuerySet

from models import ledger
from models.base import audit, clock, database, outbox
from models.base.database import Row, atomic
from models.base.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from models.base.scope import Role, Scope
from models.evidence import verifying
from models.evidence.intake import Received
from models.evidence.tables import Blob, Derivation, Evidence, Form, Kind, Nonce
from models.ledger.people import parties, reading_as, seen, selves, who
from models.ledger.tables import REVIEWED, RUNNING

DERIVE = outbox.job("evidence.derive")
COMPARE = outbox.job("evidence.compare")
SUBMITTERS = frozenset({ledger.Party.OWNER, ledger.Party.UNIT_REVIEWER, ledger.Party.OVERSIGHT})
TAKING = RUNNING | REVIEWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a phone's write brought along without saying anything by it (columns of Evidence)."""

    nonce: Nonce | None = None
    clock_skew: int | None = None


NOTHING = Brought()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What somebody submits: for an item, a visit, or a visit to an item.

    `client_id` is made where it was captured, so that a queue may send it again. A file has been taken in before
    (`received`); the two other kinds are words.
    """

    client_id: UUID
    kind: Kind
    item_id: UUID | None = None
    visit_id: UUID | None = None
    received: Received | None = None
    text: str = ""
    paper_reference: str = ""
    captured_at: datetime | None = None
    effective_on: date | None = None
    brought: Brought = NOTHING

    @property
    def digest(self) -> str:
        """SHA-256 over all that is said: the same submission, or another one under the same id."""
        return digest_of(
            kind=self.kind,
            item=self.item_id,
            visit=self.visit_id,
            sha256=self.received and self.received.sha256,
            text=self.text.strip(),
            paper=self.paper_reference.strip(),
            captured=self.captured_at and int(self.captured_at.timestamp()),
            effective=self.effective_on,
        )


def digest_of(**facts: Any) -> str:
    """SHA-256 (hex) over facts of a submission by name; whoever has them can compute it again (docs/formats.md)."""
    plain = {name: None if fact is None else str(fact) for name, fact in facts.items()}
    return hashlib.sha256(database.as_json(plain).encode()).hexdigest()


async def refuse_stranger(*, by: Scope, item_id: UUID | None, visit_id: UUID | None) -> None:
    """Before a file's bytes are taken, of those to whom `by` may not submit as far as is known; `attach` asks anew.

    An item takes evidence from its owner, who stands in for them, and its chain; a visit from inspectors and oversight.
    Raises NotFound, Forbidden, Invalid (`subject_missing`).
    """
    await _admitted(by, await reading_as(by), item_id, visit_id, lock=False)


async def _admitted(
    by: Scope, own: frozenset[UUID], item_id: UUID | None, visit_id: UUID | None, *, lock: bool
) -> ledger.Item | None:
    """The item, if it is for one; locked, if it is for the item alone and that is wanted. Raises as refuse_stranger."""
    if item_id is None and visit_id is None:
        raise Invalid("subject_missing", "请说明材料属于哪件事项或哪次检查。")
    item = await seen(item_id, by, own, lock=lock and visit_id is None) if item_id else None
    if visit_id is not None:
        by.require(Role.INSPECTOR, Role.OVERSIGHT)
    elif item and not await _submits(item, by, own):
        raise Forbidden("not_your_step", "佐证材料由责任人及其所在责任链提交，您可以查看，不用操作。")
    return item


async def _submits(item: ledger.Item, by: Scope, own: frozenset[UUID]) -> bool:
    return bool(SUBMITTERS & (await parties(item, by, own)).keys())


async def takes(item_id: UUID, *, by: Scope) -> bool:
    """Whether the item takes evidence from the caller now. Raises NotFound."""
    item = await ledger.readable(item_id, by=by)
    return item.state in TAKING and await _submits(item, by, await selves(by))


@atomic()
async def attach(given: Submission, *, by: Scope) -> Evidence:
    """Submit; the same submission again answers with the first one.

    Raises NotFound, Forbidden, Invalid (`required`), Conflict (`client_id_reused`; `wrong_state` of the item).
    """
    submitter = who(by)
    if submitter is None:
        raise Forbidden("not_your_step", "佐证材料应由具体的人提交。")
    _refuse_empty(given)
    item = await _admitted(by, await selves(by), given.item_id, given.visit_id, lock=True)
    evidence = await _made(given, by, submitter, item)
    if evidence is None:
        return _same(await Evidence.get(zone_id=by.zone_id, client_id=given.client_id), given, submitter)
    if item and given.visit_id is None:  # what a visit saw is the inspectors' own, it does not close the item
        ledger.refuse_untaken(item)  # which undoes it: only now is it known not to be a repetition
        await ledger.evidence_counted(item)
    await _promised(evidence)
    facts = {
        "item": given.item_id,
        "visit": given.visit_id,
        "sha256": evidence.sha256,
        "digest": evidence.digest,
    }
    known = {name: str(value) for name, value in facts.items() if value is not None}
    await audit.record(by, "evidence.attached", ("evidence", evidence.id), kind=given.kind.value, **known)
    return evidence


MADE = """
with made as (
  insert into evidence select * from json_populate_recordset(null::evidence, $1)
  on conflict (zone_id, client_id) do nothing returning *
), kept as (
  insert into blob select file.* from made, json_populate_recordset(null::blob, $2) file
  on conflict (zone_id, sha256) do nothing
), owed as (
  insert into derivation select picture.* from made, json_populate_recordset(null::derivation, $3) picture
)
select * from made
"""
"""Evidence, its file, which may be there already, and the pictures that it is owed; or, of a repetition, nothing."""


async def _made(given: Submission, by: Scope, submitter: UUID, item: ledger.Item | None) -> Evidence | None:
    evidence = Evidence(
        zone_id=by.zone_id,
        item_id=given.item_id,
        visit_id=given.visit_id,
        cycle=item.cycle if item else None,
        kind=given.kind,
        sha256=given.received.sha256 if given.received else None,
        text=given.text.strip(),
        paper_reference=given.paper_reference.strip(),
        submitted_by=submitter,
        captured_at=given.captured_at,
        received_at=clock.now(),
        effective_on=given.effective_on,
        client_id=given.client_id,
        digest=given.digest,
        nonce=given.brought.nonce,
        clock_skew=given.brought.clock_skew,
    )
    files = [_blob(by.zone_id, given.received)] if given.received else []
    pictures = [Derivation(zone_id=by.zone_id, evidence_id=evidence.id, form=form) for form in Form]
    rows: Sequence[Sequence[Row]] = ([evidence], files, pictures if given.kind.is_file else [])
    made = await database.fetch(MADE, *(database.as_json([database.columns(row) for row in some]) for some in rows))
    return Evidence._init_from_db(**made[0]) if made else None


def _blob(zone_id: UUID, file: Received) -> Blob:
    now = clock.now()
    return Blob(
        zone_id=zone_id,
        sha256=file.sha256,
        size=file.size,
        media_type=file.content.media_type,
        width=file.content.width,
        height=file.content.height,
        received_at=now,
        verify_at=now + verifying.EVERY,
    )


async def _promised(evidence: Evidence) -> None:
    if evidence.kind.is_file:
        await outbox.promise(evidence.zone_id, DERIVE, key=f"derive:{evidence.id}", evidence_id=str(evidence.id))
    elif evidence.kind is Kind.TEXT:
        await outbox.promise(evidence.zone_id, COMPARE, key=f"compare:{evidence.id}", evidence_id=str(evidence.id))


def _refuse_empty(given: Submission) -> None:
    if given.kind is Kind.TEXT:
        filled, field, name = bool(given.text.strip()), "text", "文字说明"
    elif given.kind is Kind.PAPER_REFERENCE:
        filled, field, name = bool(given.paper_reference.strip()), "paper_reference", "纸质材料的名称、编号或存放处"
    else:
        filled, field, name = given.received is not None, "file", "文件"
    if not filled:
        raise Invalid("required", f"请填写{name}。", faults=(Fault(f"/{field}", "required", f"请填写{name}。"),))


def _same(first: Evidence, given: Submission, submitter: UUID) -> Evidence:
    if first.digest != given.digest or first.submitted_by != submitter:
        raise client_id_reused()
    return first


def client_id_reused() -> Conflict:
    """Of an id under which something else was submitted."""
    return Conflict("client_id_reused", "这个提交编号已经用于另一份材料，本次没有保存。请重新提交。")


async def readable(evidence_id: UUID, *, by: Scope) -> Evidence:
    """Whoever may read the item may read its evidence; a visit's is its submitter's, inspectors' and oversight's.

    Raises NotFound.
    """
    evidence = await Evidence.get_or_none(zone_id=by.zone_id, id=evidence_id)
    if evidence is None:
        raise NotFound()
    if evidence.item_id is not None:
        await ledger.readable(evidence.item_id, by=by)
    elif evidence.submitted_by != who(by) and not by.may(Role.INSPECTOR, Role.OVERSIGHT):
        raise NotFound()
    return evidence


async def of_item(item_id: UUID, *, by: Scope, after: UUID | None, limit: int) -> list[Evidence]:
    """The item's evidence, oldest first, at most `limit` of what follows `after`. Raises NotFound."""
    await ledger.readable(item_id, by=by)
    return await _page(Evidence.filter(zone_id=by.zone_id, item_id=item_id), after, limit)


async def of_visit(visit_id: UUID, *, by: Scope, after: UUID | None = None, limit: int = 100) -> list[Evidence]:
    """The visit's evidence, oldest first: the caller's own, or all of it for inspectors and oversight."""
    rows = Evidence.filter(zone_id=by.zone_id, visit_id=visit_id)
    if by.actor != "system" and not by.may(Role.INSPECTOR, Role.OVERSIGHT):
        rows = rows.filter(submitted_by=who(by))
    return await _page(rows, after, limit)


async def of_visits_alone(evidence_ids: Sequence[UUID], *, by: Scope) -> dict[UUID, UUID]:
    """Of these, the ones that others submitted for a visit and for no item: each with its visit."""
    rows = Evidence.filter(zone_id=by.zone_id, id__in=list(evidence_ids), item_id=None).exclude(submitted_by=who(by))
    return dict(await rows.values_list("id", "visit_id"))  # type: ignore[arg-type]


async def _page(rows: "QuerySet[Evidence]", after: UUID | None, limit: int) -> list[Evidence]:
    return await (rows.filter(id__gt=after) if after else rows).order_by("id").limit(limit)
