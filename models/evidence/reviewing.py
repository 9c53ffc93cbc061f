"""A reviewer's word on pieces of evidence: one by one, or many in one request."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from models import ledger
from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Conflict, Fault, Forbidden, Invalid, NotFound, Refused
from models.base.scope import Role, Scope
from models.evidence.tables import Evidence, Review
from models.ledger import Item, telling
from models.ledger.people import parties_of, selves, visible, who
from models.reminders import ReminderKind

REVIEWERS = frozenset({ledger.Party.UNIT_REVIEWER, ledger.Party.OVERSIGHT})
OVER = frozenset({ledger.State.CLOSED, ledger.State.CANCELLED})
MOST_WORDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a reviewer says of one piece.

    `effective_on`: since when what it shows holds, as the reviewer finds it; None leaves the submitter's own date.
    """

    evidence_id: UUID
    verdict: Review
    reason: str = ""
    effective_on: date | None = None

    def said_by(self, reviewer: UUID | None) -> tuple[object, ...]:
        """The columns that the word fills."""
        return self.verdict, self.reason.strip(), self.effective_on, reviewer


async def review(
    evidence_id: UUID, *, by: Scope, verdict: Review, reason: str = "", effective_on: date | None = None
) -> Evidence:
    """Accept it, reject it or ask for more; the last two need a reason, and the owner is told.

    Anybody of the item's reviewers may speak, and again until the item is closed; the log keeps each word. Never who
    submitted it, nor the owner. Raises NotFound, Forbidden (`not_your_step`, `same_person`), Invalid, Conflict.
    """
    word = Word(evidence_id=evidence_id, verdict=verdict, reason=reason, effective_on=effective_on)
    (answer,) = await review_each([word], by=by)
    if isinstance(answer, Refused):
        raise answer
    return answer


@atomic()
async def review_each(words: Sequence[Word], *, by: Scope) -> list[Evidence | Refused]:
    """Each word answered on its own, in order: the piece as it now is, or the refusal that `review` would raise.

    At most `MOST_WORDS`, of one item or several. Their number does not change the number of statements, but for what
    is told: an owner hears once of each item, however many of its pieces will not do. Said again it changes nothing.
    """
    bench = await _Bench.of(words, by)
    answers: list[Evidence | Refused] = []
    changed: dict[UUID, Evidence] = {}
    for word in words:
        refusal = _unfit(word) or bench.refusal(word)
        if refusal is None and word.evidence_id in changed:
            refusal = Invalid("duplicate", "这份材料在本次审核中出现了两次，以前一次为准。")
        if refusal is None and bench.says_something_new(word):
            changed[word.evidence_id] = bench.piece(word)
        answers.append(refusal or bench.piece(word))
    said = [word for word, answer in zip(words, answers, strict=True) if answer is changed.get(word.evidence_id)]
    if said:
        await _carry_out(said, bench, by)
    return answers


def _unfit(word: Word) -> Refused | None:
    if word.verdict is Review.PENDING:
        return Invalid("bad_verdict", "请选择认可、不予采纳或需要补充。")
    if word.verdict is not Review.ACCEPTED and not word.reason.strip():
        fault = Fault("/reason", "required", "请填写理由。")
        return Invalid("required", "请写明理由和还缺什么，以便责任人补充。", faults=(fault,))
    if word.effective_on is not None and word.effective_on > clock.today():
        fault = Fault("/effective_on", "in_future", "应为今天或更早的日期。")
        return Invalid("effective_in_future", "材料反映的日期不能晚于今天，请核对。", faults=(fault,))
    return None


@dataclass
class _Bench:
    """The pieces under review and their items, locked, and over which of these the caller sits."""

    reviewer: UUID | None
    pieces: Mapping[UUID, Evidence]
    items: Mapping[UUID, Item]
    sits_over: frozenset[UUID]
    oversees: bool
    inspects: bool

    @classmethod
    async def of(cls, words: Sequence[Word], by: Scope) -> "_Bench":
        """Locked in the order of ids: two batches at once wait for each other."""
        ids = [word.evidence_id for word in words]
        rows = await Evidence.filter(zone_id=by.zone_id, id__in=ids).order_by("id").select_for_update()
        own = await selves(by)
        named = list({row.item_id for row in rows if row.item_id})
        items = await visible(by, own).filter(id__in=named).order_by("id").select_for_update() if named else []
        sits_over = await _sits_over(items, by, own)
        seen = {item.id: item for item in items}
        return cls(
            *(who(by), {row.id: row for row in rows}, seen, sits_over),
            oversees=by.may(Role.OVERSIGHT),
            inspects=by.may(Role.INSPECTOR, Role.OVERSIGHT),
        )

    def piece(self, word: Word) -> Evidence:
        return self.pieces[word.evidence_id]

    def item(self, piece: Evidence) -> Item | None:
        return self.items.get(piece.item_id) if piece.item_id else None

    def says_something_new(self, word: Word) -> bool:
        row = self.piece(word)
        return (row.review, row.review_reason, row.found_effective_on, row.reviewed_by) != word.said_by(self.reviewer)

    def refusal(self, word: Word) -> Refused | None:
        piece = self.pieces.get(word.evidence_id)
        if piece is None or not self._reads(piece):
            return NotFound()
        item = self.item(piece)
        if self.reviewer is None or not (piece.item_id in self.sits_over if item else self.oversees):
            return Forbidden("not_your_step", "佐证材料由单位负责人或监督机构审核，您可以查看，不用操作。")
        if self.reviewer in _barred(piece, item):
            return Forbidden("same_person", "材料不能由提交人或责任人自己审核，请由其他同志审核。")
        if item and item.state in OVER and self.says_something_new(word):
            return Conflict("wrong_state", f"事项现在是「{item.state.label}」，材料不再审核。", state=item.state.value)
        return None

    def _reads(self, piece: Evidence) -> bool:
        if piece.item_id:
            return piece.item_id in self.items
        return self.inspects or piece.submitted_by == self.reviewer


