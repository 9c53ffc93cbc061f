"""Messages, as the office sees them: how they ended, and what each unit has to bear."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import deliveries
from models.base.scope import Role, Scope
from models.deliveries import Channel, DeliveryState

routes = Routes("console", "/deliveries", tag="消息")
READERS = {Role.OVERSIGHT, Role.ADMIN, Role.AUDITOR}


class DeliveriesQuery(Listing):
    """Which deliveries."""

    state: Annotated[DeliveryState | None, Field(description="结果；不填为所有已有结果的")] = None


class DeliveryOut(Schema):
    """One delivery and how it ended. What it was about and whether it was read is not shown."""

    id: UUID
    state: Annotated[DeliveryState, Field(description="结果")]
    channel: Annotated[Channel | None, Field(description="渠道")]
    reason: Annotated[str | None, Field(description="原因代码", examples=["no_consent"])]
    errcode: Annotated[int | None, Field(description="平台错误码", examples=[43101])]
    attempts: int
    made_at: datetime
    not_before: datetime
    settled_at: datetime | None


class OutcomesOut(Schema):
    """This week's deliveries, counted."""

    counts: Annotated[dict[str, int], Field(description="状态 → 条数", examples=[{"sent": 120, "merged": 40}])]


class UnitBurdenOut(Schema):
    """A unit's week, all its people together."""

    unit_id: UUID
    name: Annotated[str, Field(examples=["财政金融局"])]
    people: Annotated[int, Field(description="人数")]
    reminders: Annotated[int, Field(description="待办提醒数")]
    messages: Annotated[int, Field(description="发到手机的通知数")]


@routes.get("", roles=READERS, query=DeliveriesQuery, reply=Page[DeliveryOut], summary="按结果查看消息")
async def listing(scope: Scope, query: DeliveriesQuery) -> Page[DeliveryOut]:
    cursor = read_cursor(query.after, UUID)
    found = await deliveries.deliveries(
        by=scope, state=query.state, after=cursor[0] if cursor else None, limit=query.limit
    )
    more = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[DeliveryOut](items=[DeliveryOut.model_validate(delivery) for delivery in found], next=more)


@routes.get("/outcomes", roles=READERS, reply=OutcomesOut, summary="本周消息的结果")
async def outcomes(scope: Scope) -> OutcomesOut:
    return OutcomesOut(counts=await deliveries.outcomes_of_week(by=scope))


@routes.get(
    "/burden",
    roles={Role.OVERSIGHT, Role.UNIT_LEADER, Role.ADMIN},
    query=Listing,
    reply=Page[UnitBurdenOut],
    summary="各单位本周的负担（不分个人，按单位树的顺序）",
)
async def burden(scope: Scope, query: Listing) -> Page[UnitBurdenOut]:
    cursor = read_cursor(query.after, str)
    found = await deliveries.burden_by_unit(by=scope, after=cursor[0] if cursor else "", limit=query.limit)
    more = write_cursor(found[-1].path) if len(found) == query.limit else None
    return Page[UnitBurdenOut](items=[UnitBurdenOut.model_validate(unit) for unit in found], next=more)
