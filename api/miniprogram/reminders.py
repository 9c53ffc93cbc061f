"""The inbox on the phone: what is waiting for me, acknowledging it, and urging what is below me."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import ANYONE_BOUND, Routes, Schema
from models import ledger, reminders
from models.base.scope import Scope
from models.reminders import ReminderKind, ReminderState

inbox_routes = Routes("mini", "/inbox", tag="待办")
urge_routes = Routes("mini", "/items", tag="催办")
routes = (inbox_routes, urge_routes)


class InboxQuery(Schema):
    """Which part of the inbox."""

    after: Annotated[UUID | None, Field(description="上一页的 next；第一页不填")] = None
    limit: Annotated[int, Field(description="一页最多几条", ge=1, le=100)] = 20


class ReminderOut(Schema):
    """One reminder."""

    id: UUID
    kind: Annotated[ReminderKind, Field(description="类别")]
    subject_type: Annotated[str, Field(description="关于什么", examples=["item"])]
    subject_id: UUID
    summary: Annotated[str, Field(description="摘要，只在小程序内显示", examples=["河道清淤：距期限还有3个工作日"])]
    due_on: Annotated[date | None, Field(description="期限")]
    urgent: Annotated[bool, Field(description="紧急")]
    made_at: datetime


class InboxOut(Schema):
    """Open reminders, newest first, and how many of each kind there are in all."""

    items: list[ReminderOut]
    next: Annotated[UUID | None, Field(description="下一页的 after；没有更多时为空")]
    counts: Annotated[dict[str, int], Field(description="各类别的未办数", examples=[{"to_receive": 2, "overdue": 1}])]


class AcknowledgeIn(Schema):
    """An acknowledgement."""

    note: Annotated[str | None, Field(description="说明，可以不填", max_length=500, examples=["已安排本周办理"])] = None


class AcknowledgementOut(Schema):
    """Where the reminder stands."""

    id: UUID
    state: Annotated[ReminderState, Field(description="acknowledged 已确认；settled 事项已有进展，不必再确认")]
    acknowledged_at: datetime | None


class UrgeIn(Schema):
    """What to say with it."""

    note: Annotated[str | None, Field(description="要求，可以不填", max_length=80, examples=["请于本周内办结"])] = None


@inbox_routes.get("", roles=ANYONE_BOUND, query=InboxQuery, reply=InboxOut, summary="我的待办", limit="600/minute")
async def inbox(scope: Scope, query: InboxQuery) -> bytes:
    return await reminders.inbox(by=scope, after=query.after, limit=query.limit)


@inbox_routes.post(
    "/<reminder_id:uuid>/acknowledge",
    roles=ANYONE_BOUND,
    body=AcknowledgeIn,
    reply=AcknowledgementOut,
    summary="确认知悉",
    errors=("not_found", "receive_the_item"),
    limit="600/minute",
    idempotent="by_rule",
)
async def acknowledge(scope: Scope, reminder_id: UUID, body: AcknowledgeIn) -> AcknowledgementOut:
    return AcknowledgementOut.model_validate(await reminders.acknowledge(reminder_id, by=scope, note=body.note))


@urge_routes.post(
    "/<item_id:uuid>/urge",
    roles=ANYONE_BOUND,
    body=UrgeIn,
    status=204,
    summary="催办（上级和监督人员，有最小间隔）",
    errors=("not_found", "wrong_state", "urged_recently"),
)
async def urge(scope: Scope, item_id: UUID, body: UrgeIn) -> None:
    await ledger.urge(item_id, by=scope, note=body.note)
