"""The 300 items: texts from `text/matters_*.csv`, filled in for a unit, an owner there and a deadline.

A text may hold slots (`{单位}`, `{项目}`, `{n}` …) and choices (`[核对/复核]`); copies of one row take the
choices in turn, so that two units are not told the same thing in the same words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from deploy.sample.people import Roster
from deploy.sample.places import BASES, FIRMS, PROJECTS, SOURCES
from deploy.sample.policies import NEAR_DUE, OVERDUE, UNRECEIVED
from deploy.sample.sheets import Cell, flag
from deploy.sample.zone import Unit, read_rows

FIRST_DUE, LAST_DUE, LAST_OF_YEAR = date(2026, 11, 25), date(2027, 1, 29), date(2026, 12, 31)
NEW_YEAR = date(2027, 1, 1)
IMMEDIATE_DUE, URGENT_DUE = date(2026, 12, 4), date(2026, 12, 11)
WORKING_DAYS_SHARE = 0.1
PUBLIC_AREAS = ("营商环境", "项目审批", "政策兑现", "企业员工子女入学", "群众身边问题", "征地拆迁", "执法监管")
HEAD_DUTIES = ("第一责任人", "党组织负责人")


@dataclass(frozen=True)
class Matter:
    """One row of text and the units it may go to.

    `marks` may hold 立 (立行立改), 急 (紧急) and 同 (same owner as the row above: the two resemble each other).
    """

    list: str
    target: str
    copies: int
    area: str
    marks: str
    title: str
    requirement: str

    @property
    def text(self) -> str:
        return self.title + self.requirement


def load_matters() -> list[Matter]:
    """Every row of text, in the order of the items."""
    return [_matter(row) for name in ("offices", "grassroots") for row in read_rows(f"matters_{name}")]


def _matter(row: dict[str, str]) -> Matter:
    return Matter(row["清单"], row["单位"], int(row["份数"]), row["领域"], row["标记"], row["标题"], row["要求"])


def item_rows(roster: Roster) -> list[list[Cell]]:
    """Rows of the sheet 「事项」, grouped by list, the same on every run."""
    rows = list(_Draw(roster, Random("matters")).rows())
    return sorted(rows, key=lambda row: ("任务", "责任", "问题").index(str(row[0])))


class _Draw:
    """Spreads matters evenly over units and people: the least loaded comes first, chance breaks ties."""

    def __init__(self, roster: Roster, rng: Random) -> None:
        self.roster = roster
        self.rng = rng
        self.load: Counter[str] = Counter()
        self.owner = ""

    def rows(self) -> Iterator[list[Cell]]:
        for matter in load_matters():
            for copy, unit in enumerate(self._units(matter)):
                yield self._row(matter, copy, unit)

    def _row(self, matter: Matter, copy: int, unit: Unit) -> list[Cell]:
        owner = self._owner(matter, unit)
        due = self._due(matter)
        slots = self._slots(unit, due)
        return [
            matter.list,
            fill(matter.title, slots, copy),
            fill(matter.requirement, slots, copy),
            self._basis(matter),
            matter.area,
            owner,
            unit.code,
            self._classification(matter),
            due,
            flag("立" in matter.marks),
            flag("急" in matter.marks),
            self._policies(matter),
        ]

    def _units(self, matter: Matter) -> list[Unit]:
        fitting = [unit.code for unit in self.roster.units.values() if fits(unit, matter.target)]
        return [self.roster.units[code] for code in self._least_loaded(fitting, matter.copies)]

    def _owner(self, matter: Matter, unit: Unit) -> str:
        if "同" not in matter.marks:
            holders = self.roster.holders(unit.code, self._post_kind(matter, unit))
            self.owner = self._least_loaded(holders or self.roster.holders(unit.code, "分管负责人"), 1)[0]
        return self.owner

    def _post_kind(self, matter: Matter, unit: Unit) -> str:
        if any(duty in matter.title for duty in HEAD_DUTIES):
            return "主要负责人"
        by_deputy = self.rng.random() < (0.6 if matter.list == "责任" else 0.2)
        named = "班子" in matter.title or "分管负责" in matter.title or "副职" in matter.title
        return "分管负责人" if by_deputy or named else "成员"

    def _least_loaded(self, codes: list[str], count: int) -> list[str]:
        chosen = sorted(codes, key=lambda code: (self.load[code], self.rng.random()))[:count]
        self.load.update(chosen)
        return chosen

    def _due(self, matter: Matter) -> date | str:
        immediate, dated = "立" in matter.marks, "{月日}" in matter.text
        if not dated and self.rng.random() < (0.4 if immediate else WORKING_DAYS_SHARE):
            return f"{self.rng.choice((3, 5) if immediate else (10, 15, 20, 30))}个工作日"
        return self.rng.choice(_weekdays(_latest(matter)))

    def _slots(self, unit: Unit, due: date | str) -> dict[str, str]:
        street = unit.street if unit.street in PROJECTS else self.rng.choice(list(PROJECTS))
        return {
            "单位": unit.short,
            "街": self.roster.units[street].short,
            "项目": self.rng.choice(PROJECTS[street]),
            "企业": self.rng.choice(FIRMS),
            "n": str(self.rng.randint(3, 16)),
            "万": str(self.rng.randint(2, 18) * 5),
            "月日": f"{due.month}月{due.day}日" if isinstance(due, date) else "",
        }

    def _basis(self, matter: Matter) -> str:
        return self.rng.choice(SOURCES if matter.list == "问题" else BASES[matter.area])

    def _classification(self, matter: Matter) -> str:
        open_to_all = matter.list != "问题" and matter.area in PUBLIC_AREAS
        return "公开" if open_to_all and self.rng.random() < 0.8 else "内部"

    def _policies(self, matter: Matter) -> str | None:
        if "急" in matter.marks:
            return "、".join((UNRECEIVED, NEAR_DUE, OVERDUE))
        return "、".join((UNRECEIVED, OVERDUE)) if self.rng.random() < 0.1 else None


def _latest(matter: Matter) -> date:
    if "立" in matter.marks:
        return IMMEDIATE_DUE
    if "急" in matter.marks:
        return URGENT_DUE
    return LAST_OF_YEAR if "年底" in matter.text else LAST_DUE


def _weekdays(last: date) -> list[date]:
    days = (FIRST_DUE + timedelta(days=ahead) for ahead in range((last - FIRST_DUE).days + 1))
    return [day for day in days if day.weekday() < 5 and day != NEW_YEAR]


def fits(unit: Unit, target: str) -> bool:
    """Whether a target (unit codes, a unit type, or the last character of a short name) means this unit."""
    return unit.code in target.split() or target in (unit.type, unit.short[-1])


def fill(text: str, slots: dict[str, str], copy: int) -> str:
    """`text` with the `copy`-th of each choice, in turn, and its slots filled."""
    chosen = re.sub(r"\[(.+?)\]", lambda match: (options := match[1].split("/"))[copy % len(options)], text)
    return chosen.format_map(slots)
