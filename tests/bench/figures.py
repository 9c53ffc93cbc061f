"""Figures: one row each, saved as it comes, printed as one table at the end."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from models.base import clock


@dataclass(frozen=True)
class Goal:
    """What must hold; each part that is None does not matter. `most` and `least` bound our own figure."""

    of_limit: float | None = None
    of_peer: float | None = None
    most: float | None = None
    least: float | None = None

    def met(self, row: "Figure") -> bool:
        """Whether `row` reaches every part."""
        parts = (
            (self.of_limit, row.ratio_to_limit, 1),
            (self.of_peer, row.ratio_to_peer, 1),
            (self.least, row.ours, 1),
            (self.most, row.ours, -1),
        )
        return all(got is not None and sign * got >= sign * asked for asked, got, sign in parts if asked is not None)

    def __str__(self) -> str:
        parts = {"≥ {} × limit": self.of_limit, "≥ {} × peer": self.of_peer, "≤ {}": self.most, "≥ {}": self.least}
        return ", ".join(form.format(f"{asked:g}") for form, asked in parts.items() if asked is not None)


@dataclass(frozen=True)
class Figure:
    """One measured thing: ours, the limit's and the peer's medians in `unit`."""

    name: str
    ours: float
    unit: str
    limit: float | None = None
    peer: float | None = None
    goal: Goal = Goal()

    @property
    def ratio_to_limit(self) -> float | None:
        """Ours over the limit's."""
        return self.ours / self.limit if self.limit else None

    @property
    def ratio_to_peer(self) -> float | None:
        """Ours over the peer's."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """None without a goal."""
        return self.goal.met(self) if str(self.goal) else None

    def plain(self) -> dict[str, object]:
        """As saved."""
        ratios = {"ratio_to_limit": self.ratio_to_limit, "ratio_to_peer": self.ratio_to_peer}
        rounded = {name: value and round(value, 3) for name, value in ratios.items()}
        return {**asdict(self), **rounded, "goal": str(self.goal), "met": self.met}


@dataclass
class Figures:
    """All of a run, in order, kept in `file`: a list of rows."""

    file: Path
    rows: list[Figure] = field(default_factory=list)
    begun: datetime = field(default_factory=clock.now)

    def add(self, *rows: Figure) -> None:
        """Keep, at once: an interrupted run keeps what it has."""
        self.rows += rows
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_bytes(
            orjson.dumps([{**row.plain(), "measured": self.begun} for row in self.rows], option=orjson.OPT_INDENT_2)
        )

    @property
    def missed(self) -> list[str]:
        """Names of the figures that do not reach their goal."""
        return [row.name for row in self.rows if row.met is False]

    def print(self, console: Console) -> None:
        """As a table."""
        table = Table(title="Medians, measured side by side", title_justify="left")
        for heading in ("figure", "ours", "limit", "peer", "× limit", "× peer", "goal", ""):
            table.add_column(heading, justify="right" if heading not in ("figure", "goal") else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(
                row.name,
                f"{_number(row.ours)} {row.unit}",
                *map(_number, (row.limit, row.peer)),
                *(f"{ratio:.2f}" if ratio else "" for ratio in (row.ratio_to_limit, row.ratio_to_peer)),
                str(row.goal),
                {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[row.met],
            )
        console.print(table)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
