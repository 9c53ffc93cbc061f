"""回避: who keeps out of whose matters when visits are drawn. Only the inspector and their oversight see it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import lookbacks
from models.base.scope import Role, Scope
from models.lookbacks import Recusal, RecusalLine

routes = Routes("console", "/lookbacks/recusals", tag="回头看")
DECLARING = {Role.OVERSIGHT, Role.INSPECTOR}


class RecusalIn(Schema):
    """Two people; what they are to each other is not asked."""

    person_id: Annotated[UUID, Field(description="检查人员；检查人员本人申报时为自己")]
    other_id: Annotated[UUID, Field(description="回避对象")]


class RecusalOut(Schema):
    """A declaration."""

    id: UUID
    person_id: UUID
    other_id: UUID
    declared_at: datetime
    ended_at: Annotated[datetime | None, Field(description="解除时间；仍然有效为空")]


class RecusalLineOut(RecusalOut):
    """A declaration in force, with names."""

    person: Annotated[str, Field(description="检查人员", examples=["王静"])]
    other: Annotated[str, Field(description="回避对象", examples=["李明"])]

    @classmethod
    def of(cls, line: RecusalLine) -> "RecusalLineOut":
        """From a row and both names."""
        plain = {name: getattr(line.recusal, name) for name in RecusalOut.model_fields}
        return cls(**plain, person=line.person, other=line.other)


@routes.post(
    "",
    roles=DECLARING,
    body=RecusalIn,
    reply=RecusalOut,
    status=201,
    summary="申报回避",
    errors=("not_found", "person_not_found", "same_person"),
)
async def declare(scope: Scope, body: RecusalIn) -> RecusalOut:
    """不问关系，不填理由。今后抽取时，互不检查对方经手的事项和任职的单位。"""
    return RecusalOut.model_validate(await lookbacks.declare_recusal(body.person_id, body.other_id, by=scope))


@routes.get("", roles=DECLARING, query=Listing, reply=Page[RecusalLineOut], summary="有效的回避申报")
async def listing(scope: Scope, query: Listing) -> Page[RecusalLineOut]:
    (after,) = read_cursor(query.after, UUID) or (None,)
    found: list[RecusalLine] = await lookbacks.recusals(by=scope, after=after, limit=query.limit)
    next_ = write_cursor(found[-1].recusal.id) if len(found) == query.limit else None
    return Page[RecusalLineOut](items=[RecusalLineOut.of(line) for line in found], next=next_)


@routes.post("/<recusal_id:uuid>/end", roles=DECLARING, reply=RecusalOut, summary="解除回避", errors=("not_found",))
async def end(scope: Scope, recusal_id: UUID) -> RecusalOut:
    ended: Recusal = await lookbacks.end_recusal(recusal_id, by=scope)
    return RecusalOut.model_validate(ended)
