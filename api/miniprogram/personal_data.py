"""我的资料 on the phone: a copy of all that is kept about me, and asking for my account to be deleted."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from api.wire import ANYONE_BOUND, Routes, Schema
from models import personal_data
from models.base.scope import Scope
from models.personal_data import MOST_ROWS, DeletionRequest, DeletionState

routes = Routes("mini", "/my-data", tag="我的资料")


class MyDataOut(Schema):
    """All of it."""

    as_of: datetime
    sections: Annotated[
        dict[str, list[dict[str, Any]]],
        Field(
            description=f"按类别列出，每类最多 {MOST_ROWS} 条，新的在前",
            examples=[{"reminders": [{"kind": "overdue", "summary": "河道清淤：已逾期1个工作日"}]}],
        ),
    ]


class DeletionOut(Schema):
    """A request for the account's deletion."""

    state: Annotated[
        DeletionState, Field(description="waiting 待处理；deleted 已注销；refused 未同意；withdrawn 已撤回")
    ]
    made_at: datetime
    decided_at: datetime | None
    reason: Annotated[str, Field(description="未同意的理由")]


class MyDeletionOut(Schema):
    """My last request, if I ever made one."""

    request: DeletionOut | None
    stays: Annotated[str, Field(description="注销后仍会保留的内容，申请前请让本人看到")] = (
        "注销后，微信绑定、登录、消息授权随即清除。事项、佐证、检查记录和操作日志属于工作档案，依法保留。"
    )

    @classmethod
    def of(cls, request: DeletionRequest | None) -> "MyDeletionOut":
        """From a row, or none."""
        return cls(request=DeletionOut.model_validate(request) if request else None)


@routes.get("", roles=ANYONE_BOUND, reply=MyDataOut, summary="导出我的资料", limit="6/hour")
async def copy(scope: Scope) -> bytes:
    """平台保存的与本人有关的全部内容。"""
    return await personal_data.copy(by=scope)


@routes.get("/deletion", roles=ANYONE_BOUND, reply=MyDeletionOut, summary="我的注销申请")
async def deletion(scope: Scope) -> MyDeletionOut:
    return MyDeletionOut.of(await personal_data.my_deletion(by=scope))


@routes.post("/deletion", roles=ANYONE_BOUND, reply=MyDeletionOut, summary="申请注销账号", status=201)
async def ask(scope: Scope) -> MyDeletionOut:
    """由管理员处理。已有待处理的申请时，返回那一份。"""
    return MyDeletionOut.of(await personal_data.ask_deletion(by=scope))


@routes.post("/deletion/withdraw", roles=ANYONE_BOUND, reply=MyDeletionOut, summary="撤回注销申请")
async def withdraw(scope: Scope) -> MyDeletionOut:
    await personal_data.withdraw_deletion(by=scope)
    return MyDeletionOut.of(await personal_data.my_deletion(by=scope))
