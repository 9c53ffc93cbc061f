"""Campaigns: making one, filling it from a workbook, issuing its drafts."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sanic import Request

from api.ledger import PreviewOut
from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import ledger
from models.base.scope import Role, Scope

routes = Routes("console", "/campaigns", tag="台账")
OFFICE = {Role.OVERSIGHT}
WORKBOOK_LIMIT = 32 << 20


class CampaignIn(Schema):
    """A new campaign."""

    name: Annotated[str, Field(description="名称", min_length=1, max_length=120, examples=["2026年政治监督台账"])]
    purpose: Annotated[str, Field(description="目的，可以不填", max_length=2000)] = ""
    default_policies: Annotated[
        dict[ledger.ListKind, list[str]],
        Field(description="各清单的默认预警策略：清单 → 策略编码", examples=[{"task": ["NEAR_DUE"]}]),
    ] = {}


class CampaignOut(Schema):
    """A campaign."""

    id: UUID
    name: Annotated[str, Field(description="名称", examples=["2026年政治监督台账"])]
    purpose: str
    default_policies: dict[str, list[str]]
    created_at: datetime


@routes.post(
    "", roles=OFFICE, body=CampaignIn, reply=CampaignOut, status=201, summary="新建台账", errors=("campaign_exists",)
)
async def create(scope: Scope, body: CampaignIn) -> CampaignOut:
    campaign = await ledger.create_campaign(
        by=scope, name=body.name, purpose=body.purpose, default_policies={**body.default_policies}
    )
    return CampaignOut.model_validate(campaign)


@routes.get("", roles=OFFICE, query=Listing, reply=Page[CampaignOut], summary="台账列表")
async def listing(scope: Scope, query: Listing) -> Page[CampaignOut]:
    cursor = read_cursor(query.after, UUID)
    found = await ledger.campaigns(by=scope, after=cursor[0] if cursor else None, limit=query.limit)
    next_ = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[CampaignOut](items=[CampaignOut.model_validate(campaign) for campaign in found], next=next_)


class ImportQuery(Schema):
    """How to import."""

    dry_run: Annotated[bool, Field(description="真：只检查，不保存")] = False


class SimilarRowOut(Schema):
    """A row that resembles another matter of the same owner: a warning, the row is taken all the same."""

    row: Annotated[int, Field(description="Excel 中的行号", examples=[12])]
    title: str
    other: Annotated[str, Field(description="相近事项的标题")]
    number: Annotated[str | None, Field(description="相近事项的编号；还没有交办的为空")]
    percent: Annotated[int, Field(description="相近程度，百分之几", examples=[82])]


class ImportedOut(Schema):
    """What the import did, or would do."""

    dry_run: bool
    created: Annotated[int, Field(description="新增草稿", examples=[300])]
    updated: Annotated[int, Field(description="更新的草稿")]
    unchanged: Annotated[int, Field(description="与已有草稿相同")]
    settled: Annotated[int, Field(description="早已交办，保持不变")]
    similar: list[SimilarRowOut]


@routes.post(
    "/<campaign_id:uuid>/items/import",
    roles=OFFICE,
    query=ImportQuery,
    reply=ImportedOut,
    summary="从 Excel 导入事项（请求内容为 .xlsx 文件）",
    errors=("not_found", "not_a_workbook", "bad_workbook", "workbook_too_large"),
    max_body=WORKBOOK_LIMIT,
    limit="20/minute",
)
async def import_items(scope: Scope, request: Request, campaign_id: UUID, query: ImportQuery) -> ImportedOut:
    imported = await ledger.import_items(request.body, campaign_id=campaign_id, by=scope, dry_run=query.dry_run)
    return ImportedOut.model_validate(imported)


@routes.get(
    "/<campaign_id:uuid>/preview",
    roles=OFFICE,
    reply=PreviewOut,
    summary="交办前预览：七天内多少人收到多少消息",
    errors=("not_found",),
    limit="20/minute",
)
async def preview(scope: Scope, campaign_id: UUID) -> PreviewOut:
    return PreviewOut.model_validate(await ledger.preview_campaign(campaign_id, by=scope))


class IssueIn(Schema):
    """Issuing drafts."""

    although_similar: Annotated[bool, Field(description="真：与未销号事项相近也交办")] = False


class LikenessOut(Schema):
    """A draft that was left, and what it resembles."""

    item_id: UUID
    other_id: UUID
    number: Annotated[str | None, Field(description="相近事项的编号", examples=["ZL-RW-2026-0007"])]
    title: Annotated[str, Field(description="相近事项的标题")]
    percent: int


class IssuedOut(Schema):
    """What was issued."""

    numbers: Annotated[list[str], Field(description="所给的编号", examples=[["ZL-RW-2026-0001"]])]
    similar: Annotated[list[LikenessOut], Field(description="与未销号事项相近、仍为草稿的")]
    past_due: Annotated[list[UUID], Field(description="期限已过、仍为草稿的")]


@routes.post(
    "/<campaign_id:uuid>/issue",
    roles=OFFICE,
    body=IssueIn,
    reply=IssuedOut,
    summary="交办台账中的全部草稿",
    errors=("not_found",),
    limit="10/minute",
)
async def issue(scope: Scope, campaign_id: UUID, body: IssueIn) -> IssuedOut:
    issued = await ledger.issue_campaign(campaign_id, by=scope, although_similar=body.although_similar)
    return IssuedOut.model_validate(issued)
