"""Look-backs on the phone: the inspector's own visits, recording one, co-signing one."""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from sanic import Request

from api.evidence import brought
from api.lookbacks import RECORDING, RecordIn, RecordOut, VisitLine, VisitOut, page_of
from api.wire import Listing, Page, Routes, Schema, read_cursor
from api.wire.once import key_of
from models import evidence, lookbacks
from models.base.scope import Role, Scope

routes = Routes("mini", "/lookbacks/visits", tag="回头看")
INSPECTORS = {Role.INSPECTOR}


class VisitsQuery(Listing):
    """Which of mine."""

    recorded: Annotated[bool | None, Field(description="真：已有记录的；假：还没有记录的；不填为全部。")] = None


class CosignIn(Schema):
    """What is signed."""

    record_id: Annotated[UUID, Field(description="本人看到的那份记录")]


@routes.get("", roles=INSPECTORS, query=VisitsQuery, reply=Page[VisitLine], summary="我的检查")
async def mine(scope: Scope, query: VisitsQuery) -> Page[VisitLine]:
    """分给本人的回头看检查，新的在前。"""
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await lookbacks.my_visits(by=scope, recorded=query.recorded, after=after, limit=query.limit)
    return await page_of(found, query.limit, scope)


@routes.get("/<visit_id:uuid>", roles=INSPECTORS, reply=VisitOut, summary="检查详情", errors=("not_found",))
async def detail(request: Request, scope: Scope, visit_id: UUID) -> VisitOut:
    """事项的要求、核查要点已带出，不用再填。"""
    return await _mine(request, scope, visit_id)


async def _mine(request: Request, scope: Scope, visit_id: UUID) -> VisitOut:
    """With a nonce for this phone to take along."""
    view = await lookbacks.my_visit(visit_id, by=scope)
    assert scope.person_id is not None
    nonce = evidence.issue(visit_id, scope.person_id, signer=request.app.ctx.signer)
    return await VisitOut.whole(view, scope, nonce)


@routes.post(
    "/<visit_id:uuid>/records",
    roles=INSPECTORS,
    body=RecordIn,
    reply=RecordOut,
    status=201,
    idempotent="by_rule",
    summary="填写检查记录",
    errors=RECORDING,
)
async def record(request: Request, scope: Scope, visit_id: UUID, body: RecordIn) -> RecordOut:
    """可离线填写、稍后补传：同一个 Idempotency-Key 再次提交，返回原来的记录。位置和照片自愿提供。"""
    kept = await lookbacks.record_visit(
        visit_id,
        body.facts(),
        by=scope,
        client_id=key_of(request),
        correction_reason=body.correction_reason,
        brought=brought(request, scope, visit_id, body.nonce),
    )
    return RecordOut.of(kept)


@routes.post(
    "/<visit_id:uuid>/cosignature",
    roles=INSPECTORS,
    body=CosignIn,
    reply=VisitOut,
    summary="会签",
    errors=("not_found", "no_second_inspector", "not_recorded", "record_changed", "own_record", "already_cosigned"),
)
async def cosign(request: Request, scope: Scope, visit_id: UUID, body: CosignIn) -> VisitOut:
    """两人检查时，由另一位检查人员在本人手机上确认最近一份记录。可离线点选、稍后补传。"""
    await lookbacks.cosign(visit_id, body.record_id, by=scope)
    return await _mine(request, scope, visit_id)
