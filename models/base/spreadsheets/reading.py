"""Opening a workbook and finding its sheets and columns."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from models.base.spreadsheets import safety
from models.base.spreadsheets.cells import Sheet, header
from models.base.spreadsheets.faults import Faults

MAX_ROWS = 100_000
MAX_MARKED = 100  # formulas and merged ranges told of in one sheet
FORMULA = re.compile(rb'<(?:\w+:)?c(?=\s)[^>]*?\sr="([A-Z]+)(\d+)"[^>]*>\s*<(?:\w+:)?f[\s/>]')
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass(frozen=True)
class SheetForm:
    """A sheet to read, found by `name`: the headers that must and may stand in row 1."""

    name: str
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    may_be_absent: bool = False


def read_sheets(source: bytes | Path, *forms: SheetForm, faults: Faults, max_rows: int = MAX_ROWS) -> dict[str, Sheet]:
    """The sheets of `forms` by name, rows ready to be read (an absent optional sheet is empty).

    Row faults gather in `faults` as the rows are read. Raises Invalid with every fault of the file as a whole
    (`missing_sheet`, `missing_column`, `duplicate_column`, `too_many_rows`, `formula`, `merged_cells`) or with
    `not_a_workbook`, TooLarge (`workbook_too_large`).
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    formulas = safety.check(data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        present = {name.strip(): name for name in workbook.sheet_names}
        found = {form: workbook.get_sheet_by_name(present[form.name]) for form in forms if form.name in present}
    except CalamineError as unreadable:
        raise safety.not_a_workbook() from unreadable
    whole = Faults()
    sheets = {form.name: _sheet(form, found.get(form), whole, faults, max_rows) for form in forms}
    if formulas:
        _find_formulas(data, {present[form.name]: form.name for form in found}, whole)
    whole.refuse("工作簿有误，没有导入。请按所列各处更正后再试。")
    return sheets


def _sheet(form: SheetForm, sheet: CalamineSheet | None, whole: Faults, faults: Faults, max_rows: int) -> Sheet:
    if sheet is None:
        if not form.may_be_absent:
            whole.add("missing_sheet", f"缺少工作表“{form.name}”。", sheet=form.name)
        return Sheet(form.name, {}, None, faults)
    if sheet.total_height > max_rows + 1:
        whole.add("too_many_rows", f"超过 {max_rows:,} 行，请分开导入。", sheet=form.name)
    for (row, column), _ in (sheet.merged_cell_ranges or [])[:MAX_MARKED]:
        place = f"{_letters(column)}{row + 1}"
        whole.add("merged_cells", f"{place} 处有合并单元格，请取消合并后逐格填写。", sheet=form.name, row=row + 1)
    return Sheet(form.name, _columns(form, header(sheet), whole), sheet, faults)


def _columns(form: SheetForm, heads: list[str], whole: Faults) -> dict[str, int]:
    """Where each column of the form stands."""
    for name in (*form.columns, *form.optional):
        if name in form.columns and name not in heads:
            whole.add("missing_column", f"第 1 行缺少列“{name}”。", sheet=form.name, row=1, column=name)
        if heads.count(name) > 1:
            whole.add("duplicate_column", f"第 1 行有两个“{name}”列。", sheet=form.name, row=1, column=name)
    return {name: heads.index(name) for name in (*form.columns, *form.optional) if name in heads}


def _find_formulas(data: bytes, wanted: dict[str, str], whole: Faults) -> None:
    """What a formula shows depends on who last opened the file; calamine does not tell it from a value."""
    workbook = zipfile.ZipFile(io.BytesIO(data))
    for title, part in _parts(workbook, wanted):
        for number, (column, row) in enumerate(_formulas(data, part)):
            if number == MAX_MARKED:
                break
            place = f"{column.decode()}{row.decode()}"
            whole.add(
                "formula", f"{place} 是公式，请改为填写数值（复制后“选择性粘贴为数值”）。", sheet=title, row=int(row)
            )


def _formulas(data: bytes, part: zipfile.ZipInfo) -> Iterator[tuple[bytes, bytes]]:
    rest = b""
    for piece in safety.pieces(data, part):
        if b"<f" in piece or b":f" in piece:
            yield from FORMULA.findall(rest + piece)
        rest = piece[piece.rfind(b"<") :] if b"<" in piece else rest


def _parts(workbook: zipfile.ZipFile, wanted: dict[str, str]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Which part of the package is which sheet (ECMA-376 part 1, §18.2.19 and part 2, §9)."""
    try:
        book = ElementTree.fromstring(workbook.read("xl/workbook.xml"))  # noqa: S314 - safety.check refused doctypes
        links = ElementTree.fromstring(workbook.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        targets = {link.get("Id"): (link.get("Target") or "").lstrip("/") for link in links}
        for sheet in book.iterfind(".//{*}sheet"):
            if sheet.get("name") in wanted:
                target = targets.get(sheet.get(RELATION)) or ""
                yield wanted[sheet.get("name") or ""], workbook.getinfo(_under_xl(target))
    except (KeyError, ElementTree.ParseError, zipfile.BadZipFile) as odd:
        raise safety.not_a_workbook() from odd


def _under_xl(target: str) -> str:
    return target if target.startswith("xl/") else f"xl/{target}"


def _letters(column: int) -> str:
    return (chr(64 + column // 26) if column >= 26 else "") + chr(65 + column % 26)
