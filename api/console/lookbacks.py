"""Look-backs on the console: plans, their draw and its record, visits, and records typed in from paper."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import orjson
from pydantic import Field
from sanic import HTTPResponse, Request
from sanic.response import raw

from api.ledger import AheadOut
from api.lookbacks import RECORDING, RecordIn, RecordOut, VisitLine, VisitOut, page_of
from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from api.wire.once import key_of
from models import lookbacks
from models.base.scope import Role, Scope
from models.lookbacks import (
    DrawRecord,
    LookbackDraw,
    LookbackPlan,
    PlanFacts,
    Population,
    SeedFrom,
    Strata,
    Terms,
    verify,
)

routes = Routes("console", "/lookbacks", tag="回头看")
OVERSIGHT = {Role.OVERSIGHT}
PAGE_POLICY = {"content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'"}


class PlanOut(Schema):
    """A plan and how far it has come."""

    id: UUID
    name: Annotated[str, Field(examples=["2026年上半年回头看"])]
    population: Population
    count: int | None
    percent: int | None
    strata: Strata | None
    inspectors: Annotated[Sequence[UUID], Field(description="检查人员库；空为全部检查人员")]
    team: int
    joint: Annotated[bool, Field(description="同一单位的各件是否一次查完")]
    visit_days: int
    although_visited: Annotated[str, Field(description="为什么再查近期检查过的事项；没有这样的事项为空")]
    series_id: Annotated[UUID | None, Field(description="由哪项定期抽取产生")]
    made_at: datetime
    drawn_at: Annotated[datetime | None, Field(description="抽取时间；还没有抽取为空")]
    visits: Annotated[int, Field(description="抽到的件数")]
    recorded: Annotated[int, Field(description="已有记录的件数")]

    @classmethod
    def of(cls, plan: LookbackPlan, progress: tuple[int, int] = (0, 0)) -> "PlanOut":
        """From a row and its visits drawn and recorded."""
        plain = {name: getattr(plan, name) for name in cls.model_fields if name not in ("visits", "recorded")}
        return cls(**{**plain, "visits": progress[0], "recorded": progress[1]})


class StratumOut(Schema):
    """One stratum of the population."""

    name: Annotated[str, Field(examples=["problem"])]
    label: Annotated[str, Field(description="名称", examples=["问题"])]
    size: Annotated[int, Field(description="范围内的件数", examples=[60])]
    share: Annotated[int, Field(description="将抽取的件数", examples=[6])]
    set_aside: Annotated[int, Field(description="因回避没有人可查的件数", examples=[0])]


class UnitVisitsOut(Schema):
    """A unit that is visited often."""

    name: Annotated[str, Field(description="单位", examples=["财政局"])]
    drawn: Annotated[int, Field(description="这次大约会抽到的件数", examples=[3])]
    lately: Annotated[int, Field(description="近期已检查的次数", examples=[2])]
    waiting: Annotated[int, Field(description="正等待检查的次数", examples=[1])]


class PreviewOut(Schema):
    """What a draw would work on now. Nobody is drawn: what depends on chance is one example."""

    size: Annotated[int, Field(description="范围内的已销号事项数", examples=[120])]
    population_hash: Annotated[str, Field(description="范围的哈希；抽取时带上，可确认范围没有变化")]
    count: Annotated[int, Field(description="将抽取的件数", examples=[12])]
    set_aside: Annotated[int, Field(description="因回避没有人可查、不参加抽取的件数", examples=[0])]
    inspectors: Annotated[int, Field(description="检查人员库的人数", examples=[8])]
    could_go: Annotated[int, Field(description="其中至少可查一件的人数", examples=[7])]
    strata: Annotated[list[StratumOut], Field(description="各层；不分层为空")]
    numbers: Annotated[list[str], Field(description="范围内的前几件", examples=[["ZL-WT-2026-0007"]])]
    revisited: Annotated[int, Field(description="近期检查过或正等待检查的件数", examples=[0])]
    revisit_days: Annotated[int, Field(description="多少天内算近期", examples=[90])]
    units: Annotated[list[UnitVisitsOut], Field(description="检查较多的单位")]
    joint_proposal: Annotated[str | None, Field(description="建议合并为联合检查；没有为空")]
    by_visits: Annotated[dict[int, int], Field(description="分到的件数 → 人数", examples=[{1: 4, 2: 4}])]
    due_on: Annotated[date, Field(description="今天抽取时的完成期限")]
    burden: Annotated[AheadOut, Field(description="抽取之后七天内检查人员收到的消息")]


class DrawIn(Schema):
    """The draw's seed, if one was called out, and the previewed population."""

    seed: Annotated[
        str | None, Field(description="随机种子，如当众报出的数字；不填由系统生成。", pattern=r"^[\x21-\x7e]{1,64}$")
    ] = None
    population_hash: Annotated[str | None, Field(description="预览时的范围哈希。", pattern=r"^[0-9a-f]{64}$")] = None
    although_visited: Annotated[str, Field(description="为什么再查近期检查过的事项。", max_length=200)] = ""


