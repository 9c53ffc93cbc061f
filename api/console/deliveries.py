"""Messages, as the office sees them: how they ended, over which channels, and what each unit has to bear."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import deliveries
from models.base.scope import Role, Scope
from models.deliveries import Channel, DeliveryState, Resolution

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
    resolution: Annotated[
        Resolution | None,
        Field(description="结果未知的怎样了结：后来得知、改走下一渠道、只在收件箱、事项已了、还在等"),
    ] = None
    attempts: int
    made_at: datetime
    not_before: datetime
    settled_at: datetime | None


class PauseIn(Schema):
    """Which channel to stop, and why."""

    channel: Annotated[Channel, Field(description="渠道")]
    reason: Annotated[str, Field(description="原因", min_length=1, max_length=200, examples=["短信服务商欠费"])]


class ResumeIn(Schema):
    """Which channel to use again."""

    channel: Annotated[Channel, Field(description="渠道")]


class PauseOut(Schema):
    """A channel that is stopped, or was."""

    channel: Annotated[Channel, Field(description="渠道")]
    reason: Annotated[str, Field(description="原因")]
    paused_at: datetime
    resumed_at: Annotated[datetime | None, Field(description="恢复时间；停用中为空")]


class PausesOut(Schema):
    """All channels that are stopped."""

    items: list[PauseOut]


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
    resolved = await deliveries.resolutions(scope.zone_id, found)
    items = [DeliveryOut.model_validate(one).model_copy(update={"resolution": resolved.get(one.id)}) for one in found]
    return Page[DeliveryOut](items=items, next=more)


@routes.get("/pauses", roles=READERS, reply=PausesOut, summary="停用中的渠道")
async def pauses(scope: Scope) -> PausesOut:
    return PausesOut(items=[PauseOut.model_validate(pause) for pause in await deliveries.pauses(by=scope)])


@routes.post(
    "/pause",
    roles={Role.ADMIN},
    body=PauseIn,
    reply=PauseOut,
    summary="停用一个渠道：消息改走下一渠道，没有其他渠道的等它恢复",
    errors=("reason_missing", "channel_not_pausable"),
)
async def pause(scope: Scope, body: PauseIn) -> PauseOut:
    return PauseOut.model_validate(await deliveries.pause(body.channel, body.reason, by=scope))


@routes.post(
    "/resume",
    roles={Role.ADMIN},
    body=ResumeIn,
    reply=PauseOut,
    summary="恢复一个渠道：等它的消息随即发出，每人一条",
    errors=("channel_not_paused",),
)
async def resume(scope: Scope, body: ResumeIn) -> PauseOut:
    return PauseOut.model_validate(await deliveries.resume(body.channel, by=scope))


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
