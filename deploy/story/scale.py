"""How large the story is: the whole sample zone, or one corner of it where a test has little time."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineWorkbook

from deploy.sample.sheets import write_workbook
from deploy.seeding import cell
from deploy.story.cast import Player, read_cast
from deploy.story.world import SAMPLE

CORNER = ("LC04", "LC12", "LC2503")
"""Two departments and a subdistrict's village: leaders of their own, and one level up that differs."""


@dataclass(frozen=True)
class Scale:
    """`numbers` (人员编号) are those who have phones, None for everybody; `workbook` holds the items."""

    numbers: tuple[str, ...] | None = None
    workbook: Path = SAMPLE / "items.xlsx"


def corner(file: Path, units: Collection[str] = CORNER) -> Scale:
    """The items owned in a few units (written to `file`), their owners, who leads them, and some who inspect."""
    book = CalamineWorkbook.from_path(SAMPLE / "items.xlsx")
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    header, *rows = sheets["事项"]
    unit, owner = header.index("责任单位编码"), header.index("责任人编号")
    kept = [row for row in rows if row[unit] in units]
    cells = {"事项": [header, *kept], "策略": sheets["策略"]}
    write_workbook(file, {name: [[cell(value) for value in row] for row in rows] for name, rows in cells.items()})
    cast = read_cast(SAMPLE / "roster.xlsx")
    owners = {str(row[owner]) for row in kept}
    return Scale(
        tuple(number for number, player in cast.items() if number in owners or _stands_by(player, units)), file
    )


def _stands_by(player: Player, units: Collection[str]) -> bool:
    """Leads one of the units or one above them, is of the discipline office, or inspects."""
    above = {code[:length] for code in units for length in range(2, len(code) + 1, 2)}
    leads = any(unit in above and rank != "成员" for unit, rank in player.posts.items())
    return leads or "LC01" in player.posts or "检查人员" in player.roles
