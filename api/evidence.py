"""Evidence as the mini-program and the console both submit, read and review it."""

from collections.abc import Set
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sanic import Request
from sanic.response import ResponseStream

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from api.wire.files import FORM_OVERHEAD, file_chunks, length_of, stream_file
from api.wire.once import key_of
from api.wire.phones import clock_skew
from models import evidence, lookbacks
from models.base.errors import Fault, Invalid, NotFound, Refused
from models.base.scope import Scope
from models.base.stated import Day, Instant
from models.evidence import Alike, Evidence, Form, Kind, Review, Shown, Use, nonces

LARGEST_BODY = max(evidence.SIZE_LIMITS.values()) + FORM_OVERHEAD
SUBMITTING = (
    *("not_found", "not_your_step", "subject_missing", "not_the_visits_item"),
    *("required", "client_id_reused", "wrong_state"),
)
UPLOADING = (
    *SUBMITTING,
    *("upload_day_spent", "file_too_large", "file_empty", "sha256_mismatch", "infected", "malformed_form"),
    *("store_unavailable", "address_busy"),
    *("not_a_photo", "broken_photo", "image_too_large_dimensions"),
    *("not_a_document", "broken_document", "encrypted_document", "document_unpacks_too_large"),
)
REVIEWING = (
    *("not_found", "not_your_step", "same_person", "required", "bad_verdict", "effective_in_future", "wrong_state"),
)
LISTING = ("not_found", "subject_missing")
READING = ("not_found", "store_unavailable", "object_missing", "object_unreadable")
ORIGINAL = (*READING, "no_file")

ItemId = Annotated[UUID | None, Field(description="所属事项；与检查至少填一个。")]
VisitId = Annotated[UUID | None, Field(description="所属检查记录；由检查人员提交。")]
CapturedAt = Annotated[Instant | None, Field(description="拍摄时间（提交人所述）。")]
VisitNonce = Annotated[
    str | None, Field(description="检查编码，随检查详情取得，原样带回；没有也可以提交。", max_length=nonces.LONGEST)
]
EffectiveOn = Annotated[Day | None, Field(description="材料所反映的日期。", examples=["2026-11-20"])]


class UploadQuery(Schema):
    """What a file shows; the file itself is the body, or the part `file` of a form."""

    kind: Annotated[Literal["photo", "document"], Field(description="照片，或文档（PDF、docx、xlsx）。")]
    item_id: ItemId = None
    visit_id: VisitId = None
    sha256: Annotated[str | None, Field(description="文件的 SHA-256（十六进制）。", pattern="^[0-9a-fA-F]{64}$")] = None
    captured_at: CapturedAt = None
    effective_on: EffectiveOn = None
    nonce: VisitNonce = None


class WordsIn(Schema):
    """Evidence without a file: a written statement, or where a paper file is kept."""

    kind: Annotated[Literal["text", "paper_reference"], Field(description="文字说明，或纸质材料编号。")]
    item_id: ItemId = None
    visit_id: VisitId = None
    text: Annotated[str, Field(description="文字说明。", max_length=5000, examples=["已于11月20日完成整改。"])] = ""
    paper_reference: Annotated[
        str,
        Field(description="纸质材料的名称、编号或存放处。", max_length=300, examples=["会议纪要〔2026〕8号，存档案室"]),
    ] = ""
    captured_at: CapturedAt = None
    effective_on: EffectiveOn = None
    nonce: VisitNonce = None


class ReviewIn(Schema):
    """A reviewer's word; rejecting or asking for more needs a reason."""

    verdict: Annotated[Review, Field(description="认可、不予采纳或需要补充。", examples=["accepted"])]
    reason: Annotated[str, Field(description="理由和还缺什么。", max_length=500, examples=["请补充验收单。"])] = ""
    effective_on: Annotated[
        Day | None,
        Field(description="审核认定的生效日期；不填则沿用提交人所填。", examples=["2026-11-20"]),
    ] = None


class WordIn(ReviewIn):
    """A reviewer's word on one of several pieces."""

    evidence_id: Annotated[UUID, Field(description="哪份材料。")]


class ReviewsIn(Schema):
    """Words on several pieces, of one item or of many."""

    words: Annotated[list[WordIn], Field(description="逐份的审核意见。", min_length=1, max_length=evidence.MOST_WORDS)]


