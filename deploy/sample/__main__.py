"""`python -m deploy.sample [folder]`: write the sample zone, by default beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.sample.documents import write_documents
from deploy.sample.matters import item_rows
from deploy.sample.people import draw_roster
from deploy.sample.photos import write_photos
from deploy.sample.policies import policy_rows
from deploy.sample.sheets import roster_sheets, sheet, spoil, write_workbook
from deploy.sample.zone import load_units


def write_sample(folder: Path) -> None:
    """Write the three workbooks, `photos/` and `documents/` into `folder`, made if absent."""
    folder.mkdir(parents=True, exist_ok=True)
    roster = draw_roster(load_units())
    sheets = roster_sheets(roster)
    items = {"事项": sheet("事项", item_rows(roster)), "策略": sheet("策略", policy_rows())}
    write_workbook(folder / "roster.xlsx", sheets)
    write_workbook(folder / "roster_bad.xlsx", spoil(sheets))
    write_workbook(folder / "items.xlsx", items)
    write_photos(folder / "photos")
    write_documents(folder / "documents")


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
