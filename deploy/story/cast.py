"""Who plays: the people of the sample roster, as the workbook tells them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook


@dataclass
class Player:
    """One person of the roster. `posts` maps unit codes to ranks (主要负责人…) that are held now."""

    number: str
    name: str
    phone: str
    posts: dict[str, str] = field(default_factory=dict)
    roles: set[str] = field(default_factory=set)

    @property
    def is_plain_member(self) -> bool:
        """Has leaders above in a unit, and leads none."""
        return set(self.posts.values()) == {"成员"} and self.roles == {"干部"}


def read_cast(roster: Path) -> dict[str, Player]:
    """Everybody in the roster, by 人员编号."""
    book = CalamineWorkbook.from_path(roster)
    cast = {
        row["人员编号"]: Player(row["人员编号"], row["姓名"], str(row["手机号"]).removesuffix(".0"))
        for row in _rows(book, "人员")
    }
    for row in _rows(book, "任职"):
        if not row["任职截止"]:
            cast[row["人员编号"]].posts[row["单位编码"]] = row["类别"]
    for row in _rows(book, "角色"):
        cast[row["人员编号"]].roles.add(row["角色"])
    return cast


def _rows(book: CalamineWorkbook, sheet: str) -> list[dict[str, Any]]:
    header, *rows = book.get_sheet_by_name(sheet).to_python()
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]
