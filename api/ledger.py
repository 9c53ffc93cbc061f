"""Forms of the ledger that the mini-program and the console share."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Page, Schema, write_cursor
from models import ledger
from models.base.scope import Scope
from models.ledger import Extension, Line, Moment, Responsible, Rung, Transition, Whole

Title = Annotated[str, Field(description="标题", examples=["完成长河路雨污分流工程款核对"])]
Reason = Annotated[str, Field(description="理由", min_length=1, max_length=1000, examples=["汛期施工暂停，需顺延"])]
Note = Annotated[str | None, Field(description="说明，可以不填", max_length=1000, examples=["已安排专人办理"])]


class ItemLine(Schema):
    """One item in a list."""

    id: UUID
    number: Annotated[str | None, Field(description="编号；草稿没有", examples=["ZL-RW-2026-0001"])]
    list: Annotated[ledger.ListKind, Field(description="清单：任务、责任、问题")]
    title: Title
    state: Annotated[ledger.State, Field(description="状态")]
    state_label: Annotated[str, Field(description="状态的中文名称", examples=["待签收"])]
    cycle: Annotated[int, Field(description="轮次；回头看发现反弹后加一", examples=[1])]
    owner: Annotated[str, Field(description="责任人姓名", examples=["陈立"])]
    owner_id: UUID
    unit: Annotated[str, Field(description="责任单位", examples=["财政金融局"])]
    unit_id: UUID
    due_on: Annotated[date | None, Field(description="期限；草稿以工作日计时为空", examples=["2026-12-15"])]
    overdue: Annotated[bool, Field(description="已过期限，且在责任人手中")]
    immediate_fix: Annotated[bool, Field(description="立行立改：不经初审")]
    urgent: Annotated[bool, Field(description="紧急")]


class CycleOut(Schema):
    """One round of the item; what it says is never changed after it closed."""

    number: Annotated[int, Field(description="轮次", examples=[1])]
    opened_at: datetime
    reason: Annotated[str, Field(description="重开的理由；首轮为空")]
    basis: Annotated[str, Field(description="依据")]
    due_on: date
    received_at: datetime | None
    requested_at: Annotated[datetime | None, Field(description="最近一次申请销号的时间")]
    evidence_count: Annotated[int, Field(description="本轮佐证材料件数")]
    returned_times: Annotated[int, Field(description="本轮退回次数")]
    closed_at: datetime | None
    first_pass: Annotated[bool | None, Field(description="未经退回、一次通过；未销号时为空")]


class ExtensionOut(Schema):
    """The last request for more time."""

    id: UUID
    state: ledger.ExtensionState
    state_label: Annotated[str, Field(examples=["待单位负责人同意"])]
    reason: Reason
    old_due_on: date
    new_due_on: date
    asked_at: datetime

    @classmethod
    def of(cls, extension: Extension) -> "ExtensionOut":
        """From a row."""
        plain = ("id", "state", "reason", "old_due_on", "new_due_on", "asked_at")
        return cls(**{name: getattr(extension, name) for name in plain}, state_label=extension.state.label)


class NextAction(Schema):
    """One step that the caller may take now, and the fields that it needs."""

    action: ledger.Action
    label: Annotated[str, Field(description="按钮上的文字", examples=["签收"])]
    needs: Annotated[dict[str, str], Field(description="必填项：字段 → 名称", examples=[{"reason": "理由"}])]

    @classmethod
    def of(cls, step: Transition) -> "NextAction":
        """From a row of the transition table."""
        return cls(action=step.action, label=step.label, needs=dict(step.needs))


class ItemOut(ItemLine):
    """One item whole."""

    campaign_id: UUID
    requirement: Annotated[str, Field(description="要求")]
    basis: Annotated[str, Field(description="依据")]
    area: Annotated[str, Field(description="领域", examples=["工程建设"])]
    classification: ledger.Classification
    due_days: Annotated[int | None, Field(description="以工作日计的期限", examples=[10])]
    due_note: Annotated[str | None, Field(description="期限可能随放假安排变动时的说明")]
    stage_goal: Annotated[str, Field(description="持续整改的阶段目标")]
    next_review_on: Annotated[date | None, Field(description="持续整改的下次评估日期")]
    suspended_until: Annotated[date | None, Field(description="挂账至")]
    issued_at: datetime | None
    closed_at: datetime | None
    version: int
    cycles: Annotated[Sequence[CycleOut], Field(description="各轮次，新的在前")]
    extension: ExtensionOut | None
    next_actions: Annotated[Sequence[NextAction], Field(description="您现在可以办的步骤；为空时不用操作")]

    @classmethod
    def whole(cls, found: Whole) -> "ItemOut":
        """From what `ledger.whole` found."""
        item = found.item
        plain = (
            *("id", "number", "list", "title", "state", "cycle", "owner_id", "unit_id", "due_on", "immediate_fix"),
            *("urgent", "campaign_id", "requirement", "basis", "area", "classification", "due_days", "stage_goal"),
            *("next_review_on", "suspended_until", "issued_at", "closed_at", "version"),
        )
        return cls(
            **{name: getattr(item, name) for name in plain},
            state_label=item.state.label,
            owner=found.owner,
            unit=found.unit,
            overdue=ledger.overdue(item),
            due_note=ledger.caveat(item),
            cycles=[CycleOut.model_validate(cycle) for cycle in found.cycles],
            extension=ExtensionOut.of(found.extension) if found.extension else None,
            next_actions=[NextAction.of(step) for step in found.next_actions],
        )


class MomentOut(Schema):
    """One thing that happened."""

    at: datetime
    event: Annotated[str, Field(description="日志中的名称", examples=["item.received"])]
    label: Annotated[str, Field(description="中文名称", examples=["签收"])]
    actor: Annotated[str, Field(description="办理人", examples=["陈立"])]
    acting_for: Annotated[str | None, Field(description="代谁办理；本人办理为空")]
    cycle: int | None
    text: Annotated[str, Field(description="所写的内容")]
    missing: Annotated[str, Field(description="退回时：还缺什么")]
    due_on: Annotated[date | None, Field(description="这一步所定的期限")]


class RungOut(Schema):
    """One place of the chain of responsibility, as it is held today."""

    part: ledger.Part
    label: Annotated[str, Field(description="在责任链中的身份", examples=["单位负责人"])]
    name: Annotated[str, Field(examples=["陈立"])]
    office: Annotated[str, Field(description="单位和职务", examples=["财政金融局 局长"])]
    acting: Annotated[str | None, Field(description="今天由谁代为办理；本人在岗时为空")]

    @classmethod
    def of(cls, rung: Rung) -> "RungOut":
        """From a rung."""
        facts = {name: getattr(rung, name) for name in ("part", "name", "office", "acting")}
        return cls(**facts, label=rung.part.label)


class ResponsibleOut(Schema):
    """Who asked, and who answers for it today."""

    campaign: Annotated[str, Field(description="所属台账", examples=["2026年政治监督台账"])]
    issued_by: Annotated[str | None, Field(description="交办人；没有交办时为空", examples=["李明"])]
    chain: Annotated[Sequence[RungOut], Field(description="责任链：责任人、单位负责人、上级、监督机构")]

    @classmethod
    def of(cls, found: Responsible) -> "ResponsibleOut":
        """From what `ledger.responsible` found."""
        return cls(campaign=found.campaign, issued_by=found.issued_by, chain=[RungOut.of(rung) for rung in found.chain])


def page_of(found: list[Line], limit: int) -> Page[ItemLine]:
    """A part of a list of items."""
    next_ = write_cursor(found[-1].id) if len(found) == limit else None
    return Page[ItemLine](items=[ItemLine.model_validate(line) for line in found], next=next_)


def moments_of(found: list[Moment], limit: int) -> Page[MomentOut]:
    """A part of a timeline."""
    next_ = write_cursor(found[-1].id) if len(found) == limit else None
    return Page[MomentOut](items=[MomentOut.model_validate(moment) for moment in found], next=next_)


async def seen(item_id: UUID, scope: Scope) -> ItemOut:
    """The item as its reader sees it now. Raises NotFound."""
    return ItemOut.whole(await ledger.whole(item_id, by=scope))


class DayOut(Schema):
    """Messages of one day."""

    on: Annotated[date, Field(description="日期", examples=["2026-12-01"])]
    people: Annotated[int, Field(description="收到消息的人数", examples=[38])]
    messages: Annotated[int, Field(description="消息条数", examples=[41])]
    over_budget: Annotated[int, Field(description="超过每人每日上限的人数", examples=[0])]


class AheadOut(Schema):
    """What something would send in seven days, if nobody acted on anything; counts only, nobody's name."""

    people: Annotated[int, Field(description="将被提醒的人数", examples=[120])]
    messages: Annotated[int, Field(description="这些人七天内收到的消息，含早已安排的", examples=[260])]
    already: Annotated[int, Field(description="其中早已安排、怎样都会收到的", examples=[35])]
    daily_budget: Annotated[int, Field(description="每人每日上限", examples=[3])]
    by_messages: Annotated[dict[int, int], Field(description="消息条数 → 人数", examples=[{1: 80, 2: 40}])]
    days: list[DayOut]
    warning: Annotated[str | None, Field(description="超过上限时的提示")]


class PreviewOut(AheadOut):
    """What issuing would send."""

    items: Annotated[int, Field(description="将交办的草稿", examples=[300])]
    past_due: Annotated[int, Field(description="期限已过、不会交办的草稿", examples=[0])]
    whole: Annotated[bool, Field(description="假：草稿太多，只预览了最早的一部分")]
