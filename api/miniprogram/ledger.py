"""Items on the phone: mine, those waiting for my review, and every step that may be mine."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.ledger import ItemLine, ItemOut, MomentOut, Note, Reason, ResponsibleOut, moments_of, page_of, seen
from api.wire import ANYONE_BOUND, Listing, Page, Routes, Schema, read_cursor
from models import ledger
from models.base.scope import Scope
from models.base.stated import Day

routes = Routes("mini", "/items", tag="事项")
STEP = ("not_found", "not_your_step", "wrong_state")


class MineQuery(Listing):
    """Which of mine."""

    done: Annotated[bool, Field(description="真：已销号、已撤销的；假：还没有办结的")] = False


@routes.get("", roles=ANYONE_BOUND, query=MineQuery, reply=Page[ItemLine], summary="我的事项")
async def mine(scope: Scope, query: MineQuery) -> Page[ItemLine]:
    found = await ledger.mine(by=scope, done=query.done, after=_after(query), limit=query.limit)
    return page_of(found, query.limit)


@routes.get("/to-review", roles=ANYONE_BOUND, query=Listing, reply=Page[ItemLine], summary="等我审核的事项")
async def to_review(scope: Scope, query: Listing) -> Page[ItemLine]:
    found = await ledger.to_review(by=scope, after=_after(query), limit=query.limit)
    return page_of(found, query.limit)


@routes.get("/<item_id:uuid>", roles=ANYONE_BOUND, reply=ItemOut, summary="事项详情", errors=("not_found",))
async def detail(scope: Scope, item_id: UUID) -> ItemOut:
    return await seen(item_id, scope)


@routes.get(
    "/<item_id:uuid>/timeline",
    roles=ANYONE_BOUND,
    query=Listing,
    reply=Page[MomentOut],
    summary="办理经过",
    errors=("not_found",),
)
async def timeline(scope: Scope, item_id: UUID, query: Listing) -> Page[MomentOut]:
    found = await ledger.timeline(item_id, by=scope, after=_after(query), limit=query.limit)
    return moments_of(found, query.limit)


@routes.get(
    "/<item_id:uuid>/responsible",
    roles=ANYONE_BOUND,
    reply=ResponsibleOut,
    summary="交办人和责任链",
    errors=("not_found",),
)
async def responsible(scope: Scope, item_id: UUID) -> ResponsibleOut:
    return ResponsibleOut.of(await ledger.responsible(item_id, by=scope))


class NoteIn(Schema):
    """A step with an optional note."""

    note: Note = None


class ReportIn(Schema):
    """How it is going."""

    text: Annotated[str, Field(description="进展情况", min_length=1, max_length=2000, examples=["已完成现场核对"])]


class ReviewIn(Schema):
    """A review's outcome; a return says why and what is missing."""

    passed: Annotated[bool, Field(description="真：通过；假：退回")]
    reason: Annotated[str | None, Field(description="理由；退回时必填", max_length=1000)] = None
    missing: Annotated[str | None, Field(description="还缺什么；退回时必填", max_length=1000)] = None


class ExtensionIn(Schema):
    """A request for more time, not after the due date."""

    reason: Reason
    new_due_on: Annotated[Day, Field(description="新的期限", examples=["2026-12-31"])]


class DecisionIn(Schema):
    """A decision on a request for more time."""

    granted: Annotated[bool, Field(description="真：同意；假：不同意")]
    reason: Annotated[str | None, Field(description="理由；不同意时必填", max_length=1000)] = None


@routes.post("/<item_id:uuid>/receive", roles=ANYONE_BOUND, body=NoteIn, reply=ItemOut, summary="签收", errors=STEP)
async def receive(scope: Scope, item_id: UUID, body: NoteIn) -> ItemOut:
    await ledger.receive(item_id, by=scope, note=body.note)
    return await seen(item_id, scope)


@routes.post(
    "/<item_id:uuid>/reports", roles=ANYONE_BOUND, body=ReportIn, reply=ItemOut, summary="反馈进展", errors=STEP
)
async def report(scope: Scope, item_id: UUID, body: ReportIn) -> ItemOut:
    await ledger.report(item_id, by=scope, text=body.text)
    return await seen(item_id, scope)


@routes.post(
    "/<item_id:uuid>/close-out",
    roles=ANYONE_BOUND,
    body=NoteIn,
    reply=ItemOut,
    summary="申请销号",
    errors=(*STEP, "evidence_missing"),
)
async def request_close_out(scope: Scope, item_id: UUID, body: NoteIn) -> ItemOut:
    await ledger.request_close_out(item_id, by=scope, note=body.note)
    return await seen(item_id, scope)


@routes.post(
    "/<item_id:uuid>/unit-review",
    roles=ANYONE_BOUND,
    body=ReviewIn,
    reply=ItemOut,
    summary="初审：通过或退回",
    errors=(*STEP, "same_person", "required"),
)
async def unit_review(scope: Scope, item_id: UUID, body: ReviewIn) -> ItemOut:
    await ledger.unit_review(item_id, by=scope, passed=body.passed, reason=body.reason, missing=body.missing)
    return await seen(item_id, scope)


@routes.post(
    "/<item_id:uuid>/oversight-review",
    roles=ANYONE_BOUND,
    body=ReviewIn,
    reply=ItemOut,
    summary="复核：销号或退回",
    errors=(*STEP, "same_person", "required"),
)
async def oversight_review(scope: Scope, item_id: UUID, body: ReviewIn) -> ItemOut:
    await ledger.oversight_review(item_id, by=scope, passed=body.passed, reason=body.reason, missing=body.missing)
    return await seen(item_id, scope)


@routes.post(
    "/<item_id:uuid>/extension",
    roles=ANYONE_BOUND,
    body=ExtensionIn,
    reply=ItemOut,
    summary="申请延期",
    errors=(*STEP, "already_due", "extension_waiting", "not_later"),
)
async def ask_extension(scope: Scope, item_id: UUID, body: ExtensionIn) -> ItemOut:
    await ledger.ask_extension(item_id, by=scope, reason=body.reason, new_due_on=body.new_due_on)
    return await seen(item_id, scope)


@routes.post(
    "/<item_id:uuid>/extension/decision",
    roles=ANYONE_BOUND,
    body=DecisionIn,
    reply=ItemOut,
    summary="决定延期申请",
    errors=(*STEP, "same_person", "no_extension_waiting", "required"),
)
async def decide_extension(scope: Scope, item_id: UUID, body: DecisionIn) -> ItemOut:
    await ledger.decide_extension(item_id, by=scope, granted=body.granted, reason=body.reason)
    return await seen(item_id, scope)


def _after(query: Listing) -> UUID | None:
    cursor = read_cursor(query.after, UUID)
    return cursor[0] if cursor else None
