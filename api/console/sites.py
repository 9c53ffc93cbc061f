"""Site codes on the console: issued for a unit's site, printed as posters, revoked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sanic import HTTPResponse, Request
from sanic.response import raw

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import lookbacks
from models.base.scope import Role, Scope
from models.lookbacks import MOST_POSTERS, SiteCode

routes = Routes("console", "/lookbacks/sites", tag="回头看")
OVERSIGHT = {Role.OVERSIGHT}
PDF = "application/pdf"


class SiteIn(Schema):
    """For which site."""

    unit_id: Annotated[UUID, Field(description="单位")]
    name: Annotated[
        str, Field(description="站点名称，印在码上方", min_length=1, max_length=60, examples=["长河路工地"])
    ]


class SiteOut(Schema):
    """A site's code. Who scanned it is not known to anybody."""

    id: UUID
    unit_id: UUID
    unit: Annotated[str, Field(description="单位", examples=["建设局"])]
    name: Annotated[str, Field(description="站点名称", examples=["长河路工地"])]
    made_at: datetime
    drawn_at: Annotated[datetime | None, Field(description="小程序码生成的时间；还在生成为空")]
    revoked_at: Annotated[datetime | None, Field(description="作废的时间；没有作废为空")]

    @classmethod
    def of(cls, site: SiteCode) -> "SiteOut":
        """From a row with its unit."""
        plain = {name: getattr(site, name) for name in cls.model_fields if name != "unit"}
        return cls(**plain, unit=site.unit.name)


class SitesQuery(Listing):
    """Which sites."""

    unit_id: Annotated[UUID | None, Field(description="单位；不填为全部。")] = None


class PostersIn(Schema):
    """Which posters, a page each."""

    site_ids: Annotated[Sequence[UUID], Field(description="站点，每个一页", min_length=1, max_length=MOST_POSTERS)]


@routes.post(
    "", roles=OVERSIGHT, body=SiteIn, reply=SiteOut, status=201, summary="发站点码", errors=("unit_not_found",)
)
async def issue(scope: Scope, body: SiteIn) -> SiteOut:
    """检查人员扫码打开检查表；码本身不证明什么。同一站点再发一次，得到的是原来的码。"""
    return SiteOut.of(await lookbacks.issue_site_code(body.unit_id, body.name, by=scope))


@routes.get("", roles=OVERSIGHT, query=SitesQuery, reply=Page[SiteOut], summary="站点码")
async def listing(scope: Scope, query: SitesQuery) -> Page[SiteOut]:
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await lookbacks.site_codes(by=scope, unit_id=query.unit_id, after=after, limit=query.limit)
    next_ = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[SiteOut](items=[SiteOut.of(site) for site in found], next=next_)


@routes.post("/<site_id:uuid>/revoke", roles=OVERSIGHT, reply=SiteOut, summary="作废站点码", errors=("not_found",))
async def revoke(scope: Scope, site_id: UUID) -> SiteOut:
    """贴出去的码从此打不开检查表；检查人员的手机下次联网时知道。"""
    return SiteOut.of(await lookbacks.revoke_site_code(site_id, by=scope))


@routes.post(
    "/posters",
    roles=OVERSIGHT,
    body=PostersIn,
    summary="站点码海报（PDF，每个站点一页 A4）",
    media_type=PDF,
    limit="20/minute",
    errors=("not_found", "site_code_revoked", "site_code_not_drawn"),
)
async def posters(request: Request, scope: Scope, body: PostersIn) -> HTTPResponse:
    signs = await lookbacks.signs(body.site_ids, by=scope)
    pdf = await lookbacks.posters(signs, request.app.ctx.store.get)
    return raw(pdf, content_type=PDF, headers={"content-disposition": 'attachment; filename="posters.pdf"'})
