"""A file in parts, over a network that breaks off: tus 1.0.0, for phones and for the console."""

from collections.abc import Set
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sanic import HTTPResponse, Request

from api.evidence import LARGEST_BODY, UPLOADING, UploadQuery, brought, refuse_strange_visit
from api.wire import Routes, Schema, tus
from api.wire.files import file_chunks
from models import evidence
from models.base.errors import Refused
from models.base.scope import Scope
from models.evidence import Checksum, Kind, Submission, Upload

LARGEST = max(evidence.SIZE_LIMITS.values())
SPEAKING = ("tus_version", "invalid_header")
SENDING = (
    *SPEAKING,
    *("offset_mismatch", "upload_ended", "upload_busy", "upload_overtaken", "beyond_length", "too_many_parts"),
    "upload_goes_direct",
    *("offset_body_expected", "checksum_algorithm", "checksum_mismatch"),
    *UPLOADING,
)
BEGINNING = ("invalid_metadata", "uploads_open", *SENDING)


class Metadata(UploadQuery):
    """What a file shows, as the client says it when it begins; a name or type that it has there is not looked at."""

    client_id: Annotated[UUID, Field(description="客户端生成的 UUID；重发时用同一个。")]
    filename: Annotated[str, Field(max_length=1000)] = ""
    filetype: Annotated[str, Field(max_length=200)] = ""


class UploadOut(Schema):
    """How far an upload has come."""

    id: UUID
    offset: Annotated[int, Field(description="已收到的字节数，从这里接着传。", examples=[524288])]
    length: Annotated[int, Field(description="整个文件的字节数。", examples=[1048576])]
    ends_at: Annotated[datetime, Field(description="在此之前传完，否则清除。")]
    evidence_id: Annotated[UUID | None, Field(description="传完后成为的材料。")]

    @classmethod
    def of(cls, row: Upload) -> "UploadOut":
        """From a row."""
        return cls(id=row.id, offset=row.arrived, length=row.length, ends_at=row.ends_at, evidence_id=row.evidence_id)


class PartOut(Schema):
    """A part that is not there yet."""

    number: Annotated[int, Field(description="第几段，从 1 开始。", examples=[1])]
    size: Annotated[int, Field(description="这一段的字节数，必须正好。", examples=[5242880])]
    url: Annotated[str, Field(description="用 PUT 把这一段传到这里，一刻钟内有效；过期可再取。")]


class PartsOut(Schema):
    """What is still to be brought to the store: all but the last part are of one size."""

    parts: list[PartOut]


async def options(scope: Scope) -> HTTPResponse:
    """What the server offers, in tus's own headers."""
    told = {
        "tus-extension": tus.EXTENSIONS,
        "tus-max-size": str(LARGEST),
        "tus-checksum-algorithm": ",".join(evidence.ALGORITHMS),
    }
    return HTTPResponse(status=204, headers=told)


async def begin(request: Request, scope: Scope) -> HTTPResponse:
    """The same `client_id` again answers with the first. A body of tus's own type is the file's beginning."""
    tus.check_version(request)
    said, length = tus.metadata_of(request, Metadata), tus.length_of(request)
    await refuse_strange_visit(scope, said.visit_id, said.item_id)
    facts = said.model_dump(exclude={"sha256", "filename", "filetype", "nonce"}) | {"kind": Kind(said.kind)}
    along = brought(request, scope, said.visit_id, said.nonce)
    upload = await evidence.begin(Submission(**facts, brought=along), length=length, sha256=said.sha256, by=scope)
    if tus.brings_bytes(request) and upload.arrived == 0:
        upload = await _received(request, scope, upload.id, 0)
    headers = {**_told(upload), "location": f"{request.path}/{upload.id}"}
    body = UploadOut.of(upload).model_dump_json()
    return HTTPResponse(body, 201, headers, "application/json")


async def progress(request: Request, scope: Scope, upload_id: UUID) -> HTTPResponse:
    """From where to go on; HEAD answers in tus's headers alone."""
    if request.method == "HEAD":
        tus.check_version(request)
    upload = await evidence.upload_of(upload_id, by=scope)
    return HTTPResponse(UploadOut.of(upload).model_dump_json(), 200, _told(upload), "application/json")


async def send(request: Request, scope: Scope, upload_id: UUID) -> HTTPResponse:
    """The bytes from `Upload-Offset` on. With the last one the file is examined and becomes evidence."""
    tus.check_version(request)
    tus.check_body(request)
    upload = await _received(request, scope, upload_id, tus.offset_of(request))
    return HTTPResponse(status=204, headers=_told(upload))


