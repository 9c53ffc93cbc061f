"""The log of every act, for the auditor, who changes nothing."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models.base import audit
from models.base.scope import Role, Scope

routes = Routes("console", "/audit", tag="操作日志")


class ActsQuery(Listing):
    """Which acts."""

    subject_id: Annotated[UUID | None, Field(description="只看对某一事项、人员或材料的操作；不填为全部")] = None


class ActOut(Schema):
    """One act: ids, states and codes only."""

    id: UUID
    at: datetime
    actor: Annotated[str, Field(description="操作人：person、account 加编号，或 system、operator", examples=["system"])]
    action: Annotated[str, Field(examples=["item.received"])]
    subject_type: Annotated[str, Field(examples=["item"])]
    subject_id: UUID
    data: dict[str, Any]


@routes.get("", roles={Role.AUDITOR}, query=ActsQuery, reply=Page[ActOut], summary="操作日志，新的在前")
async def acts(scope: Scope, query: ActsQuery) -> Page[ActOut]:
    """整本日志的导出与核验，见 zhuoluo audit export 和 zhuoluo audit verify。"""
    after = read_cursor(query.after, int, UUID)
    found = await audit.acts(by=scope, subject_id=query.subject_id, after=after, limit=query.limit)  # type: ignore[arg-type]
    more = write_cursor(found[-1].tx, found[-1].id) if len(found) == query.limit else None
    return Page[ActOut](items=[ActOut.model_validate(act) for act in found], next=more)
