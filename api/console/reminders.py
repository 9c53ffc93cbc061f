"""Urging from the console, and holding what the policies would say by themselves."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Routes, Schema
from models import ledger
from models.base.scope import Role, Scope
from models.base.stated import Instant

routes = Routes("console", "/items", tag="催办和暂缓")


class UrgeIn(Schema):
    """What to say with it."""

    note: Annotated[str | None, Field(description="要求，可以不填", max_length=80, examples=["请于本周内办结"])] = None


@routes.post(
    "/<item_id:uuid>/urge",
    roles={Role.OVERSIGHT, Role.UNIT_LEADER},
    body=UrgeIn,
    status=204,
    summary="催办（有最小间隔）",
    errors=("not_found", "wrong_state", "urged_recently"),
)
async def urge(scope: Scope, item_id: UUID, body: UrgeIn) -> None:
    await ledger.urge(item_id, by=scope, note=body.note)


class HoldIn(Schema):
    """Until when, and why."""

    until: Annotated[Instant, Field(description="暂缓到何时，最长 60 天", examples=["2026-12-01T09:00:00+08:00"])]
    why: Annotated[str, Field(description="理由", min_length=1, max_length=500, examples=["已当面约定周五前反馈"])]


@routes.put(
    "/<item_id:uuid>/hold",
    roles={Role.OVERSIGHT, Role.UNIT_LEADER},
    body=HoldIn,
    status=204,
    summary="暂缓自动提醒和升级（期限不变；到时合并提醒一次）",
    errors=("not_found", "wrong_state", "required", "bad_hold"),
)
async def hold(scope: Scope, item_id: UUID, body: HoldIn) -> None:
    await ledger.hold(item_id, by=scope, until=body.until, why=body.why)


@routes.delete(
    "/<item_id:uuid>/hold",
    roles={Role.OVERSIGHT, Role.UNIT_LEADER},
    status=204,
    summary="恢复自动提醒和升级",
    errors=("not_found", "wrong_state"),
)
async def release(scope: Scope, item_id: UUID) -> None:
    await ledger.release(item_id, by=scope)
