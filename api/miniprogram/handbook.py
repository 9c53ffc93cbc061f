"""案头册 on the phone: one readable page of what I answer for."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.ledger import ItemLine
from api.wire import ANYONE_BOUND, Routes, Schema
from models import handbook
from models.base.scope import Scope
from models.organization import PostRank

routes = Routes("mini", "/handbook", tag="案头册")


class DutyOut(Schema):
    """A post that I hold, and what is open under it."""

    unit_id: UUID
    unit: Annotated[str, Field(examples=["产业发展局"])]
    title: Annotated[str, Field(description="职务", examples=["副局长"])]
    rank: Annotated[PostRank, Field(description="principal 主要负责人；deputy 分管负责人；member 成员")]
    acting: Annotated[bool, Field(description="是否代理")]
    since: Annotated[date, Field(description="任职起始")]
    open_items: Annotated[int, Field(description="负责人：本单位及下级单位没有办结的事项数；成员为 0", examples=[12])]
    overdue_items: Annotated[int, Field(description="其中已过期限的", examples=[1])]


class HandbookOut(Schema):
    """What I answer for, as of today."""

    as_of: date
    duties: Annotated[Sequence[DutyOut], Field(description="现任职务")]
    items: Annotated[Sequence[ItemLine], Field(description="由我负责、没有办结的事项，新的在前，最多 100 件")]
    more: Annotated[bool, Field(description="还有更多事项，见“我的事项”")]


@routes.get("", roles=ANYONE_BOUND, reply=HandbookOut, summary="我的案头册")
async def mine(scope: Scope) -> HandbookOut:
    """由任职和台账即时生成，不用填写。"""
    found = await handbook.handbook(by=scope)
    return HandbookOut(
        as_of=found.as_of,
        duties=[DutyOut.model_validate(duty) for duty in found.duties],
        items=[ItemLine.model_validate(line) for line in found.items],
        more=found.more,
    )
