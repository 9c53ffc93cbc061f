"""No visit for the visit's sake (domain.md §5): what was visited lately is questioned, visits to one unit are joined.

Lately is within the zone's `revisit_days`; a visit that still waits counts too. Never by person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models import organization
from models.base import clock, database
from models.base.errors import Conflict
from models.lookbacks.populations import CHOSEN, chosen
from models.lookbacks.tables import LookbackPlan

SHOWN = 5
MANY = 3
"""Visits to one unit, by this draw and lately, from which on a joint visit is proposed."""
MOST_UNITS = 20


@dataclass(frozen=True)
class Revisits:
    """Of a plan's population what was visited within `days`: how many items, and the first by number.

    `shown`: `{number, visited_at}`, the latter None for a visit that still waits.
    """

    days: int
    total: int
    shown: list[dict[str, Any]]


VISITED = f"""
select i.number, max(v.recorded_at) as visited_at, count(*) over () as total
from item i join visit v on v.zone_id = $1 and v.item_id = i.id and (v.recorded_at is null or v.recorded_at >= $9)
where {CHOSEN} group by i.id, i.number order by i.number limit $10
"""  # noqa: S608 — ours


async def revisits(plan: LookbackPlan) -> Revisits:
    """What the plan may draw although it was visited lately."""
    days, since = await _lately(plan.zone_id)
    rows = await database.fetch(VISITED, *chosen(plan), since, SHOWN) if days else []
    shown = [{"number": row["number"], "visited_at": row["visited_at"]} for row in rows]
    return Revisits(days, rows[0]["total"] if rows else 0, shown)


async def question_revisits(plan: LookbackPlan) -> None:
    """Raises Conflict (`visited_lately`), naming some, unless the plan says why they are visited again."""
    if plan.although_visited:
        return
    found = await revisits(plan)
    if found.total:
        numbers = "、".join(one["number"] for one in found.shown) + ("等" if found.total > SHOWN else "")
        raise Conflict(
            "visited_lately",
            f"范围内有 {found.total} 件事项近 {found.days} 天内检查过，或者正等待检查（{numbers}）。"
            "请排除近期检查过的事项，或者说明为什么仍要再查。",
            visited=[{**one, "visited_at": _iso(one["visited_at"])} for one in found.shown],
            total=found.total,
            days=found.days,
        )


def _iso(instant: datetime | None) -> str | None:
    return clock.local(instant).isoformat() if instant else None


async def _lately(zone_id: UUID) -> tuple[int, datetime]:
    days = (await organization.settings_of(zone_id)).revisit_days
    return days, clock.at(clock.today() - timedelta(days=days))


async def rested(plan: LookbackPlan) -> dict[str, Any]:
    """The plan's filter without what was visited lately, unless it says itself how long items rest."""
    days = (await organization.settings_of(plan.zone_id)).revisit_days
    if plan.population.get("rested_days") or not days:
        return plan.population
    return {**plan.population, "rested_days": days}


@dataclass(frozen=True)
class UnitVisits:
    """How often a unit is visited: by this draw about, lately, and by visits that wait (of whatever plan)."""

    path: str
    name: str
    drawn: int
    lately: int
    waiting: int


OF_UNITS = """
select u.path, u.name, count(v.recorded_at) as lately, count(v.id) - count(v.recorded_at) as waiting
from unit u left join visit v on v.zone_id = $1 and v.unit_path = u.path
  and (v.recorded_at is null or v.recorded_at >= $3)
where u.zone_id = $1 and u.path = any($2) group by u.path, u.name order by u.path
"""


async def visits_to_units(zone_id: UUID, drawn: dict[str, int]) -> list[UnitVisits]:
    """Of those `drawn` (path → visits of the draw at hand) the units visited often, in the tree's order; at most 20."""
    _, since = await _lately(zone_id)
    rows = await database.fetch(OF_UNITS, zone_id, [*drawn], since)
    found = [UnitVisits(drawn=drawn[row["path"]], **row) for row in rows]
    return [unit for unit in found if unit.drawn + unit.lately + unit.waiting >= MANY][:MOST_UNITS]


def joint_proposal(units: list[UnitVisits], *, joint: bool) -> str | None:
    """What to say to the office where one unit would be visited again and again."""
    again = [unit for unit in units if unit.waiting or (unit.drawn > 1 and not joint)]
    if not again:
        return None
    names = "、".join(unit.name for unit in again[:SHOWN]) + ("等" if len(again) > SHOWN else "")
    return f"{names}将被多次检查。建议合并为联合检查，同一单位的各件由同一组一次查完，并与正等待的检查安排在同一天。"