class ReviewedOut(Schema):
    """A piece with the word that stands now."""

    id: UUID
    item_id: UUID | None
    review: Annotated[Review, Field(description="审核情况。")]
    review_label: Annotated[str, Field(description="审核情况的中文名称。", examples=["认可"])]
    review_reason: Annotated[str, Field(description="审核理由。")]
    found_effective_on: Annotated[date | None, Field(description="审核认定的生效日期。")]
    reviewed_at: datetime | None

    @classmethod
    def of(cls, row: Evidence) -> "ReviewedOut":
        """From a row."""
        facts = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(**facts, review_label=row.review.label)


class FaultOut(Schema):
    """A word that was refused; the others stand."""

    pointer: Annotated[str, Field(description="第几份（JSON 指针）。", examples=["/words/2"])]
    code: Annotated[str, Field(examples=["same_person"])]
    detail: Annotated[str, Field(examples=["材料不能由提交人或责任人自己审核，请由其他同志审核。"])]


class ReviewsOut(Schema):
    """What became of each word: those that stand, and those that were refused, each with its place."""

    items: list[ReviewedOut]
    faults: list[FaultOut]


class EvidenceQuery(Listing):
    """Of which item or visit."""

    item_id: ItemId = None
    visit_id: VisitId = None


class UseOut(Schema):
    """Where else in the zone its like was submitted: a question to the reviewer, not a finding."""

    evidence_id: UUID
    item_id: UUID | None
    visit_id: UUID | None
    number: Annotated[str | None, Field(description="事项编号。", examples=["ZL-WT-2026-0001"])]
    received_at: datetime
    alike: Annotated[Alike, Field(description="同一文件、画面相近、文字相近。")]
    question: Annotated[str, Field(description="请审核人核对什么。", examples=[Alike.SAME_FILE.question])]
    readable: Annotated[bool, Field(description="审核人能否打开那份材料，对照着看。")]

    @classmethod
    def of(cls, use: Use) -> "UseOut":
        """From what the search found."""
        facts = {name: getattr(use, name) for name in cls.model_fields if name != "question"}
        return cls(**facts, question=use.alike.question)


class SignalOut(Schema):
    """Something about a piece that the reviewer may want to ask about: no finding, and no judgement of a person."""

    code: Annotated[str, Field(examples=["edited"])]
    sentence: Annotated[
        str, Field(examples=["照片自带的拍摄时间早于本轮办理开始的时间，请核对反映的是不是整改后的情况。"])
    ]


class EvidenceOut(Schema):
    """One piece of evidence."""

    id: UUID
    item_id: UUID | None
    visit_id: UUID | None
    cycle: Annotated[int | None, Field(description="事项的轮次。", examples=[1])]
    kind: Kind
    text: str
    paper_reference: str
    sha256: Annotated[str | None, Field(description="原件的 SHA-256。")]
    size: Annotated[int | None, Field(description="原件的字节数。", examples=[1048576])]
    media_type: Annotated[str | None, Field(description="原件的类型。", examples=["image/jpeg"])]
    view: Annotated[evidence.DerivationState | None, Field(description="预览图：生成中、已生成、无法生成。")]
    submitted_by: UUID
    submitter: Annotated[str, Field(description="提交人。", examples=["陈立"])]
    captured_at: Annotated[datetime | None, Field(description="拍摄时间（提交人所述）。")]
    received_at: Annotated[datetime, Field(description="服务器收到的时间。")]
    effective_on: Annotated[date | None, Field(description="材料所反映的日期。")]
    review: Annotated[Review, Field(description="审核情况。")]
    review_label: Annotated[str, Field(description="审核情况的中文名称。", examples=["待审核"])]
    review_reason: Annotated[str, Field(description="审核理由。")]
    found_effective_on: Annotated[date | None, Field(description="审核认定的生效日期；空为没有另行认定。")]
    reviewed_at: datetime | None
    may_review: Annotated[bool, Field(description="您现在可以审核这份材料。")]
    also_used: Annotated[
        list[UseOut], Field(description="同一或相近的材料在本区其他地方的使用，供审核参考；只给审核人看。")
    ]
    signals: Annotated[list[SignalOut], Field(description="供审核参考的提示，不作结论；只给审核人看。")]

    @classmethod
    def of(cls, row: Evidence, shown: Shown, *, may_review: bool) -> "EvidenceOut":
        """From a row and what goes with it."""
        facts = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(
            **facts,
            submitter=shown.submitter,
            may_review=may_review,
            size=shown.size,
            media_type=shown.media_type,
            view=shown.pictures.get(Form.VIEW),
            review_label=row.review.label,
            also_used=[UseOut.of(use) for use in shown.uses],
            signals=[SignalOut.model_validate(signal) for signal in shown.signals],
        )


class EvidencePage(Page[EvidenceOut]):
    """A part of an item's or a visit's evidence."""

    may_submit: Annotated[bool, Field(description="您现在可以向这件事项提交材料；检查的材料随检查记录提交。")]


