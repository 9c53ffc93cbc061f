"""Evidence as the mini-program and the console both submit, read and review it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field
from sanic import Request
from sanic.response import ResponseStream

from api.wire import Listing, Page, Schema, read_cursor, write_cursor
from api.wire.files import FORM_OVERHEAD, file_chunks, stream_file
from models import evidence, lookbacks
from models.base.errors import Invalid
from models.base.scope import Scope
from models.evidence import Evidence, Form, Kind, Review, Shown

LARGEST_BODY = max(evidence.SIZE_LIMITS.values()) + FORM_OVERHEAD
SUBMITTING = ("not_found", "not_your_step", "subject_missing", "required", "client_id_reused", "wrong_state")
UPLOADING = (
    *SUBMITTING,
    *("file_too_large", "file_empty", "sha256_mismatch", "infected", "malformed_form"),
    *("not_a_photo", "broken_photo", "image_too_large_dimensions"),
    *("not_a_document", "broken_document", "encrypted_document", "document_unpacks_too_large"),
)
REVIEWING = ("not_found", "not_your_step", "same_person", "required", "bad_verdict", "wrong_state")
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}

ItemId = Annotated[UUID | None, Field(description="所属事项；与检查至少填一个。")]
VisitId = Annotated[UUID | None, Field(description="所属检查记录；由检查人员提交。")]
CapturedAt = Annotated[AwareDatetime | None, Field(description="拍摄时间（提交人所述）。")]
EffectiveOn = Annotated[date | None, Field(description="材料所反映的日期。", examples=["2026-11-20"])]


class UploadQuery(Schema):
    """What a file shows; the file itself is the body, or the part `file` of a form."""

    kind: Annotated[Literal["photo", "document"], Field(description="照片，或文档（PDF、docx、xlsx）。")]
    item_id: ItemId = None
    visit_id: VisitId = None
    sha256: Annotated[str | None, Field(description="文件的 SHA-256（十六进制）。", pattern="^[0-9a-fA-F]{64}$")] = None
    captured_at: CapturedAt = None
    effective_on: EffectiveOn = None


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


class ReviewIn(Schema):
    """A reviewer's word; rejecting or asking for more needs a reason."""

    verdict: Annotated[Review, Field(description="认可、不予采纳或需要补充。", examples=["accepted"])]
    reason: Annotated[str, Field(description="理由和还缺什么。", max_length=500, examples=["请补充验收单。"])] = ""


class EvidenceQuery(Listing):
    """Of which item or visit."""

    item_id: ItemId = None
    visit_id: VisitId = None


class UseOut(Schema):
    """Where else in the zone the same file was submitted: something to look at, not a finding."""

    evidence_id: UUID
    item_id: UUID | None
    visit_id: UUID | None
    number: Annotated[str | None, Field(description="事项编号。", examples=["ZL-WT-2026-0001"])]
    received_at: datetime


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
    captured_at: Annotated[datetime | None, Field(description="拍摄时间（提交人所述）。")]
    received_at: Annotated[datetime, Field(description="服务器收到的时间。")]
    effective_on: Annotated[date | None, Field(description="材料所反映的日期。")]
    review: Annotated[Review, Field(description="审核情况。")]
    review_label: Annotated[str, Field(description="审核情况的中文名称。", examples=["待审核"])]
    review_reason: Annotated[str, Field(description="审核理由。")]
    reviewed_at: datetime | None
    also_used: Annotated[list[UseOut], Field(description="同一文件在本区其他地方的使用，供审核参考；只给审核人看。")]

    @classmethod
    def of(cls, row: Evidence, shown: Shown) -> "EvidenceOut":
        """From a row and what goes with it."""
        view = shown.pictures.get(Form.VIEW)
        facts = {name: getattr(row, name) for name in cls.model_fields if hasattr(row, name)}
        return cls(
            **facts,
            size=shown.blob and shown.blob.size,
            media_type=shown.blob and shown.blob.media_type,
            view=view and view.state,
            review_label=row.review.label,
            also_used=[UseOut.model_validate(use) for use in shown.uses],
        )


