"""Evidence packs on the console: asked for, watched while they are made, downloaded for a week."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator
from sanic import Request
from sanic.response import ResponseStream

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from api.wire.files import stream_file
from models import packs
from models.base.scope import Role, Scope
from models.packs import Pack, PackState, PackSubject

routes = Routes("console", "/packs", tag="证据包")
OVERSIGHT = {Role.OVERSIGHT}
ONE = "/<pack_id:uuid>"


class PackIn(Schema):
    """Whose file."""

    item_id: Annotated[UUID | None, Field(description="事项；与台账只填一个。")] = None
    campaign_id: Annotated[UUID | None, Field(description="台账：其中本人监督范围内、已交办的事项。")] = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "PackIn":
        if (self.item_id is None) == (self.campaign_id is None):
            raise ValueError("事项和台账只填一项。")
        return self


class PackOut(Schema):
    """A pack and how far it is."""

    id: UUID
    subject_type: Annotated[PackSubject, Field(description="item 事项，campaign 台账")]
    subject_id: UUID
    name: Annotated[str, Field(description="事项编号或台账名称", examples=["ZL-WT-2026-0001"])]
    state: PackState
    state_label: Annotated[str, Field(description="进展的中文名称", examples=["制作中"])]
    files_total: Annotated[int, Field(description="申请时清点的文件数", examples=[24])]
    files_done: Annotated[int, Field(description="已打包的文件数")]
    size: Annotated[int | None, Field(description="字节数；制作完成后才有")]
    sha256: Annotated[str | None, Field(description="整个证据包的 SHA-256")]
    manifest_sha256: Annotated[str | None, Field(description="清单的 SHA-256，操作日志中也有")]
    reason: Annotated[str, Field(description="未能制作的原因")]
    asked_at: datetime
    ended_at: datetime | None
    expires_at: Annotated[datetime | None, Field(description="可下载到什么时候")]

    @classmethod
    def of(cls, pack: Pack) -> "PackOut":
        """From a row."""
        plain = {name: getattr(pack, name) for name in cls.model_fields if name != "state_label"}
        return cls(**plain, state_label=pack.state.label)


@routes.post(
    "",
    roles=OVERSIGHT,
    body=PackIn,
    reply=PackOut,
    status=202,
    summary="制作证据包",
    errors=(
        *("not_found", "nothing_to_pack", "too_many_packs", "pack_under_way"),
        *("pack_too_large", "pack_of_parts"),
    ),
    limit="20/minute",
)
async def ask(scope: Scope, body: PackIn) -> PackOut:
    """在后台制作，完成后可下载七天。包内有原件、预览图、办理过程、操作日志及其封存证明，任何人都能离线核对。"""
    if body.item_id is not None:
        return PackOut.of(await packs.ask(PackSubject.ITEM, body.item_id, by=scope))
    assert body.campaign_id is not None
    return PackOut.of(await packs.ask(PackSubject.CAMPAIGN, body.campaign_id, by=scope))


@routes.get("", roles=OVERSIGHT, query=Listing, reply=Page[PackOut], summary="证据包")
async def listing(scope: Scope, query: Listing) -> Page[PackOut]:
    cursor = read_cursor(query.after, UUID)
    found = await packs.packs(by=scope, after=cursor[0] if cursor else None, limit=query.limit)
    next_ = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[PackOut](items=[PackOut.of(pack) for pack in found], next=next_)


@routes.get(ONE, roles=OVERSIGHT, reply=PackOut, summary="证据包的进展", errors=("not_found",))
async def detail(scope: Scope, pack_id: UUID) -> PackOut:
    return PackOut.of(await packs.pack_of(pack_id, by=scope))


@routes.post(f"{ONE}/cancel", roles=OVERSIGHT, reply=PackOut, summary="取消制作", errors=("not_found",))
async def cancel(scope: Scope, pack_id: UUID) -> PackOut:
    return PackOut.of(await packs.cancel(pack_id, by=scope))


@routes.get(
    f"{ONE}/file",
    roles=OVERSIGHT,
    media_type="application/zip",
    summary="下载证据包",
    errors=("not_found", "pack_not_ready"),
    limit="20/minute",
)
async def file(request: Request, scope: Scope, pack_id: UUID) -> ResponseStream:
    """操作日志会记下谁下载过。"""
    pack = await packs.take(pack_id, by=scope)
    assert pack.sha256 and pack.size is not None
    chunks = request.app.ctx.store.get(packs.address(pack))
    name = f"pack-{pack.id}.zip"
    return stream_file(request, chunks, etag=pack.sha256, size=pack.size, media_type="application/zip", name=name)