async def send_overridden(request: Request, scope: Scope, upload_id: UUID) -> HTTPResponse:
    """The same for clients that may not send a PATCH (wx.request)."""
    if request.headers.get(tus.OVERRIDE.name, "").upper() != "PATCH":
        raise Refused("override_expected", "这个地址的 POST 只用于代替 PATCH（X-HTTP-Method-Override: PATCH）。")
    return await send(request, scope, upload_id)


async def parts(request: Request, scope: Scope, upload_id: UUID) -> PartsOut:
    """Each with a URL signed for it alone; parts that are there are not named again."""
    missing = await evidence.parts_of(upload_id, by=scope, store=request.app.ctx.store)
    return PartsOut(parts=[PartOut(number=part.number, size=part.size, url=part.url) for part in missing])


async def finish(request: Request, scope: Scope, upload_id: UUID) -> UploadOut:
    """What was brought is hashed, examined and submitted."""
    scan = getattr(request.app.ctx, "scan", evidence.no_scan)
    return UploadOut.of(await evidence.finish(upload_id, by=scope, store=request.app.ctx.store, scan=scan))


async def remove(request: Request, scope: Scope, upload_id: UUID) -> None:
    """Nothing of it stays but the evidence that it may have become."""
    tus.check_version(request)
    await evidence.remove(await evidence.upload_of(upload_id, by=scope), store=request.app.ctx.store)


async def _received(request: Request, scope: Scope, upload_id: UUID, offset: int) -> Upload:
    told = tus.checksum_of(request, evidence.ALGORITHMS)
    return await evidence.receive(
        upload_id,
        file_chunks(request),
        offset=offset,
        by=scope,
        store=request.app.ctx.store,
        scan=getattr(request.app.ctx, "scan", evidence.no_scan),
        checksum=Checksum(*told) if told else None,
    )


def _told(upload: Upload) -> dict[str, str]:
    return {
        "upload-offset": str(upload.arrived),
        "upload-length": str(upload.length),
        "upload-expires": tus.moment(upload.ends_at),
    }


def routes_for(audience: str, *, submitters: Set[StrEnum]) -> Routes:
    """The same routes for phones and for the console, to whoever may submit."""
    routes = Routes(audience, "/evidence/uploads", tag="佐证材料")
    tusly: Any = {"roles": submitters, "always": tus.ALWAYS}
    writing: Any = {**tusly, "idempotent": "by_itself"}
    bytes_: Any = {**writing, "stream": True, "max_body": LARGEST_BODY, "takes": (tus.BODY,)}
    begun, sent = (tus.RESUMABLE, tus.LENGTH, tus.METADATA), (tus.RESUMABLE, tus.OFFSET, tus.CHECKSUM)
    one, beyond = "/<upload_id:uuid>", {"limit": "1200/minute"}
    routes.route("OPTIONS", "", **tusly, summary="续传协议（tus）")(options)
    routes.post(
        "", **bytes_, asks=begun, reply=UploadOut, status=201, errors=BEGINNING, summary="开始分段上传照片或文档"
    )(begin)
    routes.get(
        one, **tusly, reply=UploadOut, errors=("not_found", "upload_ended", "tus_version"), summary="已收到多少"
    )(progress)
    routes.patch(one, **bytes_, **beyond, asks=sent, errors=SENDING, summary="接着传一段")(send)
    overridden = (tus.OVERRIDE, *sent)
    routes.post(
        one,
        **bytes_,
        **beyond,
        asks=overridden,
        errors=(*SENDING, "override_expected"),
        summary="接着传一段（代替 PATCH）",
    )(send_overridden)
    direct: Any = {"roles": submitters, "idempotent": "by_itself"}
    gone = ("not_found", "upload_ended", "direct_not_offered", "store_unavailable")
    routes.post(
        f"{one}/parts", **direct, reply=PartsOut, errors=(*gone, "upload_begun"), summary="取得直接传到存储的地址"
    )(parts)
    finishing = (*gone, "parts_missing", "upload_busy", "upload_overtaken", "beyond_length", *UPLOADING)
    routes.post(f"{one}/finish", **direct, reply=UploadOut, errors=finishing, summary="各段已直接传完")(finish)
    routes.delete(
        one, **writing, asks=(tus.RESUMABLE,), errors=("not_found", "upload_ended", "tus_version"), summary="放弃上传"
    )(remove)
    return routes