async def one(scope: Scope, row: Evidence) -> EvidenceOut:
    """The reply for one row."""
    return EvidenceOut.of(row, (await evidence.shown([row], by=scope))[row.id])


async def page(scope: Scope, query: EvidenceQuery) -> Page[EvidenceOut]:
    """A part of an item's or a visit's evidence."""
    cursor = read_cursor(query.after, UUID)
    after = cursor[0] if cursor else None
    if query.item_id:
        rows = await evidence.of_item(query.item_id, by=scope, after=after, limit=query.limit)
    elif query.visit_id:
        rows = await evidence.of_visit(query.visit_id, by=scope, after=after, limit=query.limit)
    else:
        raise Invalid("subject_missing", "请说明要看哪件事项或哪次检查的材料。")
    return await _page(scope, rows, query.limit)


async def _page(scope: Scope, rows: Sequence[Evidence], limit: int) -> Page[EvidenceOut]:
    shown = await evidence.shown(rows, by=scope)
    next_ = write_cursor(rows[-1].id) if len(rows) == limit else None
    return Page[EvidenceOut](items=[EvidenceOut.of(row, shown[row.id]) for row in rows], next=next_)


async def attach_words(scope: Scope, body: WordsIn, client_id: UUID) -> EvidenceOut:
    """A statement or a paper reference, submitted once under `client_id`."""
    await _refuse_strange_visit(scope, body.visit_id)
    facts = body.model_dump() | {"kind": Kind(body.kind), "client_id": client_id}
    return await one(scope, await evidence.attach(evidence.Submission(**facts), by=scope))


async def attach_file(request: Request, scope: Scope, query: UploadQuery, client_id: UUID) -> EvidenceOut:
    """A file, submitted once under `client_id`; strangers are refused before its bytes are taken."""
    await _refuse_strange_visit(scope, query.visit_id)
    await evidence.refuse_stranger(by=scope, item_id=query.item_id, visit_id=query.visit_id)
    kind = Kind(query.kind)
    received = await evidence.take_in(
        scope.zone_id,
        kind,
        file_chunks(request),
        store=request.app.ctx.store,
        scan=getattr(request.app.ctx, "scan", evidence.no_scan),
        claimed=query.sha256,
    )
    facts = query.model_dump(exclude={"sha256"}) | {"kind": kind, "client_id": client_id, "received": received}
    return await one(scope, await evidence.attach(evidence.Submission(**facts), by=scope))


async def _refuse_strange_visit(scope: Scope, visit_id: UUID | None) -> None:
    """Evidence stands below look-backs and cannot know whose visit it is."""
    if visit_id is not None:
        await lookbacks.refuse_stranger(visit_id, by=scope)


async def original(request: Request, scope: Scope, evidence_id: UUID) -> ResponseStream:
    """The original as a download: never drawn or run by a browser."""
    row = await evidence.readable(evidence_id, by=scope)
    blob = await evidence.blob_of(row)
    chunks = request.app.ctx.store.get(evidence.address(row.zone_id, blob.sha256))
    name = f"{row.id}.{EXTENSIONS[blob.media_type]}"
    return stream_file(
        request, chunks, etag=blob.sha256, size=blob.size, media_type="application/octet-stream", name=name
    )


async def picture(request: Request, scope: Scope, evidence_id: UUID, form: Form) -> ResponseStream:
    """The view or the thumbnail."""
    row = await evidence.readable(evidence_id, by=scope)
    drawn = await evidence.picture_of(row, form)
    assert drawn.sha256 and drawn.size
    chunks = request.app.ctx.store.get(evidence.address(row.zone_id, drawn.sha256))
    return stream_file(request, chunks, etag=drawn.sha256, size=drawn.size, media_type="image/webp")
