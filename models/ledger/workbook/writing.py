"""Items as a workbook of the form that is imported, with number, state and dates beside."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from datetime import date
from uuid import UUID

import xlsxwriter
from tortoise.queryset import QuerySet

from models.base import clock
from models.base.errors import TooLarge
from models.base.scope import Scope
from models.ledger import people
from models.ledger.reading import Filters
from models.ledger.tables import Classification, Item

MOST = 100_000
AT_ONCE = 2_000
WIDTHS = {"标题": 36, "要求": 60, "依据": 30, "责任单位": 20}
HEADERS = (
    *(
        "编号",
        "状态",
        "轮次",
        "清单",
        "标题",
        "要求",
        "依据",
        "领域",
        "责任人编号",
        "责任人",
        "责任单位编码",
        "责任单位",
    ),
    *("密级", "期限", "截止日期", "立行立改", "紧急", "策略编码", "交办日期", "销号日期"),
)


async def export_items(*, by: Scope, filters: Filters) -> bytes:
    """What the caller may read and `filters` ask for, oldest first. Raises TooLarge over 100,000 items."""
    found = people.visible(by, await people.selves(by)).filter(filters.asked())
    if await found.count() > MOST:
        raise TooLarge("too_many_rows", f"超过 {MOST:,} 件事项，请用筛选分开导出。")
    rows = [row async for row in _rows(found)]
    return await asyncio.to_thread(_write, rows)


async def _rows(found: "QuerySet[Item]") -> AsyncIterator[Sequence[str | int]]:
    after = UUID(int=0)
    while page := await found.filter(id__gt=after).order_by("id").limit(AT_ONCE).select_related("owner", "unit"):
        for item in page:
            yield _row(item)
        after = page[-1].id


def _row(item: Item) -> Sequence[str | int]:
    due = f"{item.due_days}个工作日" if item.due_days else _day(item.due_on)
    marked = "公开" if item.classification is Classification.PUBLIC else "内部"
    issued = clock.local(item.issued_at).date() if item.issued_at else None
    closed = clock.local(item.closed_at).date() if item.closed_at else None
    return (
        *(item.number or "", item.state.label, item.cycle, item.list.label, item.title, item.requirement, item.basis),
        *(item.area, item.owner.staff_no, item.owner.name, item.unit.code, item.unit.name, marked, due),
        *(_day(item.due_on), _flag(item.immediate_fix), _flag(item.urgent), "、".join(item.policy_codes)),
        *(_day(issued), _day(closed)),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _flag(value: bool) -> str:
    return "是" if value else "否"


def _write(rows: list[Sequence[str | int]]) -> bytes:
    """Texts are written as texts: what begins with `=` must not become a formula in the reader's Excel."""
    file = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet("事项")
        sheet.freeze_panes(1, 2)
        for column, name in enumerate(HEADERS):
            sheet.set_column(column, column, WIDTHS.get(name, 14))
        sheet.write_row(0, 0, HEADERS, book.add_format({"bold": True, "bg_color": "#E8F0FB"}))
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, row)
    return file.getvalue()
