"""Look-backs that come again: set up once, drawn by themselves every month or quarter."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.console.lookbacks import PLANNING
from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import lookbacks
from models.base.calendar import Calendar, calendar_of
from models.base.scope import Role, Scope
from models.lookbacks import Every, LookbackSeries, SeriesFacts, SeriesState, Terms

routes = Routes("console", "/lookbacks/series", tag="回头看")
OVERSIGHT = {Role.OVERSIGHT}


class SeriesOut(Schema):
    """A series and when it is drawn next."""

    id: UUID
    name: Annotated[str, Field(examples=["每月回头看"])]
    terms: Terms
    every: Every
    working_day: Annotated[int, Field(description="每期的第几个工作日", examples=[3])]
    until_on: date | None
    state: SeriesState
    next_on: Annotated[date | None, Field(description="下次抽取的日期；暂停、结束或不再抽取为空")]
    made_at: datetime

    @classmethod
    def of(cls, series: LookbackSeries, days: Calendar) -> "SeriesOut":
        """From a row, on the zone's calendar."""
        plain = {name: getattr(series, name) for name in cls.model_fields if name != "next_on"}
        return cls(**{**plain, "next_on": lookbacks.next_day_of(series, days)})


@routes.post(
    "",
    roles=OVERSIGHT,
    body=SeriesFacts,
    reply=SeriesOut,
    status=201,
    summary="新建定期抽取",
    errors=(*PLANNING, "dates_stand_still", "series_name_taken"),
)
async def begin(scope: Scope, body: SeriesFacts) -> SeriesOut:
    """到期自动抽取，每期一份计划。先封存范围再取种子，任何人不能选定；错过的只补最近一期。"""
    return await _shown(await lookbacks.begin_series(body, by=scope))


@routes.get("", roles=OVERSIGHT, query=Listing, reply=Page[SeriesOut], summary="定期抽取")
async def listing(scope: Scope, query: Listing) -> Page[SeriesOut]:
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await lookbacks.all_series(by=scope, after=after, limit=query.limit)
    days = await calendar_of(scope.zone_id)
    next_ = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[SeriesOut](items=[SeriesOut.of(one, days) for one in found], next=next_)


@routes.get("/<series_id:uuid>", roles=OVERSIGHT, reply=SeriesOut, summary="定期抽取详情", errors=("not_found",))
async def one(scope: Scope, series_id: UUID) -> SeriesOut:
    return await _shown(await lookbacks.series_of(series_id, by=scope))


@routes.post(
    "/<series_id:uuid>/pause",
    roles=OVERSIGHT,
    reply=SeriesOut,
    summary="暂停定期抽取",
    errors=("not_found", "series_ended"),
)
async def pause(scope: Scope, series_id: UUID) -> SeriesOut:
    return await _shown(await lookbacks.set_series(series_id, SeriesState.PAUSED, by=scope))


@routes.post(
    "/<series_id:uuid>/resume",
    roles=OVERSIGHT,
    reply=SeriesOut,
    summary="恢复定期抽取",
    errors=("not_found", "series_ended"),
)
async def resume(scope: Scope, series_id: UUID) -> SeriesOut:
    """从下一期开始；暂停期间的不补。"""
    return await _shown(await lookbacks.set_series(series_id, SeriesState.ACTIVE, by=scope))


@routes.post("/<series_id:uuid>/end", roles=OVERSIGHT, reply=SeriesOut, summary="结束定期抽取", errors=("not_found",))
async def end(scope: Scope, series_id: UUID) -> SeriesOut:
    """结束后不能恢复；已抽取的照常检查。"""
    return await _shown(await lookbacks.set_series(series_id, SeriesState.ENDED, by=scope))


async def _shown(series: LookbackSeries) -> SeriesOut:
    return SeriesOut.of(series, await calendar_of(series.zone_id))