class DrawOut(Schema):
    """The draw of a plan; the visits are listed apart."""

    plan_id: UUID
    seed: Annotated[str, Field(description="随机种子", examples=["20260701"])]
    seed_from: Annotated[SeedFrom, Field(description="种子从哪里来：当众报出、系统生成，或由日志给出")]
    population_hash: Annotated[str, Field(description="范围的哈希（SHA-256）")]
    population_size: Annotated[int, Field(description="范围内的事项数")]
    set_aside: Annotated[int, Field(description="因回避不参加抽取的件数")]
    drawn: Annotated[int, Field(description="抽到的件数")]
    drawn_at: datetime
    verified: Annotated[bool, Field(description="按记录重新抽取一遍，结果是否完全一致")]

    @classmethod
    def of(cls, draw: LookbackDraw) -> "DrawOut":
        """From a row, drawn once more to compare."""
        record = DrawRecord.model_validate(draw.record)
        ours = {"drawn": len(record.drawing.assigned), "verified": not verify(record), "seed_from": record.seed_from}
        return cls(**{name: getattr(draw, name) for name in cls.model_fields if name not in ours}, **ours)


class PaperIn(RecordIn):
    """A record that an inspector wrote on paper."""

    paper: str = Field(min_length=1, max_length=200, description="纸质记录的编号或存放处。", examples=["档案柜3-12"])
    written_by: UUID | None = Field(None, description="写这份记录的检查人员；两人检查时必填，此人不能再会签。")


PLANNING = ("unit_not_found", "campaign_not_found", "population_not_found", "unit_needed", "not_inspectors")
TOO_MUCH = ("population_too_large", "too_many_visits")


@routes.post(
    "",
    roles=OVERSIGHT,
    body=PlanFacts,
    reply=PlanOut,
    status=201,
    summary="制定回头看计划",
    errors=(*PLANNING, "plan_name_taken", "visited_lately"),
)
async def plan(scope: Scope, body: PlanFacts) -> PlanOut:
    return await _shown(await lookbacks.plan(body, by=scope))


@routes.post(
    "/preview",
    roles=OVERSIGHT,
    body=Terms,
    reply=PreviewOut,
    summary="制定之前预览：范围、各层、人员和负担",
    errors=(*PLANNING, *TOO_MUCH),
    limit="30/minute",
)
async def preview_terms(scope: Scope, body: Terms) -> PreviewOut:
    """只数数，不保存，不抽取。"""
    return PreviewOut.model_validate(await lookbacks.preview_terms(body, by=scope))


@routes.get("", roles=OVERSIGHT, query=Listing, reply=Page[PlanOut], summary="回头看计划")
async def plans(scope: Scope, query: Listing) -> Page[PlanOut]:
    found = await lookbacks.plans(by=scope, after=_after(query), limit=query.limit)
    counts = await lookbacks.progress(scope.zone_id, [made.id for made in found])
    next_ = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[PlanOut](items=[PlanOut.of(made, counts.get(made.id, (0, 0))) for made in found], next=next_)


@routes.get("/<plan_id:uuid>", roles=OVERSIGHT, reply=PlanOut, summary="计划详情", errors=("not_found",))
async def one(scope: Scope, plan_id: UUID) -> PlanOut:
    return await _shown(await lookbacks.plan_of(plan_id, by=scope))


@routes.get(
    "/<plan_id:uuid>/preview",
    roles=OVERSIGHT,
    reply=PreviewOut,
    summary="预览范围",
    errors=("not_found", *TOO_MUCH),
)
async def preview(scope: Scope, plan_id: UUID) -> PreviewOut:
    """只数数，不抽取。"""
    return PreviewOut.model_validate(await lookbacks.preview(plan_id, by=scope))


