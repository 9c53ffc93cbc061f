"""Faults of a workbook, gathered so that all are told at once."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.base.errors import Fault, Invalid

MAX_LISTED = 2_000


@dataclass(frozen=True)
class CellFault(Fault):
    """A fault's place as well: `row` as Excel numbers it, `column` by its header; None where it has none."""

    sheet: str | None = None
    row: int | None = None
    column: str | None = None


class Faults:
    """What is wrong so far. All are counted, the first 2,000 are listed; `bad_rows` are the rows they stand in."""

    def __init__(self) -> None:
        self.listed: list[CellFault] = []
        self.total = 0
        self.of_file = 0
        self.bad_rows: set[tuple[str, int]] = set()

    def __iter__(self) -> Iterator[CellFault]:
        return iter(self.listed)

    def __len__(self) -> int:
        return self.total

    def add(
        self, code: str, detail: str, *, sheet: str | None = None, row: int | None = None, column: str | None = None
    ) -> None:
        """One more; with a sheet and a row it makes that row bad, without a row the file as a whole."""
        self.total += 1
        if sheet and row:
            self.bad_rows.add((sheet, row))
        else:
            self.of_file += 1
        if len(self.listed) < MAX_LISTED:
            pointer = "".join(f"/{part}" for part in (sheet, row, column) if part is not None)
            self.listed.append(CellFault(pointer, code, detail, sheet, row, column))

    def refuse(self, detail: str) -> None:
        """Raises Invalid (`bad_workbook`, or the file's own code where it is the only fault) if there is any fault."""
        if not self.total:
            return
        code = self.listed[0].code if self.total == self.of_file == 1 else "bad_workbook"
        raise Invalid(code, detail, faults=tuple(self.listed), total=self.total)