async def _sits_over(items: Iterable[Item], by: Scope, own: frozenset[UUID]) -> frozenset[UUID]:
    if who(by) is None:
        return frozenset()
    standing = await parties_of(list(items), by, own)
    return frozenset(item_id for item_id, parts in standing.items() if REVIEWERS & parts.keys())


def _barred(piece: Evidence, item: Item | None) -> set[UUID]:
    return {piece.submitted_by, *([item.owner_id] if item else [])}


async def reviewable(rows: Sequence[Evidence], *, by: Scope) -> frozenset[UUID]:
    """Those of `rows` that the caller may review now."""
    rows = [row for row in rows if row.submitted_by != who(by)]
    if not rows:
        return frozenset()
    own, named = await selves(by), list({row.item_id for row in rows if row.item_id})
    items = {item.id: item for item in await visible(by, own).filter(id__in=named)} if named else {}
    sits_over = await _sits_over([item for item in items.values() if item.state not in OVER], by, own)
    oversees = who(by) is not None and by.may(Role.OVERSIGHT)
    return frozenset(
        row.id
        for row in rows
        if (row.item_id in sits_over if row.item_id else oversees)
        and who(by) not in _barred(row, items.get(row.item_id) if row.item_id else None)
    )


async def _carry_out(said: Sequence[Word], bench: _Bench, by: Scope) -> None:
    now = clock.now()
    changes: dict[UUID, int] = defaultdict(int)
    for word in said:
        piece = bench.piece(word)
        changes[piece.id] = _counted(piece, bench.item(piece), word.verdict)
        piece.review, piece.review_reason, piece.found_effective_on, piece.reviewed_by = word.said_by(bench.reviewer)  # type: ignore[assignment]
        piece.reviewed_at = now
    pieces = [bench.piece(word) for word in said]
    await _write(pieces)
    await audit.record_each(by, "evidence.reviewed", [(("evidence", piece.id), _facts(piece)) for piece in pieces])
    for item_id, together in _by_item(pieces).items():
        item, change = bench.items[item_id], sum(changes[piece.id] for piece in together)
        if change:
            await ledger.count_evidence(item, change)
        await _tell(item, [piece for piece in together if piece.review is not Review.ACCEPTED])


def _counted(piece: Evidence, item: Item | None, verdict: Review) -> int:
    """What is rejected no longer stands for a close-out, until somebody takes the word back."""
    if item is None or piece.visit_id is not None or piece.cycle != item.cycle:
        return 0
    return (piece.review is Review.REJECTED) - (verdict is Review.REJECTED)


async def _write(pieces: Sequence[Evidence]) -> None:
    columns = ("id", "review", "review_reason", "found_effective_on", "reviewed_by", "reviewed_at")
    await database.execute(
        "update evidence e set review = n.review, review_reason = n.review_reason, reviewed_by = n.reviewed_by,"
        " found_effective_on = n.found_effective_on, reviewed_at = n.reviewed_at"
        " from unnest($2::uuid[], $3::text[], $4::text[], $5::date[], $6::uuid[], $7::timestamptz[])"
        " n (id, review, review_reason, found_effective_on, reviewed_by, reviewed_at)"
        " where e.zone_id = $1 and e.id = n.id",
        [pieces[0].zone_id, *([getattr(piece, column) for piece in pieces] for column in columns)],
    )


def _facts(piece: Evidence) -> dict[str, str]:
    found = {"effective_on": piece.found_effective_on.isoformat()} if piece.found_effective_on else {}
    words = {"reason_sha256": audit.words_hash(piece.review_reason)} if piece.review_reason else {}
    return {"verdict": piece.review.value, **found, **words}


def _by_item(pieces: Iterable[Evidence]) -> dict[UUID, list[Evidence]]:
    found: dict[UUID, list[Evidence]] = defaultdict(list)
    for piece in pieces:
        if piece.item_id:
            found[piece.item_id].append(piece)
    return found


async def _tell(item: Item, wanting: Sequence[Evidence]) -> None:
    """Once for all that will not do, and once for each word said: the moment is part of the key."""
    if not wanting:
        return
    first = wanting[0]
    summary = f"「{item.title}」的一份佐证材料{first.review.label}：{first.review_reason}"
    if len(wanting) > 1:
        reasons = "；".join(dict.fromkeys(piece.review_reason for piece in wanting))
        summary = f"「{item.title}」有{len(wanting)}份佐证材料未通过审核：{reasons}"
    key = f"evidence:{first.id}:{int(first.reviewed_at.timestamp())}"
    await telling.tell_owner(item, ReminderKind.RETURNED, summary[:300], key=key)
