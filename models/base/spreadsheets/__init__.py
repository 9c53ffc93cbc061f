"""Reading `.xlsx` that people upload (docs/formats.md): safely, within bounds, every fault with its place.

    faults = Faults()
    sheets = read_sheets(data, SheetForm("人员", ("人员编号", "姓名", "手机号")), faults=faults)
    for row in sheets["人员"]:
        name = row.text("姓名", longest=32)          # None, and a fault, where the cell is wrong
    faults.refuse("名册有误，没有导入。")

Reading takes seconds of CPU for a full workbook: call it through `asyncio.to_thread`.
"""

from models.base.spreadsheets.cells import RowCells, Sheet
from models.base.spreadsheets.faults import CellFault, Faults
from models.base.spreadsheets.reading import MAX_ROWS, SheetForm, read_sheets

__all__ = ["MAX_ROWS", "CellFault", "Faults", "RowCells", "Sheet", "SheetForm", "read_sheets"]
