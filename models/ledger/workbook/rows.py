"""Reading the sheet 「事项」: each row's own faults; what a row refers to is resolved afterwards, all at once."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.base.spreadsheets import RowCells, SheetForm
from models.ledger.deadlines import MOST_DAYS, MOST_YEARS_AHEAD
from models.ledger.drafts import TOO_HIGH
from models.ledger.tables import Classification, ListKind

SHEET = "事项"
FORM = SheetForm(
    SHEET,
    ("清单", "标题", "要求", "责任人编号", "责任单位编码", "密级", "期限"),
    ("依据", "领域", "立行立改", "紧急", "策略编码"),
)
LISTS = {kind.label: kind for kind in ListKind}
CLASSIFICATIONS = {"公开": Classification.PUBLIC, "内部": Classification.INTERNAL}
MARKED_HIGHER = {"秘密", "机密", "绝密"}
WORKING_DAYS = re.compile(r"(\d{1,4})\s*个?工作日")
DAY = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?")


@dataclass
class ItemRow:
    """One row without faults of its own. `codes` are the policies named; `facts` are columns of the item."""

    cells: RowCells
    staff_no: str
    unit_code: str
    codes: list[str]
    facts: dict[str, Any]


def read_row(cells: RowCells, today: date) -> ItemRow | None:
    """The row, or None and every fault noted."""
    facts = {
        "list": cells.choice("清单", LISTS, code="unknown_list"),
        "title": cells.text("标题", longest=100),
        "requirement": cells.text("要求", longest=2000),
        "basis": cells.text("依据", longest=500, required=False),
        "area": cells.text("领域", longest=32, required=False),
        "classification": _classification(cells),
        "immediate_fix": cells.flag("立行立改"),
        "urgent": cells.flag("紧急"),
        **_due(cells, today),
    }
    staff_no, unit_code = cells.code("责任人编号"), cells.code("责任单位编码")
    codes = cells.text("策略编码", longest=400, required=False) or ""
    if cells.bad or staff_no is None or unit_code is None:
        return None
    return ItemRow(cells, staff_no, unit_code, [code for part in codes.split("、") if (code := part.strip())], facts)


def _classification(cells: RowCells) -> Classification | None:
    marked = cells.text("密级", longest=32)
    if marked in MARKED_HIGHER:
        cells.fault("密级", "classified", TOO_HIGH)
        return None
    return cells.choice("密级", CLASSIFICATIONS, code="unknown_classification") if marked else None


def _due(cells: RowCells, today: date) -> dict[str, Any]:
    text = cells.text("期限", longest=40)
    on = days = None
    if text and (counted := WORKING_DAYS.fullmatch(text)):
        days = int(counted[1])
    elif text:
        on = _day(text)
    if text and on is None and not 1 <= (days or 0) <= MOST_DAYS:
        cells.fault("期限", "bad_due", f"“期限”应为日期，如 2026-12-15，或 1 到 {MOST_DAYS} 个工作日，如 10个工作日。")
    elif on and on < today:
        cells.fault("期限", "due_in_past", "“期限”已经过去，请改成今天或以后的日期。")
    elif on and on.year > today.year + MOST_YEARS_AHEAD:
        cells.fault("期限", "too_far", f"“期限”太远，请填今后{MOST_YEARS_AHEAD}年以内的日期。")
    return {"due_on": on, "due_days": days}


def _day(text: str) -> date | None:
    parts = DAY.fullmatch(text)
    if parts is None:
        return None
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        return None
