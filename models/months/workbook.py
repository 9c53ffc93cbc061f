"""The months' figures as a workbook: one sheet as they stand, one of what was restated."""

import asyncio
import io
from collections.abc import Sequence
from datetime import date

import xlsxwriter

from models.base import clock
from models.base.errors import Invalid, TooLarge
from models.base.scope import Role, Scope
from models.months.counting import after, first_of, months_between
from models.months.reading import every_figure, restated_between
from models.months.tables import FIGURES, RATES, MonthRestatement

MOST = 50_000
MOST_MONTHS = 24
FIGURE_HEADERS = (
    "月份",
    "单位",
    *(name for name, _ in FIGURES.values()),
    *(f"{name}（%）" for name, *_ in RATES.values()),
)
RESTATED_HEADERS = ("月份", "单位", "数字", "原为", "更正为", "原因", "更正时间")

Cells = Sequence[str | int | float | None]


async def export_months(since: date, until: date, *, by: Scope) -> bytes:
    """Of the units within the caller's oversight, at most 24 months. Raises Forbidden, Invalid, TooLarge."""
    by.require(Role.OVERSIGHT)
    months = [*months_between(first_of(since), after(until))]
    if not 0 < len(months) <= MOST_MONTHS:
        raise Invalid("bad_months", f"请选择一个起止月份，最多 {MOST_MONTHS} 个月。")
    stand: list[Cells] = []
    units: dict[str, str] = {}
    async for row in every_figure(since, until, by=by):
        units[row.unit_path] = row.unit
        stand.append((f"{row.month:%Y-%m}", row.unit, *row.stands.values(), *row.rates.values()))
        if len(stand) > MOST:
            raise TooLarge("too_many_rows", f"超过 {MOST:,} 行，请分开导出。")
    restated = await restated_between(since, until, by=by, limit=MOST)
    return await asyncio.to_thread(_write, stand, [_restated(row, units) for row in restated])


def _restated(row: MonthRestatement, units: dict[str, str]) -> Cells:
    unit, name = units.get(row.unit_path, row.unit_path), FIGURES[row.figure][0]
    stated = f"{clock.local(row.stated_at):%Y-%m-%d %H:%M}"
    return (f"{row.month:%Y-%m}", unit, name, row.was, row.became, row.why, stated)


def _write(stand: Sequence[Cells], restated: Sequence[Cells]) -> bytes:
    """Texts are written as texts: what begins with `=` must not become a formula in the reader's Excel."""
    file = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        head = book.add_format({"bold": True, "bg_color": "#E8F0FB"})
        for name, headers, rows in (("每月数字", FIGURE_HEADERS, stand), ("更正", RESTATED_HEADERS, restated)):
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 2)
            sheet.set_column(1, 1, 24)
            sheet.write_row(0, 0, headers, head)
            for number, row in enumerate(rows, 1):
                sheet.write_row(number, 0, row)
    return file.getvalue()
