"""The months' figures as oversight reads them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise.queryset import QuerySet

from models.base.scope import Role, Scope
from models.months.counting import after, first_of, months_between
from models.months.freezing import standing
from models.months.tables import FIGURES, RATES, MonthFigure, MonthRestatement
from models.organization import Unit

AT_ONCE = 2_000


@dataclass(frozen=True)
class UnitMonth:
    """One unit's figures for one month: as they stand, and those of them that were frozen otherwise."""

    unit_id: UUID
    unit_path: str
    unit: str
    month: date
    stands: dict[str, int]
    frozen: dict[str, int]
    frozen_at: datetime

    @property
    def rates(self) -> dict[str, float | None]:
        """Per cent, to one decimal; None of nothing."""
        return {name: _percent(self.stands[part], self.stands[whole]) for name, (_, part, whole) in RATES.items()}


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _overseen(by: Scope) -> "QuerySet[MonthFigure]":
    return MonthFigure.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)


async def figures(
    *, by: Scope, month: date | None = None, after_path: str | None = None, limit: int = 50
) -> list[UnitMonth]:
    """Of the units within the caller's oversight, in the order of their paths, after `after_path`; the last month."""
    if month is None:
        last = await _overseen(by).order_by("-month").first()
        if last is None:
            return []
        month = last.month
    rows = _overseen(by).filter(month=first_of(month))
    return await _shown(
        by, await (rows.filter(unit_path__gt=after_path) if after_path else rows).order_by("unit_path").limit(limit)
    )


async def _shown(by: Scope, rows: Sequence[MonthFigure]) -> list[UnitMonth]:
    if not rows:
        return []
    stands = await standing(by.zone_id, rows)
    ids = {row.unit_id for row in rows}
    names: dict[Any, Any] = dict(await Unit.filter(zone_id=by.zone_id, id__in=ids).values_list("id", "name"))
    return [
        UnitMonth(
            row.unit_id,
            row.unit_path,
            names[row.unit_id],
            row.month,
            stands[row.month, row.unit_id],
            {name: getattr(row, name) for name in FIGURES},
            row.frozen_at,
        )
        for row in rows
    ]


async def restatements(
    *, by: Scope, month: date | None = None, after_id: UUID | None = None, limit: int = 50
) -> list[MonthRestatement]:
    """Newest first, after the restatement `after_id`; of one month or of all, within the caller's oversight."""
    mine = MonthRestatement.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
    mine = mine.filter(month=first_of(month)) if month else mine
    return await (mine.filter(id__lt=after_id) if after_id else mine).order_by("-id").limit(limit)


async def restated_between(since: date, until: date, *, by: Scope, limit: int) -> list[MonthRestatement]:
    """Of the months from that of `since` to that of `until`, in the order in which they were stated."""
    mine = MonthRestatement.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
    return await mine.filter(month__gte=first_of(since), month__lt=after(until)).order_by("id").limit(limit)


async def every_figure(since: date, until: date, *, by: Scope) -> AsyncIterator[UnitMonth]:
    """Of the months from that of `since` to that of `until`, month by month."""
    for month in months_between(first_of(since), after(until)):
        path: str | None = ""
        while path is not None:
            page = await figures(by=by, month=month, after_path=path, limit=AT_ONCE)
            for row in page:
                yield row
            path = page[-1].unit_path if len(page) == AT_ONCE else None
