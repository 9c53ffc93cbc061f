"""Freezing what has ended, and saying afterwards what has become another figure."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from models import organization
from models.base import audit, clock, database
from models.base.database import atomic
from models.base.ids import new_id
from models.base.scope import Scope
from models.months.counting import Counted, after, count, first_of, months_between
from models.months.tables import FIGURES, MonthFigure, MonthRestatement
from models.organization import Unit

RESTATED_MONTHS = 24
"""How far back is looked for what has become another figure."""


@atomic()
async def freeze(zone_id: UUID) -> list[date]:
    """Freeze every month that has ended and is not frozen, back to the zone's first; which ones were. May be repeated.

    Of every unit there is, so that a month in which nothing happened is frozen too.
    """
    await one_at_a_time(zone_id)
    zone = await organization.zone_of(zone_id)
    last = await MonthFigure.filter(zone_id=zone_id).order_by("-month").first()
    begins = after(last.month) if last else first_of(clock.local(zone.created_at).date())
    ends = first_of(clock.today())
    units = await Unit.filter(zone_id=zone_id).order_by("id").values_list("id", "path")
    if begins >= ends or not units:
        return []
    counted, months = await count(zone_id, begins, ends), [*months_between(begins, ends)]
    for month in months:
        await MonthFigure.bulk_create(
            _frozen(zone_id, month, unit_id, path, counted.get((month, unit_id), {})) for unit_id, path in units
        )
        await audit.record(Scope.system(zone_id), "month.frozen", ("zone", zone_id), month=month, units=len(units))
    return months


def _frozen(zone_id: UUID, month: date, unit_id: UUID, path: str, counted: dict[str, int]) -> MonthFigure:
    of_unit = {"zone_id": zone_id, "month": month, "unit_id": unit_id, "unit_path": path}
    figures = dict.fromkeys(FIGURES, 0) | counted
    return MonthFigure(id=new_id(), frozen_at=clock.now(), **of_unit, **figures)


@atomic()
async def restate(zone_id: UUID) -> int:
    """Say of every frozen figure of the last two years that is another one by now what it became; how many are."""
    await one_at_a_time(zone_id)
    since = first_of(clock.today() - timedelta(days=31 * RESTATED_MONTHS))
    frozen = await MonthFigure.filter(zone_id=zone_id, month__gte=since)
    if not frozen:
        return 0
    months = {row.month for row in frozen}
    stands, counted = await standing(zone_id, frozen), await count(zone_id, min(months), after(max(months)))
    paths = dict(await Unit.filter(zone_id=zone_id).values_list("id", "path"))
    made = [
        MonthRestatement(
            id=new_id(),
            zone_id=zone_id,
            month=month,
            unit_id=unit_id,
            unit_path=paths[unit_id],
            why=await _why(zone_id, month, unit_id, figure),
            stated_at=clock.now(),
            **changed,
        )
        for month, unit_id in sorted(stands.keys() | counted.keys())
        if month in months
        for figure, changed in _changed(stands.get((month, unit_id), {}), counted.get((month, unit_id), {}))
    ]
    await MonthRestatement.bulk_create(made)
    if made:
        await audit.record(Scope.system(zone_id), "month.restated", ("zone", zone_id), figures=len(made))
    return len(made)


def _changed(stands: dict[str, int], counted: dict[str, int]) -> Iterable[tuple[str, dict[str, Any]]]:
    for figure in FIGURES:
        was, became = stands.get(figure, 0), counted.get(figure, 0)
        if was != became:
            yield figure, {"figure": figure, "was": was, "became": became}


async def standing(zone_id: UUID, frozen: Sequence[MonthFigure]) -> Counted:
    """The frozen figures with what was restated of them."""
    stands: Counted = {(row.month, row.unit_id): {name: getattr(row, name) for name in FIGURES} for row in frozen}
    months = {row.month for row in frozen}
    restated = MonthRestatement.filter(zone_id=zone_id, month__in=months, unit_id__in={row.unit_id for row in frozen})
    for row in await restated.order_by("id"):
        stands.setdefault((row.month, row.unit_id), dict.fromkeys(FIGURES, 0))[row.figure] = row.became
    return stands


RELAPSED = """
select i.number from cycle was
join item i on i.zone_id = $1 and i.id = was.item_id and i.unit_id = $2
join cycle again on again.zone_id = $1 and again.item_id = was.item_id and again.number = was.number + 1
  and again.opening = 'relapse'
where was.zone_id = $1 and was.closed_at >= $3 and was.closed_at < $4
order by again.opened_at desc limit 10
"""


async def _why(zone_id: UUID, month: date, unit_id: UUID, figure: str) -> str:
    if figure != "relapsed":
        return "冻结之后，这个月的数据有变化。"
    rows = await database.fetch(RELAPSED, zone_id, unit_id, clock.at(month), clock.at(after(month)))
    return f"销号之后，回头看发现反弹：{'、'.join(row['number'] for row in rows)}。"


async def one_at_a_time(zone_id: UUID) -> None:
    await database.fetch("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"months:{zone_id}")
