"""The units of the sample zone, on four levels, read from `text/units.csv`."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TEXT = Path(__file__).parent / "text"
ROOT = "LC"
DISCIPLINE = "LC01"
POSTS = {"主要负责人": "正职", "分管负责人": "副职", "成员": "成员"}


@dataclass(frozen=True)
class Unit:
    """One unit; `staff` maps a post kind to how many hold it, `titles` to the titles they take in turn."""

    code: str
    name: str
    short: str
    type: str
    staff: dict[str, int]
    titles: dict[str, list[str]]

    @property
    def parent(self) -> str:
        """Code of the unit above: two characters shorter, empty for the zone itself."""
        return "" if self.code == ROOT else self.code[:-2]

    @property
    def street(self) -> str:
        """Code of the second-level unit this one stands under (itself, if it is one)."""
        return self.code[:4]


def read_rows(name: str) -> Iterator[dict[str, str]]:
    """Rows of `text/<name>.csv` by header."""
    with (TEXT / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def load_units() -> dict[str, Unit]:
    """All units by code, parents before children."""
    return {row["编码"]: _unit(row) for row in read_rows("units")}


def _unit(row: dict[str, str]) -> Unit:
    staff = {kind: int(row[column]) for kind, column in POSTS.items()}
    titles = {kind: row[f"{column}职务"].split("/") for kind, column in POSTS.items()}
    return Unit(row["编码"], row["名称"], row["简称"], row["类型"], staff, titles)
