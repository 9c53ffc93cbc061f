"""Requests for the deletion of accounts, on the console."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import personal_data
from models.base.scope import Role, Scope

routes = Routes("console", "/deletion-requests", tag="注销申请")
ADMIN = {Role.ADMIN}


class DeletionRequestOut(Schema):
    """Somebody asks for their account to be deleted."""

    id: UUID
    person_id: UUID
    name: Annotated[str, Field(description="申请人姓名", examples=["陈立"])]
    made_at: datetime


class DecisionIn(Schema):
    """An admin's decision."""

    accept: Annotated[bool, Field(description="真：注销，解除绑定并清除登录和消息授权；假：不同意")]
    reason: Annotated[str, Field(description="理由；不同意时必填", max_length=500)] = ""


@routes.get("", roles=ADMIN, query=Listing, reply=Page[DeletionRequestOut], summary="待处理的注销申请，早的在前")
async def waiting(scope: Scope, query: Listing) -> Page[DeletionRequestOut]:
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await personal_data.deletions(by=scope, after=after, limit=query.limit)
    items = [
        DeletionRequestOut(id=one.id, person_id=one.person_id, name=one.person.name, made_at=one.made_at)
        for one in found
    ]
    return Page(items=items, next=write_cursor(items[-1].id) if len(found) == query.limit else None)


@routes.post(
    "/<request_id:uuid>/decide",
    roles=ADMIN,
    body=DecisionIn,
    status=204,
    summary="处理注销申请",
    errors=("not_found", "required", "already_decided"),
)
async def decide(scope: Scope, request_id: UUID, body: DecisionIn) -> None:
    await personal_data.decide_deletion(request_id, by=scope, accept=body.accept, reason=body.reason)