async def upload(request: Request, scope: Scope, query: UploadQuery) -> EvidenceOut:
    """Strangers are refused before the file's bytes are taken."""
    await refuse_strange_visit(scope, query.visit_id, query.item_id)
    await evidence.refuse_stranger(by=scope, item_id=query.item_id, visit_id=query.visit_id)
    kind = Kind(query.kind)
    await evidence.spend(length_of(request) or evidence.SIZE_LIMITS[kind], by=scope)
    received = await evidence.take_in(
        scope.zone_id,
        kind,
        file_chunks(request),
        store=request.app.ctx.store,
        scan=getattr(request.app.ctx, "scan", evidence.no_scan),
        claimed=query.sha256,
    )
    facts = query.model_dump(exclude={"sha256", "nonce"}) | {"kind": kind, "received": received}
    return await _submitted(request, scope, query.nonce, facts)


async def submit(request: Request, scope: Scope, body: WordsIn) -> EvidenceOut:
    await refuse_strange_visit(scope, body.visit_id, body.item_id)
    return await _submitted(request, scope, body.nonce, body.model_dump(exclude={"nonce"}) | {"kind": Kind(body.kind)})


async def _submitted(request: Request, scope: Scope, nonce: str | None, facts: dict[str, Any]) -> EvidenceOut:
    along = brought(request, scope, facts["visit_id"], nonce)
    given = evidence.Submission(client_id=key_of(request), brought=along, **facts)
    return await _one(scope, await evidence.attach(given, by=scope))


def brought(request: Request, scope: Scope, visit_id: UUID | None, nonce: str | None) -> evidence.Brought:
    """What came along from a phone; nothing from the console, where what came on paper is typed in."""
    if scope.account_id is not None:
        return evidence.Brought()
    signer = request.app.ctx.signer
    known = evidence.examine(nonce, visit_id, scope.person_id, signer=signer) if visit_id else None
    return evidence.Brought(nonce=known, clock_skew=clock_skew(request))


async def refuse_strange_visit(scope: Scope, visit_id: UUID | None, item_id: UUID | None = None) -> None:
    """Evidence stands below look-backs and cannot know whose visit it is, nor to which item."""
    if visit_id is not None:
        await lookbacks.refuse_stranger(visit_id, by=scope, item_id=item_id)


async def _readable(scope: Scope, evidence_id: UUID) -> Evidence:
    """A visit's evidence is for whoever may see the visit, and whoever submitted it."""
    row = await evidence.readable(evidence_id, by=scope)
    if row.item_id is None and row.submitted_by != scope.person_id:
        await refuse_strange_visit(scope, row.visit_id)
    return row


async def page(scope: Scope, query: EvidenceQuery) -> EvidencePage:
    cursor = read_cursor(query.after, UUID)
    after = cursor[0] if cursor else None
    may_submit = False
    if query.item_id:
        may_submit = await evidence.takes(query.item_id, by=scope)
        rows = await evidence.of_item(query.item_id, by=scope, after=after, limit=query.limit)
    elif query.visit_id:
        await refuse_strange_visit(scope, query.visit_id)
        rows = await evidence.of_visit(query.visit_id, by=scope, after=after, limit=query.limit)
    else:
        raise Invalid("subject_missing", "请说明要看哪件事项或哪次检查的材料。")
    next_ = write_cursor(rows[-1].id) if len(rows) == query.limit else None
    return EvidencePage(items=await _shown(scope, rows), next=next_, may_submit=may_submit)


async def detail(scope: Scope, evidence_id: UUID) -> EvidenceOut:
    return await _one(scope, await _readable(scope, evidence_id))


async def review(scope: Scope, evidence_id: UUID, body: ReviewIn) -> EvidenceOut:
    await _readable(scope, evidence_id)
    return await _one(scope, await evidence.review(evidence_id, by=scope, **body.model_dump()))


async def review_each(scope: Scope, body: ReviewsIn) -> ReviewsOut:
    """一次审核多份材料，逐份答复：有问题的指明是第几份，其余照常生效。重复提交不会重复审核。"""
    words = [evidence.Word(**word.model_dump()) for word in body.words]
    hidden = await _others_visits(scope, [word.evidence_id for word in words])
    seen = [(place, word) for place, word in enumerate(words) if word.evidence_id not in hidden]
    answers: dict[int, Evidence | Refused] = dict.fromkeys(range(len(words)), NotFound())
    if seen:
        said = await evidence.review_each([word for _, word in seen], by=scope)
        answers |= {place: answer for (place, _), answer in zip(seen, said, strict=True)}
    return ReviewsOut(
        items=[ReviewedOut.of(answer) for answer in answers.values() if isinstance(answer, Evidence)],
        faults=[fault for place, answer in answers.items() for fault in _faults(place, answer)],
    )


