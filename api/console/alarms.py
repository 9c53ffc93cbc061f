"""What the product finds wrong with itself, in words that say what to do."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models.base import alarms
from models.base.alarms import Alarm, AlarmKind
from models.base.scope import Role, Scope

routes = Routes("console", "/alarms", tag="运行告警")
READERS = {Role.ADMIN, Role.SECURITY_ADMIN, Role.OVERSIGHT, Role.AUDITOR}
MEANINGS = {
    AlarmKind.PROMISES_LATE: "后台任务到期未办，请检查后台进程是否在运行。",
    AlarmKind.PROMISE_QUARANTINED: "一项后台任务多次失败，已隔离，请查明原因后释放或作废。",
    AlarmKind.TIMERS_LATE: "预警步骤到期未触发，请检查后台进程是否在运行。",
    AlarmKind.DELIVERIES_LATE: "消息到期未发，请检查后台进程和渠道。",
    AlarmKind.DELIVERY_STUCK: "消息发送中断后没有恢复，请检查后台进程。",
    AlarmKind.UNKNOWN_UNRESOLVED: "消息是否送达不明，也没有其他渠道，请用别的方式告知本人。",
    AlarmKind.CONSENTS_AT_ODDS: "订阅授权台账与平台不一致，请检查消息推送回调是否正常。",
    AlarmKind.CHANNEL_PAUSED: "渠道停用已久，请确认是否恢复。",
    AlarmKind.AUDIT_UNSEALED: "日志没有及时封存，请检查后台进程和长时间未结束的数据库事务。",
    AlarmKind.EVIDENCE_DAMAGED: "一件佐证材料的原件读不出或对不上，请从备份恢复，或补上缺少的密钥。",
    AlarmKind.PLATFORM_REFUSES: "消息平台拒绝本系统，请按所列原因在平台处理。",
}


class AlarmOut(Schema):
    """One thing that is wrong, open until it is over."""

    id: UUID
    kind: AlarmKind
    meaning: Annotated[str, Field(description="含义和处理办法")]
    subject: Annotated[str, Field(description="对象：任务、渠道、错误码或编号", examples=["subscribe:40164"])]
    detail: Annotated[str, Field(description="具体情况", examples=["3项到期未办，最早的已等12分钟"])]
    raised_at: datetime


@routes.get("", roles=READERS, query=Listing, reply=Page[AlarmOut], summary="未解除的运行告警")
async def listing(scope: Scope, query: Listing) -> Page[AlarmOut]:
    cursor = read_cursor(query.after, UUID)
    found = await alarms.open_alarms(by=scope, after=cursor[0] if cursor else None, limit=query.limit)
    more = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[AlarmOut](items=[_shown(alarm) for alarm in found], next=more)


def _shown(alarm: Alarm) -> AlarmOut:
    return AlarmOut(
        id=alarm.id,
        kind=alarm.kind,
        meaning=MEANINGS[alarm.kind],
        subject=alarm.subject,
        detail=alarm.detail,
        raised_at=alarm.raised_at,
    )
