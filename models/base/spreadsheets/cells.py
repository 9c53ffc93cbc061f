"""Rows and cells: a cell read as what its column means, or a fault at its place."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

from python_calamine import CalamineSheet

from models.base.spreadsheets.faults import Faults

Choice = TypeVar("Choice")
CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")
DATE = re.compile(r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|年(\d{1,2})月(\d{1,2})日)")
FLAGS = {"是": True, "否": False, "": False}
HALF_WIDTH = str.maketrans("（）", "()")


class Sheet:
    """The rows below the header, read as they are walked over; wholly empty rows are left out."""

    def __init__(self, name: str, columns: dict[str, int], rows: CalamineSheet | None, faults: Faults) -> None:
        self.name, self.columns, self._rows, self.faults = name, columns, rows, faults

    def __iter__(self) -> Iterator["RowCells"]:
        if self._rows is None:
            return
        for number, cells in enumerate(self._rows.iter_rows(), 1):
            if number > 1 and cells.count("") < len(cells):
                yield RowCells(self, number, cells)


class RowCells:
    """One row; `row` is its number as Excel shows it. A reader answers None and notes a fault where a cell is wrong."""

    __slots__ = ("_cells", "_sheet", "row")

    def __init__(self, sheet: Sheet, row: int, cells: list[Any]) -> None:
        self._sheet, self.row, self._cells = sheet, row, cells

    @property
    def bad(self) -> bool:
        """Whether a fault was noted in this row."""
        return (self._sheet.name, self.row) in self._sheet.faults.bad_rows

    def fault(self, column: str, code: str, detail: str) -> None:
        """Note a fault in this row's cell."""
        self._sheet.faults.add(code, detail, sheet=self._sheet.name, row=self.row, column=column)

    def text(self, column: str, *, longest: int, required: bool = True) -> str | None:
        """Trimmed and NFC; a whole number as its digits. Faults `required`, `too_long`; "" where it may be empty."""
        text = self.written(column)
        if required and not text:
            self.fault(column, "required", f"“{column}”不能为空。")
            return None
        if len(text) > longest:
            self.fault(column, "too_long", f"“{column}”最多 {longest} 个字，这里有 {len(text)} 个。")
            return None
        return text

    def code(self, column: str, *, required: bool = True) -> str | None:
        """An identifier of ≤ 32 letters, digits, `-`, `_`. Faults `required`, `bad_code`."""
        text = self.written(column)
        if CODE.fullmatch(text) or not (text or required):
            return text
        if text:
            self.fault(column, "bad_code", f"“{column}”只能用字母、数字、- 和 _，最多 32 个。")
        else:
            self.fault(column, "required", f"“{column}”不能为空。")
        return None

    def choice(self, column: str, choices: Mapping[str, Choice], *, code: str) -> Choice | None:
        """What `choices` (keys with half-width parentheses) give for the text. Faults `required` and `code`."""
        text = self.written(column)
        choice = choices.get(text) or choices.get(text.translate(HALF_WIDTH))
        if choice is not None:
            return choice
        if text:
            self.fault(column, code, f"“{column}”应为{'、'.join(choices)}之一。")
        else:
            self.fault(column, "required", f"“{column}”不能为空。")
        return None

    def day(self, column: str, *, required: bool = True) -> date | None:
        """An Excel date, or text in one of three forms. Faults `required`, `bad_date`; None where it may be empty."""
        value = self._value(column)
        if type(value) is date:
            return value
        text = self.written(column) if isinstance(value, str) else "?"
        if not text and not required:
            return None
        day = _day(text)
        if not text:
            self.fault(column, "required", f"“{column}”不能为空。")
        elif day is None:
            self.fault(column, "bad_date", f"“{column}”应为日期，如 2026-12-15，不带时刻。")
        return day

    def flag(self, column: str) -> bool | None:
        """是 is true; 否 or empty is false. Fault `bad_flag`."""
        answer = FLAGS.get(self.written(column))
        if answer is None:
            self.fault(column, "bad_flag", f"“{column}”只能填“是”或“否”。")
        return answer

    def whole_number(self, column: str, *, least: int, most: int, code: str = "bad_number") -> int | None:
        """A whole number between two bounds (included). Faults `required` and `code`."""
        text = self.written(column)
        if text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most:
            return int(text)
        if text:
            self.fault(column, code, f"“{column}”应为 {least}–{most} 的整数。")
        else:
            self.fault(column, "required", f"“{column}”不能为空。")
        return None

    def _value(self, column: str) -> Any:
        place = self._sheet.columns.get(column)
        return "" if place is None else self._cells[place]

    def written(self, column: str) -> str:
        """The cell's text as it stands, "" where the column or the text is absent; notes no fault."""
        value = self._value(column)
        return value.strip() if type(value) is str and value.isascii() else plain(value)


def plain(value: Any) -> str:
    """A cell's text: trimmed, NFC, without a whole number's `.0`."""
    if isinstance(value, str):
        return value.strip() if value.isascii() else unicodedata.normalize("NFC", value).strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "是" if value is True else "否" if value is False else str(value)


def header(sheet: CalamineSheet) -> list[str]:
    """The texts of row 1."""
    return [plain(cell) for cell in next(iter(sheet.iter_rows()), [])]


@lru_cache(4096)
def _day(text: str) -> date | None:
    parts = DATE.fullmatch(text)
    if parts is None:
        return None
    try:
        year, month, day = (int(part) for part in parts.groups() if part)
        return date(year, month, day)
    except ValueError:
        return None
