"""A holiday notice typed into a workbook: sheet 「放假安排」 with the columns 日期 and 安排 (放假 or 上班)."""

from datetime import date

from models.base.spreadsheets import Faults, SheetForm, read_sheets

FORM = SheetForm("放假安排", ("日期", "安排"))
ARRANGEMENTS = {"放假": "holidays", "上班": "workdays"}


def read_notice(data: bytes) -> dict[str, list[date]]:
    """`holidays` and `workdays` of the workbook. Raises Invalid with every fault, TooLarge."""
    faults = Faults()
    days: dict[str, list[date]] = {"holidays": [], "workdays": []}
    seen: set[date] = set()
    for row in read_sheets(data, FORM, faults=faults, max_rows=400)[FORM.name]:
        day, arrangement = row.day("日期"), row.choice("安排", ARRANGEMENTS, code="unknown_arrangement")
        if day in seen:
            row.fault("日期", "duplicate_day", f"{day} 前面已经出现过。")
        elif day and arrangement:
            days[arrangement].append(day)
            seen.add(day)
    faults.refuse("放假安排有误，没有保存。请按所列各处更正后再导入。")
    return days
