"""Messages, as the phone's own person sees them: consent to them, and how many there were."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sanic import Request

from api.wire import ANYONE_BOUND, Routes, Schema
from models import deliveries
from models.base.errors import Fault, Invalid
from models.base.scope import Scope

routes = Routes("mini", "/messages", tag="消息")

Choice = Literal["accept", "reject", "ban", "filter", "acceptWithAudio", "acceptWithAlert"]
ACCEPTED = {"accept", "acceptWithAudio", "acceptWithAlert"}


class ConsentOut(Schema):
    """What to ask the user for, at a tap of theirs."""

    template_ids: Annotated[list[str], Field(description="requestSubscribeMessage 的 tmplIds", examples=[["ZL_TODO"]])]
    remaining: Annotated[int, Field(description="还可以收到几条服务通知", examples=[2])]


class ConsentIn(Schema):
    """What `wx.requestSubscribeMessage` answered, without its errMsg."""

    report_id: Annotated[UUID, Field(description="手机端为这一次授权生成的编号，重发时不变")]
    choices: Annotated[
        dict[str, Choice], Field(description="模板编号 → 选择", max_length=5, examples=[{"ZL_TODO": "accept"}])
    ]


class BurdenOut(Schema):
    """My own week; nobody else sees it."""

    since: Annotated[date, Field(description="从本周一起")]
    reminders: Annotated[int, Field(description="待办提醒数")]
    messages: Annotated[int, Field(description="发到手机的通知数")]
    messages_today: Annotated[int, Field(description="其中今天的通知数")]
    daily_budget: Annotated[int, Field(description="每天最多几条通知，超出的合并到次日早上")]
    quiet_from: Annotated[str, Field(description="免打扰开始；非工作日全天免打扰", examples=["20:00"])]
    quiet_until: Annotated[str, Field(description="免打扰结束", examples=["08:00"])]


@routes.get("/consent", roles=ANYONE_BOUND, reply=ConsentOut, summary="还可以收到几条服务通知")
async def consent(scope: Scope, request: Request) -> ConsentOut:
    template = request.app.ctx.settings.wechat.subscribe_template
    return ConsentOut(template_ids=[template], remaining=await deliveries.remaining(template, by=scope))


@routes.post(
    "/consent",
    roles=ANYONE_BOUND,
    body=ConsentIn,
    status=204,
    summary="报告授权结果（平台推送为准，没有推送时才记这一份）",
    errors=("not_bound", "unknown_template"),
    idempotent="by_rule",
)
async def report(scope: Scope, request: Request, body: ConsentIn) -> None:
    template = request.app.ctx.settings.wechat.subscribe_template
    if unknown := body.choices.keys() - {template}:
        detail = "没有这个消息模板。"
        faults = tuple(Fault(f"/choices/{name}", "unknown_template", detail) for name in sorted(unknown))
        raise Invalid("unknown_template", detail, faults=faults)
    if body.choices.get(template) in ACCEPTED:
        await deliveries.report(body.report_id, template, by=scope)


@routes.get("/burden", roles=ANYONE_BOUND, reply=BurdenOut, summary="我这一周的提醒和通知")
async def burden(scope: Scope) -> BurdenOut:
    return BurdenOut.model_validate(await deliveries.my_burden(by=scope))
