"""Items on the console: drafting, issuing, reading, reviewing, and the side states."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from sanic import HTTPResponse, Request
from sanic.response import raw

from api.ledger import ItemLine, ItemOut, MomentOut, Note, PreviewOut, Reason, moments_of, page_of, seen
from api.wire import Listing, Page, Routes, Schema, expected_version, read_cursor
from models import ledger
from models.base.scope import Role, Scope
from models.base.stated import Day

routes = Routes("console", "/items", tag="事项")
READERS = {Role.OVERSIGHT, Role.UNIT_LEADER, Role.INSPECTOR}
OFFICE = {Role.OVERSIGHT}
STEP = ("not_found", "not_your_step", "wrong_state", "required")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Asked(Schema):
    """Which items."""

    state: Annotated[list[ledger.State], Field(description="状态，可多选")] = []
    list: Annotated[ledger.ListKind | None, Field(description="清单")] = None
    unit_path: Annotated[str | None, Field(description="单位及其下级（单位路径）", max_length=400)] = None
    owner_id: Annotated[UUID | None, Field(description="责任人")] = None
    campaign_id: Annotated[UUID | None, Field(description="台账")] = None
    overdue: Annotated[bool | None, Field(description="是否逾期")] = None
    text: Annotated[str | None, Field(description="标题或编号中的文字", max_length=60, examples=["雨污分流"])] = None

    def filters(self) -> ledger.Filters:
        """As the rule takes them."""
        same = ("list", "unit_path", "owner_id", "campaign_id", "overdue", "text")
        return ledger.Filters(states=self.state, **{name: getattr(self, name) for name in same})


class ItemsQuery(Asked, Listing):
    """A part of a list of items."""


@routes.get("", roles=READERS, query=ItemsQuery, reply=Page[ItemLine], summary="事项列表")
async def listing(scope: Scope, query: ItemsQuery) -> Page[ItemLine]:
    found = await ledger.items(by=scope, filters=query.filters(), after=_after(query), limit=query.limit)
    return page_of(found, query.limit)


@routes.get("/export", roles=READERS, query=Asked, summary="导出事项（.xlsx）", media_type=XLSX, limit="10/minute")
async def export(scope: Scope, query: Asked) -> HTTPResponse:
    data = await ledger.export_items(by=scope, filters=query.filters())
    return raw(data, content_type=XLSX, headers={"content-disposition": 'attachment; filename="items.xlsx"'})


class SimilarQuery(Schema):
    """A matter about to be drafted."""

    owner_id: Annotated[UUID, Field(description="责任人")]
    title: Annotated[str, Field(description="标题", max_length=100)]
    requirement: Annotated[str, Field(description="要求", max_length=2000)] = ""


class SimilarOut(Schema):
    """An open item that asks about the same."""

    other_id: UUID
    number: str | None
    title: str
    percent: Annotated[int, Field(description="相近程度，百分之几", examples=[82])]


class SimilarsOut(Schema):
    """At most five, the likest first."""

    items: list[SimilarOut]


@routes.get("/similar", roles=OFFICE, query=SimilarQuery, reply=SimilarsOut, summary="同一责任人的相近事项")
async def similar(scope: Scope, query: SimilarQuery) -> SimilarsOut:
    found = await ledger.similar_open(scope.zone_id, query.owner_id, query.title, query.requirement)
    return SimilarsOut(items=[SimilarOut(**_plain(like)) for like in found])


def _plain(like: ledger.Likeness) -> dict[str, object]:
    return {"other_id": like.other_id, "number": like.number, "title": like.title, "percent": like.percent}


class DraftIn(Schema):
    """A new draft."""

    campaign_id: Annotated[UUID, Field(description="台账")]
    matter: ledger.Matter


@routes.post(
    "",
    roles=OFFICE,
    body=DraftIn,
    reply=ItemOut,
    status=201,
    summary="起草事项",
    errors=("not_found", "classification_too_high", "bad_due", "due_in_past", "owner_not_in_unit", "unknown_policy"),
)
async def draft(scope: Scope, body: DraftIn) -> ItemOut:
    item = await ledger.draft(body.matter, campaign_id=body.campaign_id, by=scope)
    return await seen(item.id, scope)


@routes.put(
    "/<item_id:uuid>",
    roles=OFFICE,
    body=ledger.Matter,
    reply=ItemOut,
    summary="修改草稿（须带 If-Match）",
    errors=("not_found", "wrong_state", "changed_meanwhile", "if_match_missing", "classification_too_high", "bad_due"),
)
async def revise(scope: Scope, request: Request, item_id: UUID, body: ledger.Matter) -> ItemOut:
    await ledger.revise(item_id, body, by=scope, version=expected_version(request))
    return await seen(item_id, scope)


@routes.get("/<item_id:uuid>", roles=READERS, reply=ItemOut, summary="事项详情", errors=("not_found",))
async def detail(scope: Scope, item_id: UUID) -> ItemOut:
    return await seen(item_id, scope)


@routes.get(
    "/<item_id:uuid>/timeline",
    roles=READERS,
    query=Listing,
    reply=Page[MomentOut],
    summary="办理经过",
    errors=("not_found",),
)
async def timeline(scope: Scope, item_id: UUID, query: Listing) -> Page[MomentOut]:
    found = await ledger.timeline(item_id, by=scope, after=_after(query), limit=query.limit)
    return moments_of(found, query.limit)


class IssueIn(Schema):
    """Issuing one draft."""

    although_similar: Annotated[bool, Field(description="真：与未销号事项相近也交办")] = False


@routes.post(
    "/<item_id:uuid>/issue",
    roles=OFFICE,
    body=IssueIn,
    reply=ItemOut,
    summary="交办",
    errors=(*STEP, "similar_open_item", "due_in_past"),
)
async def issue(scope: Scope, item_id: UUID, body: IssueIn) -> ItemOut:
    await ledger.issue(item_id, by=scope, although_similar=body.although_similar)
    return await seen(item_id, scope)


@routes.get(
    "/<item_id:uuid>/preview",
    roles=OFFICE,
    reply=PreviewOut,
    summary="交办前预览：七天内多少人收到多少消息",
    errors=("not_found", "wrong_state"),
)
async def preview(scope: Scope, item_id: UUID) -> PreviewOut:
    return PreviewOut.model_validate(await ledger.preview_item(item_id, by=scope))


class ReviewIn(Schema):
    """A review's outcome; a return says why and what is missing."""

    passed: Annotated[bool, Field(description="真：销号；假：退回")]
    reason: Annotated[str | None, Field(description="理由；退回时必填", max_length=1000)] = None
    missing: Annotated[str | None, Field(description="还缺什么；退回时必填", max_length=1000)] = None


