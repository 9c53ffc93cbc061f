"""Background work that failed too often, and a person's decision about it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models.base import quarantine
from models.base.outbox import PromiseState
from models.base.scope import Role, Scope

routes = Routes("console", "/quarantine", tag="隔离的任务")
READERS = {Role.ADMIN, Role.AUDITOR}


class PromiseOut(Schema):
    """One piece of work that failed too often. What it is about is named by ids only."""

    id: UUID
    job: Annotated[str, Field(description="任务", examples=["reminders.expire"])]
    payload: Annotated[dict[str, str], Field(description="对象编号")]
    state: PromiseState
    attempts: Annotated[int, Field(description="已试次数")]
    last_error: Annotated[str | None, Field(description="最后一次的错误", examples=["KeyError"])]
    discard_reason: Annotated[str | None, Field(description="作废原因")]
    due_at: datetime


class DiscardIn(Schema):
    """Why it is not to be tried again."""

    reason: Annotated[str, Field(description="原因", min_length=1, max_length=300, examples=["来源数据已删除"])]


@routes.get("", roles=READERS, query=Listing, reply=Page[PromiseOut], summary="多次失败、已隔离的任务")
async def listing(scope: Scope, query: Listing) -> Page[PromiseOut]:
    cursor = read_cursor(query.after, UUID)
    found = await quarantine.quarantined(by=scope, after=cursor[0] if cursor else None, limit=query.limit)
    more = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[PromiseOut](items=[PromiseOut.model_validate(promise) for promise in found], next=more)


@routes.post(
    "/<promise_id:uuid>/release",
    roles={Role.ADMIN},
    reply=PromiseOut,
    summary="释放：重新再试",
    errors=("not_found", "not_in_quarantine"),
)
async def release(scope: Scope, promise_id: UUID) -> PromiseOut:
    return PromiseOut.model_validate(await quarantine.release(promise_id, by=scope))


@routes.post(
    "/<promise_id:uuid>/discard",
    roles={Role.ADMIN},
    body=DiscardIn,
    reply=PromiseOut,
    summary="作废：不再尝试，记下原因",
    errors=("not_found", "not_in_quarantine", "reason_missing"),
)
async def discard(scope: Scope, promise_id: UUID, body: DiscardIn) -> PromiseOut:
    return PromiseOut.model_validate(await quarantine.discard(promise_id, body.reason, by=scope))
