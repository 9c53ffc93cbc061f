"""What the schedules gave: a row a family, saved as it comes, printed as one table at the end."""

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from rich.console import Console
from rich.markup import escape
from rich.table import Table

SHOWN = 20


@dataclass
class Family:
    """All that was played of one family; `failed` names the schedules after whose faults something did not hold."""

    name: str
    faults: dict[str, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    duplicates: int = 0
    other: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)

    def take(self, number: int, played: dict[str, Any]) -> None:
        """One fault of schedule `number` and the findings after it."""
        _, _, fault = played["fault"].partition(".")
        self.faults[fault] = self.faults.get(fault, 0) + 1
        self.seconds.append(played["seconds"])
        kinds = [finding["kind"] for finding in played["findings"]]
        self.lost += kinds.count("lost")
        self.duplicates += kinds.count("duplicate")
        self.other += kinds.count("other")
        if kinds:
            self.failed.append({"schedule": number, "fault": fault, "findings": played["findings"]})


@dataclass
class Results:
    """Of one run, in order of the families, kept in `file`: a list of rows, the first for all together."""

    file: Path
    seed: int
    families: dict[str, Family] = field(default_factory=dict)
    schedules: set[int] = field(default_factory=set)

    def take(self, number: int, played: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Keep a schedule at once: an interrupted run keeps what it has. What did not hold in it."""
        self.schedules.add(number)
        for one in played:
            name = one["fault"].partition(".")[0]
            self.families.setdefault(name, Family(name)).take(number, one)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(orjson.dumps(self.rows(), option=orjson.OPT_INDENT_2))
        return [{"fault": one["fault"], **finding} for one in played for finding in one["findings"]]

    def rows(self) -> list[dict[str, Any]]:
        """As saved. `schedules` of a family counts its faults that were played; `met`: everything held."""
        families = [self.families[name] for name in sorted(self.families)]
        rows = [self._row(one.name, len(one.seconds), one) for one in families]
        everything = Family("all", seconds=[second for one in families for second in one.seconds])
        for one in families:
            everything.lost += one.lost
            everything.duplicates += one.duplicates
            everything.other += one.other
        return [self._row("all", len(self.schedules), everything), *rows]

    def _row(self, name: str, schedules: int, family: Family) -> dict[str, Any]:
        return {
            "family": name,
            "seed": self.seed,
            "schedules": schedules,
            "lost": family.lost,
            "duplicates": family.duplicates,
            "other": family.other,
            "met": not (family.lost or family.duplicates or family.other),
            "faults": dict(sorted(family.faults.items())),
            "seconds_median": round(median(family.seconds), 2) if family.seconds else 0.0,
            "seconds_most": round(max(family.seconds, default=0.0), 2),
            "failed": family.failed,
        }

    @property
    def met(self) -> bool:
        """Whether everything held after every fault."""
        return all(row["met"] for row in self.rows())

    def print(self, console: Console) -> None:
        """As a table, and the command that repeats each schedule in which something did not hold."""
        table = Table(title=f"Faults, FAULTS_SEED={self.seed}", title_justify="left")
        for heading in ("family", "faults", "schedules", "lost", "twice", "other", "median", "most", ""):
            table.add_column(heading, justify="left" if heading == "family" else "right", no_wrap=True)
        for row in self.rows():
            counts = (len(row["faults"]) or "", row["schedules"], row["lost"], row["duplicates"], row["other"])
            took = (f"{row['seconds_median']:.1f}", f"{row['seconds_most']:.1f}")
            held = "[green]met[/]" if row["met"] else "[red]missed[/]"
            table.add_row(row["family"], *map(str, counts), *took, held, end_section=row["family"] == "all")
        console.print(table)
        failed = sorted({one["schedule"] for family in self.families.values() for one in family.failed})
        for number in failed[:SHOWN]:
            console.print(f"  {again(self.seed, number)}", style="red")


def again(seed: int, number: int) -> str:
    """The command that repeats just this schedule."""
    return f"make faults FAULTS_SEED={seed} FAULTS_ONLY={number}"


def told(seed: int, number: int, finding: dict[str, Any]) -> str:
    """One finding as it is printed when it comes."""
    return escape(f"{finding['fault']}: {finding['kind']}: {finding['what']}\n  {again(seed, number)}")
