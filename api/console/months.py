"""The months' figures on the console: per unit, as they stand and as they were frozen, and what was restated."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sanic import HTTPResponse
from sanic.response import raw

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import months
from models.base.scope import Role, Scope
from models.base.stated import Day
from models.months import FIGURES, MonthRestatement, UnitMonth

routes = Routes("console", "/months", tag="每月数字")
OVERSIGHT = {Role.OVERSIGHT}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class FiguresOut(Schema):
    """What a month counts; of one unit, never of a person."""

    opened: Annotated[int, Field(description="交办的轮次，含回头看重开的", examples=[12])]
    received: Annotated[int, Field(description="签收")]
    received_in_time: Annotated[int, Field(description="其中在下一个工作日结束前签收")]
    closed: Annotated[int, Field(description="销号")]
    closed_in_time: Annotated[int, Field(description="其中在期限内申请销号")]
    first_pass: Annotated[int, Field(description="其中没有退回过")]
    relapsed: Annotated[int, Field(description="其中后来回头看发现反弹")]
    looked_back: Annotated[int, Field(description="回头看记录")]
    sent_back: Annotated[int, Field(description="本月回头看退回")]
    relapses: Annotated[int, Field(description="本月回头看发现反弹")]


class RatesOut(Schema):
    """Per cent, to one decimal; empty where there is nothing to compare."""

    received_in_time_rate: Annotated[float | None, Field(description="按时签收率（%）", examples=[91.7])]
    closed_in_time_rate: Annotated[float | None, Field(description="按期办结率（%）")]
    first_pass_rate: Annotated[float | None, Field(description="一次通过率（%）")]
    relapse_rate: Annotated[float | None, Field(description="反弹率（%）")]


class UnitMonthOut(Schema):
    """One unit's month."""

    month: Annotated[date, Field(description="月份（第一天）", examples=["2026-10-01"])]
    unit_id: UUID
    unit: Annotated[str, Field(description="单位", examples=["建设局"])]
    stands: Annotated[FiguresOut, Field(description="更正后的数字")]
    rates: RatesOut
    frozen: Annotated[FiguresOut, Field(description="冻结时的数字，不再改动")]
    restated: Annotated[list[str], Field(description="冻结后有更正的数字，如 relapsed", examples=[["relapsed"]])]
    frozen_at: datetime

    @classmethod
    def of(cls, row: UnitMonth) -> "UnitMonthOut":
        """From what was read."""
        plain = {name: getattr(row, name) for name in ("month", "unit_id", "unit", "frozen_at")}
        stands, frozen = FiguresOut(**row.stands), FiguresOut(**row.frozen)
        restated = [name for name in FIGURES if row.stands[name] != row.frozen[name]]
        return cls(**plain, stands=stands, frozen=frozen, rates=RatesOut(**row.rates), restated=restated)


class RestatementOut(Schema):
    """A figure of a frozen month that a later fact made another one."""

    id: UUID
    month: Annotated[date, Field(description="月份（第一天）")]
    unit_id: UUID
    figure: Annotated[str, Field(description="哪个数字", examples=["relapsed"])]
    figure_label: Annotated[str, Field(examples=["销号后反弹"])]
    was: Annotated[int, Field(description="原为")]
    became: Annotated[int, Field(description="更正为")]
    why: Annotated[str, Field(description="原因", examples=["销号之后，回头看发现反弹：ZL-WT-2026-0001。"])]
    stated_at: datetime

    @classmethod
    def of(cls, row: MonthRestatement) -> "RestatementOut":
        """From a row."""
        plain = {name: getattr(row, name) for name in cls.model_fields if name != "figure_label"}
        return cls(**plain, figure_label=FIGURES[row.figure][0])


class MonthQuery(Listing):
    """Which month."""

    month: Annotated[Day | None, Field(description="月份中的任意一天；不填为最近冻结的月份。")] = None


class RestatementsQuery(Listing):
    """Of which month."""

    month: Annotated[Day | None, Field(description="月份中的任意一天；不填为全部。")] = None


class ExportQuery(Schema):
    """From which month to which."""

    since: Annotated[Day, Field(description="起始月份中的任意一天。", examples=["2026-01-01"])]
    until: Annotated[Day, Field(description="截止月份中的任意一天；最多 24 个月。", examples=["2026-12-31"])]


@routes.get("", roles=OVERSIGHT, query=MonthQuery, reply=Page[UnitMonthOut], summary="每月数字，按单位")
async def figures(scope: Scope, query: MonthQuery) -> Page[UnitMonthOut]:
    """月末之后冻结，不再改动；其后的更正另记。只到单位，不到个人。"""
    (path,) = read_cursor(query.after, str) or (None,)
    found = await months.figures(by=scope, month=query.month, after_path=path, limit=query.limit)
    next_ = write_cursor(found[-1].unit_path) if len(found) == query.limit else None
    return Page[UnitMonthOut](items=[UnitMonthOut.of(row) for row in found], next=next_)


@routes.get(
    "/restatements", roles=OVERSIGHT, query=RestatementsQuery, reply=Page[RestatementOut], summary="每月数字的更正"
)
async def restatements(scope: Scope, query: RestatementsQuery) -> Page[RestatementOut]:
    """冻结之后发现的变化：哪个数字，从多少到多少，为什么。"""
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await months.restatements(by=scope, month=query.month, after_id=after, limit=query.limit)
    next_ = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[RestatementOut](items=[RestatementOut.of(row) for row in found], next=next_)


@routes.get(
    "/export",
    roles=OVERSIGHT,
    query=ExportQuery,
    summary="导出每月数字（.xlsx）",
    media_type=XLSX,
    limit="10/minute",
    errors=("bad_months", "too_many_rows"),
)
async def export(scope: Scope, query: ExportQuery) -> HTTPResponse:
    data = await months.export_months(query.since, query.until, by=scope)
    return raw(data, content_type=XLSX, headers={"content-disposition": 'attachment; filename="months.xlsx"'})