@routes.post(
    "/<plan_id:uuid>/draw",
    roles=OVERSIGHT,
    body=DrawIn,
    reply=DrawOut,
    summary="双随机抽取",
    errors=(
        *("not_found", "already_drawn", "being_drawn", "population_changed", "visited_lately", "nothing_to_draw"),
        *TOO_MUCH,
    ),
)
async def draw(scope: Scope, plan_id: UUID, body: DrawIn) -> DrawOut:
    """随机抽取事项和检查人员，本单位回避。每份计划只抽一次；同样的种子和范围，抽取结果总是相同。"""
    kept = await lookbacks.draw_visits(
        plan_id,
        by=scope,
        seed=body.seed,
        expected_hash=body.population_hash,
        although_visited=body.although_visited,
    )
    return await asyncio.to_thread(DrawOut.of, kept)


@routes.get(
    "/<plan_id:uuid>/draw", roles=OVERSIGHT, reply=DrawOut, summary="抽取结果", errors=("not_found", "not_drawn")
)
async def drawn(scope: Scope, plan_id: UUID) -> DrawOut:
    """按保存的记录重新抽取一遍，并说明是否一致。"""
    return await asyncio.to_thread(DrawOut.of, await lookbacks.draw_of(plan_id, by=scope))


@routes.get(
    "/<plan_id:uuid>/draw/record",
    roles=OVERSIGHT,
    reply=DrawRecord,
    summary="抽取记录",
    errors=("not_found", "not_drawn"),
)
async def drawing_record(scope: Scope, plan_id: UUID) -> bytes:
    """种子、范围、检查人员库和结果的全部内容，可打印存档，也可自行按公开的算法复核。"""
    return orjson.dumps((await lookbacks.draw_of(plan_id, by=scope)).record)


@routes.get(
    "/<plan_id:uuid>/draw/page",
    roles=OVERSIGHT,
    summary="打印抽取记录",
    errors=("not_found", "not_drawn"),
    media_type="text/html",
)
async def page(scope: Scope, plan_id: UUID) -> HTTPResponse:
    """一页可打印、签字、归档的记录。"""
    whole = await lookbacks.printed(plan_id, by=scope)
    return raw(whole, content_type="text/html; charset=utf-8", headers=PAGE_POLICY)


@routes.get(
    "/<plan_id:uuid>/visits",
    roles=OVERSIGHT,
    query=Listing,
    reply=Page[VisitLine],
    summary="计划的检查",
    errors=("not_found",),
)
async def visits(scope: Scope, plan_id: UUID, query: Listing) -> Page[VisitLine]:
    found = await lookbacks.visits_of(plan_id, by=scope, after=_after(query), limit=query.limit)
    return await page_of(found, query.limit, scope)


@routes.get("/visits/<visit_id:uuid>", roles=OVERSIGHT, reply=VisitOut, summary="检查详情", errors=("not_found",))
async def visit(scope: Scope, visit_id: UUID) -> VisitOut:
    return await VisitOut.whole(await lookbacks.visit_of(visit_id, by=scope), scope)


@routes.post(
    "/visits/<visit_id:uuid>/records",
    roles=OVERSIGHT,
    body=PaperIn,
    reply=RecordOut,
    status=201,
    idempotent="by_rule",
    summary="补录纸质检查记录",
    errors=(*RECORDING, "paper_needed", "writer_needed", "not_of_the_team"),
)
async def record(request: Request, scope: Scope, visit_id: UUID, body: PaperIn) -> RecordOut:
    """检查人员写在纸上的记录，由监督机构代为录入。"""
    kept = await lookbacks.record_from_paper(
        visit_id,
        body.facts(),
        by=scope,
        client_id=key_of(request),
        paper=body.paper,
        written_by=body.written_by,
        correction_reason=body.correction_reason,
    )
    return RecordOut.of(kept)


async def _shown(made: LookbackPlan) -> PlanOut:
    counts = await lookbacks.progress(made.zone_id, [made.id])
    return PlanOut.of(made, counts.get(made.id, (0, 0)))


def _after(query: Listing) -> UUID | None:
    (after,) = read_cursor(query.after, UUID) or (None,)
    return after