def _faults(place: int, answer: Evidence | Refused) -> list[FaultOut]:
    if isinstance(answer, Evidence):
        return []
    within = answer.faults or (Fault("", answer.code, answer.detail),)
    return [FaultOut(pointer=f"/words/{place}{one.pointer}", code=answer.code, detail=one.detail) for one in within]


async def _others_visits(scope: Scope, asked: list[UUID]) -> set[UUID]:
    """Those of `asked` that belong to visits which the caller may not see."""
    visits = await evidence.of_visits_alone(asked, by=scope)
    mine = await lookbacks.seen_by(visits.values(), by=scope)
    return {evidence_id for evidence_id, visit_id in visits.items() if visit_id not in mine}


async def _one(scope: Scope, row: Evidence) -> EvidenceOut:
    return (await _shown(scope, [row]))[0]


async def _shown(scope: Scope, rows: list[Evidence]) -> list[EvidenceOut]:
    shown, reviewable = await evidence.shown(rows, by=scope), await evidence.reviewable(rows, by=scope)
    return [EvidenceOut.of(row, shown[row.id], may_review=row.id in reviewable) for row in rows]


async def original(request: Request, scope: Scope, evidence_id: UUID) -> ResponseStream:
    """As a download: never drawn or run by a browser."""
    row = await _readable(scope, evidence_id)
    blob = await evidence.blob_of(row)
    chunks = request.app.ctx.store.get(evidence.address(row.zone_id, blob.sha256))
    name = f"{row.id}.{evidence.EXTENSIONS[blob.media_type]}"
    return stream_file(
        request, chunks, etag=blob.sha256, size=blob.size, media_type="application/octet-stream", name=name
    )


async def view(request: Request, scope: Scope, evidence_id: UUID) -> ResponseStream:
    return await _picture(request, scope, evidence_id, Form.VIEW)


async def thumbnail(request: Request, scope: Scope, evidence_id: UUID) -> ResponseStream:
    return await _picture(request, scope, evidence_id, Form.THUMBNAIL)


async def _picture(request: Request, scope: Scope, evidence_id: UUID, form: Form) -> ResponseStream:
    row = await _readable(scope, evidence_id)
    drawn = await evidence.picture_of(row, form)
    assert drawn.sha256 and drawn.size
    chunks = request.app.ctx.store.get(evidence.address(row.zone_id, drawn.sha256))
    return stream_file(request, chunks, etag=drawn.sha256, size=drawn.size, media_type="image/webp")


def routes_for(audience: str, *, submitters: Set[StrEnum], readers: Set[StrEnum], reviewers: Set[StrEnum]) -> Routes:
    """The same routes for phones and for the console, to the roles given; the rules narrow further, piece by piece."""
    routes = Routes(audience, "/evidence", tag="佐证材料")
    sent: Any = {"roles": submitters, "reply": EvidenceOut, "status": 201, "idempotent": "by_rule"}
    taken: Any = {"query": UploadQuery, "stream": True, "max_body": LARGEST_BODY, "errors": UPLOADING}
    drawn: Any = {"roles": readers, "media_type": "image/webp", "errors": (*READING, "picture_not_ready")}
    one, told = "/<evidence_id:uuid>", "提交文字说明或纸质材料编号"
    routes.post("/upload", **sent, **taken, summary="上传照片或文档")(upload)
    routes.post("", **sent, body=WordsIn, errors=SUBMITTING, summary=told)(submit)
    routes.get("", roles=readers, query=EvidenceQuery, reply=EvidencePage, errors=LISTING, summary="佐证材料")(page)
    routes.get(one, roles=readers, reply=EvidenceOut, errors=("not_found",), summary="一份材料")(detail)
    routes.post(
        f"{one}/review", roles=reviewers, body=ReviewIn, reply=EvidenceOut, errors=REVIEWING, summary="审核材料"
    )(review)
    routes.post("/reviews", roles=reviewers, body=ReviewsIn, reply=ReviewsOut, summary="一次审核多份材料")(review_each)
    routes.get(
        f"{one}/file", roles=readers, media_type="application/octet-stream", errors=ORIGINAL, summary="下载原件"
    )(original)
    routes.get(f"{one}/view", **drawn, summary="预览图")(view)
    routes.get(f"{one}/thumbnail", **drawn, summary="缩略图")(thumbnail)
    return routes
