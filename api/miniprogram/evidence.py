"""Evidence from the phone: files, words, references to paper; and its review by unit leaders."""

from uuid import UUID

from sanic import Request
from sanic.response import ResponseStream

from api import evidence as forms
from api.evidence import EvidenceOut, EvidenceQuery, ReviewIn, UploadQuery, WordsIn
from api.wire import ANYONE_BOUND, Page, Routes
from api.wire.once import key_of
from models import evidence
from models.base.scope import Scope
from models.evidence import Form

routes = Routes("mini", "/evidence", tag="佐证材料")


@routes.post(
    "/upload",
    roles=ANYONE_BOUND,
    query=UploadQuery,
    reply=EvidenceOut,
    status=201,
    stream=True,
    idempotent="by_rule",
    max_body=forms.LARGEST_BODY,
    summary="上传照片或文档",
    errors=forms.UPLOADING,
)
async def upload(request: Request, scope: Scope, query: UploadQuery) -> EvidenceOut:
    return await forms.attach_file(request, scope, query, key_of(request))


@routes.post(
    "",
    roles=ANYONE_BOUND,
    body=WordsIn,
    reply=EvidenceOut,
    status=201,
    idempotent="by_rule",
    summary="提交文字说明或纸质材料编号",
    errors=forms.SUBMITTING,
)
async def submit(request: Request, scope: Scope, body: WordsIn) -> EvidenceOut:
    return await forms.attach_words(scope, body, key_of(request))


@routes.get(
    "",
    roles=ANYONE_BOUND,
    query=EvidenceQuery,
    reply=Page[EvidenceOut],
    summary="事项或检查的佐证材料",
    errors=("not_found", "subject_missing"),
)
async def page(scope: Scope, query: EvidenceQuery) -> Page[EvidenceOut]:
    return await forms.page(scope, query)


@routes.get("/<evidence_id:uuid>", roles=ANYONE_BOUND, reply=EvidenceOut, summary="一份材料", errors=("not_found",))
async def detail(scope: Scope, evidence_id: UUID) -> EvidenceOut:
    return await forms.one(scope, await evidence.readable(evidence_id, by=scope))


@routes.post(
    "/<evidence_id:uuid>/review",
    roles=ANYONE_BOUND,
    body=ReviewIn,
    reply=EvidenceOut,
    summary="审核材料",
    errors=forms.REVIEWING,
)
async def review(scope: Scope, evidence_id: UUID, body: ReviewIn) -> EvidenceOut:
    return await forms.one(
        scope, await evidence.review(evidence_id, by=scope, verdict=body.verdict, reason=body.reason)
    )


@routes.get(
    "/<evidence_id:uuid>/file",
    roles=ANYONE_BOUND,
    media_type="application/octet-stream",
    summary="下载原件",
    errors=("not_found", "no_file"),
)
async def original(request: Request, scope: Scope, evidence_id: UUID) -> ResponseStream:
    return await forms.original(request, scope, evidence_id)


@routes.get(
    "/<evidence_id:uuid>/view",
    roles=ANYONE_BOUND,
    media_type="image/webp",
    summary="预览图",
    errors=("not_found", "picture_not_ready"),
)
async def view(request: Request, scope: Scope, evidence_id: UUID) -> ResponseStream:
    return await forms.picture(request, scope, evidence_id, Form.VIEW)


@routes.get(
    "/<evidence_id:uuid>/thumbnail",
    roles=ANYONE_BOUND,
    media_type="image/webp",
    summary="缩略图",
    errors=("not_found", "picture_not_ready"),
)
async def thumbnail(request: Request, scope: Scope, evidence_id: UUID) -> ResponseStream:
    return await forms.picture(request, scope, evidence_id, Form.THUMBNAIL)
