"""Look-backs on the phone: the inspector's own visits, recording one, co-signing one."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sanic import Request

from api.evidence import VisitNonce, brought
from api.lookbacks import RECORDING, RecordIn, RecordOut, VisitLine, VisitOut, lines_of, page_of
from api.wire import Listing, Page, Routes, Schema, read_cursor
from api.wire.once import key_of
from models import evidence, lookbacks
from models.base import clock
from models.base.scope import Role, Scope
from models.base.stated import Day
from models.lookbacks import ItemFacts, StopFacts

routes = Routes("mini", "/lookbacks/visits", tag="回头看")
INSPECTORS = {Role.INSPECTOR}


class VisitsQuery(Listing):
    """Which of mine."""

    recorded: Annotated[bool | None, Field(description="真：已有记录的；假：还没有记录的；不填为全部。")] = None


class DayQuery(Schema):
    """Which day."""

    on: Annotated[Day | None, Field(description="哪一天；不填为今天。")] = None


class StopOut(Schema):
    """A unit on the way, and the visits there."""

    unit_id: UUID
    unit: Annotated[str, Field(description="单位", examples=["建设局"])]
    visits: Sequence[VisitLine]


class ItineraryOut(Schema):
    """One's own day as a list of units; nothing is kept of the way itself."""

    on: date
    stops: Sequence[StopOut]


class FoundIn(ItemFacts):
    """What was found at one item, with the nonce of its visit."""

    nonce: VisitNonce = None

    def facts(self) -> ItemFacts:
        """What is said of it."""
        return ItemFacts.model_construct(**{name: getattr(self, name) for name in ItemFacts.model_fields})


class StopIn(StopFacts):
    """One visit to one unit, and what came along with it."""

    records: tuple[FoundIn, ...] = Field(
        min_length=1, max_length=lookbacks.MOST_AT_ONCE, description="各件的核查和结论。"
    )

    def facts(self) -> StopFacts:
        """What is said of the visit itself."""
        said = {name: getattr(self, name) for name in StopFacts.model_fields}
        return StopFacts.model_construct(**{**said, "records": tuple(one.facts() for one in self.records)})


class RecordsOut(Schema):
    """The records of one submission."""

    records: Annotated[Sequence[RecordOut], Field(description="每件一份，次序同提交时")]


class CosignIn(Schema):
    """What is signed."""

    record_id: Annotated[UUID, Field(description="本人看到的那份记录")]


@routes.get("", roles=INSPECTORS, query=VisitsQuery, reply=Page[VisitLine], summary="我的检查")
async def mine(scope: Scope, query: VisitsQuery) -> Page[VisitLine]:
    """分给本人的回头看检查，新的在前。"""
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await lookbacks.my_visits(by=scope, recorded=query.recorded, after=after, limit=query.limit)
    return await page_of(found, query.limit, scope)


@routes.get("/itinerary", roles=INSPECTORS, query=DayQuery, reply=ItineraryOut, summary="一天走访的单位和事项")
async def itinerary(scope: Scope, query: DayQuery) -> ItineraryOut:
    """当天已记录的在前，按先后；还没有检查的在后，期限近的在前。只是清单，不记路线和坐标。"""
    on = query.on or clock.today()
    stops = await lookbacks.itinerary(on, by=scope)
    lines = iter(await lines_of([visit for stop in stops for visit in stop.visits], scope))
    shown = [
        StopOut(unit_id=stop.unit.id, unit=stop.unit.name, visits=[next(lines) for _ in stop.visits]) for stop in stops
    ]
    return ItineraryOut(on=on, stops=shown)


@routes.post(
    "/records",
    roles=INSPECTORS,
    body=StopIn,
    reply=RecordsOut,
    status=201,
    idempotent="by_rule",
    summary="一次走访，填写几件检查",
    errors=(*sorted({*RECORDING} - {"nothing_to_correct"}), "another_unit", "another_team"),
)
async def record_stop(request: Request, scope: Scope, body: StopIn) -> RecordsOut:
    """同一单位的几件检查一次填写：情况、位置、照片只填一次，每件各记一份。全部保存或全部不保存；可离线、可重发。"""
    along = {one.visit_id: brought(request, scope, one.visit_id, one.nonce) for one in body.records}
    kept = await lookbacks.record_stop(body.facts(), by=scope, client_id=key_of(request), brought=along)
    return RecordsOut(records=[RecordOut.of(record) for record in kept])


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
