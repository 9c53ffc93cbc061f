"""The zone's working days, so that a phone without a network can still say how many are left."""

import datetime
from typing import Annotated

from pydantic import Field

from api.wire import ANYONE_BOUND, Routes, Schema
from models.base import calendar, clock
from models.base.scope import Scope

routes = Routes("mini", "/calendar", tag="工作日")


class CalendarOut(Schema):
    """Days that differ from Monday to Friday, from last year on; other years count as plain weeks."""

    holidays: Annotated[list[datetime.date], Field(description="放假的日子")]
    workdays: Annotated[list[datetime.date], Field(description="调休上班的日子")]
    years: Annotated[list[int], Field(description="放假安排已公布的年份", examples=[[2026]])]


@routes.get("", roles=ANYONE_BOUND, reply=CalendarOut, summary="工作日安排")
async def working_days(scope: Scope) -> CalendarOut:
    """国务院办公厅公布的放假和调休；没有公布的年份按周一至周五计算。"""
    days, first = await calendar.calendar_of(scope.zone_id), clock.today().year - 1
    return CalendarOut(
        holidays=sorted(day for day in days.holidays if day.year >= first),
        workdays=sorted(day for day in days.workdays if day.year >= first),
        years=sorted(year for year in days.years if year >= first),
    )
