"""Sheets as plain rows, and their writing to `.xlsx` with bytes that depend on nothing but the rows."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from deploy.sample.people import PHONE_PREFIX, Roster

Cell = str | int | date | None
Sheets = dict[str, list[list[Cell]]]
"""Rows of each sheet by its name; the first row is the header."""

# xlsxwriter stamps the time of writing unless told; a fixed one keeps the bytes the same.
CREATED = datetime(2026, 11, 2, 9, 0)  # noqa: DTZ001 (the file format has no zone)
WIDTHS = {"标题": 44, "要求": 70, "依据": 40, "单位名称": 40}

HEADERS = {
    "单位": "单位编码 单位名称 单位类型 上级单位编码",
    "人员": "人员编号 姓名 手机号",
    "任职": "人员编号 单位编码 职务 类别 任职起始 任职截止 代理",
    "角色": "人员编号 角色 单位编码",
    "事项": "清单 标题 要求 依据 领域 责任人编号 责任单位编码 密级 期限 立行立改 紧急 策略编码",
    "策略": "策略编码 策略名称 步骤 条件 数值 级别 通知对象 动作",
}


def sheet(name: str, rows: list[list[Cell]]) -> list[list[Cell]]:
    """`rows` under the header of the sheet so named."""
    return [list(HEADERS[name].split()), *rows]


def roster_sheets(roster: Roster) -> Sheets:
    """The four sheets of `roster.xlsx`."""
    rows: Sheets = {
        "单位": [[unit.code, unit.name, unit.type, unit.parent or None] for unit in roster.units.values()],
        "人员": [[person.number, person.name, person.phone] for person in roster.people],
        "任职": [
            [post.person, post.unit, post.title, post.kind, post.since, post.until, flag(post.acting)]
            for post in roster.appointments
        ],
        "角色": [[role.person, role.name, role.unit] for role in roster.roles],
    }
    return {name: sheet(name, body) for name, body in rows.items()}


def spoil(sheets: Sheets) -> Sheets:
    """A copy of the roster with five bad rows, each bad for one reason: four changed, one appended.

    The repeated number is appended rather than written over another: that would orphan its appointments and
    one mistake would be reported many times.
    """
    bad = {name: [list(row) for row in rows] for name, rows in sheets.items()}
    people, posts, roles = bad["人员"], bad["任职"], bad["角色"]
    people[57][2] = str(people[57][2])[:-1]
    people.append([people[121][0], "周佳禾", f"{PHONE_PREFIX}0000"])
    posts[203][1] = "LC9901"
    ended = next(row for row in posts[1:] if isinstance(row[5], date))
    ended[4], ended[5] = ended[5], ended[4]
    next(row for row in roles if row[1] == "检查人员")[1] = "督查专员"
    return bad


def flag(value: bool) -> str | None:
    """How a yes-or-no column is written: 是, or nothing."""
    return "是" if value else None


def write_workbook(path: Path, sheets: Sheets) -> None:
    """Write the sheets with a bold frozen header; dates as dates, everything else as text or number."""
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"}) as book:
        book.set_properties({"title": "澜川经济开发区（虚构）", "created": CREATED})
        bold = book.add_format({"bold": True, "bg_color": "#E8EEF4"})
        wrap = book.add_format({"text_wrap": True})
        for name, rows in sheets.items():
            _write_rows(book.add_worksheet(name), rows, bold, wrap)


def _write_rows(target: Worksheet, rows: list[list[Cell]], bold: Format, wrap: Format) -> None:
    target.freeze_panes(1, 0)
    target.write_row(0, 0, rows[0], bold)
    for column, title in enumerate(rows[0]):
        target.set_column(column, column, WIDTHS.get(str(title), 16))
    for place, row in enumerate(rows[1:], start=1):
        for column, value in enumerate(row):
            if value is not None:
                style = wrap if rows[0][column] == "要求" else None
                target.write(place, column, value, *([style] if style else []))