@routes.post(
    "/<item_id:uuid>/oversight-review",
    roles=OFFICE,
    body=ReviewIn,
    reply=ItemOut,
    summary="复核：销号或退回",
    errors=(*STEP, "same_person"),
)
async def oversight_review(scope: Scope, item_id: UUID, body: ReviewIn) -> ItemOut:
    await ledger.oversight_review(item_id, by=scope, passed=body.passed, reason=body.reason, missing=body.missing)
    return await seen(item_id, scope)


class DecisionIn(Schema):
    """A decision on a request for more time."""

    granted: Annotated[bool, Field(description="真：同意；假：不同意")]
    reason: Annotated[str | None, Field(description="理由；不同意时必填", max_length=1000)] = None


@routes.post(
    "/<item_id:uuid>/extension/decision",
    roles=OFFICE,
    body=DecisionIn,
    reply=ItemOut,
    summary="决定延期申请",
    errors=(*STEP, "same_person", "no_extension_waiting"),
)
async def decide_extension(scope: Scope, item_id: UUID, body: DecisionIn) -> ItemOut:
    await ledger.decide_extension(item_id, by=scope, granted=body.granted, reason=body.reason)
    return await seen(item_id, scope)


class LongTermIn(Schema):
    """From a deadline to stages."""

    reason: Reason
    stage_goal: Annotated[
        str, Field(description="阶段目标", min_length=1, max_length=1000, examples=["完成首批十户回访"])
    ]
    next_review_on: Annotated[Day, Field(description="下次评估日期", examples=["2027-03-31"])]


@routes.post(
    "/<item_id:uuid>/long-term", roles=OFFICE, body=LongTermIn, reply=ItemOut, summary="转为持续整改", errors=STEP
)
async def make_long_term(scope: Scope, item_id: UUID, body: LongTermIn) -> ItemOut:
    await ledger.make_long_term(item_id, by=scope, **body.model_dump())
    return await seen(item_id, scope)


class StageIn(Schema):
    """What was found, and the next stage."""

    finding: Annotated[str, Field(description="评估结论", min_length=1, max_length=1000, examples=["达到阶段目标"])]
    stage_goal: Annotated[str, Field(description="下一阶段目标", min_length=1, max_length=1000)]
    next_review_on: Annotated[Day, Field(description="下次评估日期", examples=["2027-06-30"])]


@routes.post("/<item_id:uuid>/stage-review", roles=OFFICE, body=StageIn, reply=ItemOut, summary="阶段评估", errors=STEP)
async def review_stage(scope: Scope, item_id: UUID, body: StageIn) -> ItemOut:
    await ledger.review_stage(item_id, by=scope, **body.model_dump())
    return await seen(item_id, scope)


class SuspendIn(Schema):
    """Nothing is asked until a day."""

    reason: Reason
    until: Annotated[Day, Field(description="挂账至", examples=["2027-03-01"])]


@routes.post("/<item_id:uuid>/suspend", roles=OFFICE, body=SuspendIn, reply=ItemOut, summary="挂账", errors=STEP)
async def suspend(scope: Scope, item_id: UUID, body: SuspendIn) -> ItemOut:
    await ledger.suspend(item_id, by=scope, reason=body.reason, until=body.until)
    return await seen(item_id, scope)


class ResumeIn(Schema):
    """Back to work."""

    reason: Note = None


@routes.post("/<item_id:uuid>/resume", roles=OFFICE, body=ResumeIn, reply=ItemOut, summary="恢复办理", errors=STEP)
async def resume(scope: Scope, item_id: UUID, body: ResumeIn) -> ItemOut:
    await ledger.resume(item_id, by=scope, reason=body.reason)
    return await seen(item_id, scope)


class CancelIn(Schema):
    """Why the item ends without having been done."""

    reason: Reason


@routes.post("/<item_id:uuid>/cancel", roles=OFFICE, body=CancelIn, reply=ItemOut, summary="撤销", errors=STEP)
async def cancel(scope: Scope, item_id: UUID, body: CancelIn) -> ItemOut:
    await ledger.cancel(item_id, by=scope, reason=body.reason)
    return await seen(item_id, scope)


def _after(query: Listing) -> UUID | None:
    cursor = read_cursor(query.after, UUID)
    return cursor[0] if cursor else None
