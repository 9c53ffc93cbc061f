"""The draw of a plan: previewed, drawn once, kept with everything that it was made from."""

import asyncio
import math
import secrets
from dataclasses import dataclass
from uuid import UUID

from models import reminders
from models.base import audit, clock
from models.base.calendar import calendar_of
from models.base.database import atomic, locked
from models.base.errors import Conflict, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.lookbacks.drawing import Candidate, DrawRecord, draw, population_hash
from models.lookbacks.plans import MOST_VISITS, plan_of
from models.lookbacks.populations import pool_of, population_of
from models.lookbacks.tables import LookbackDraw, LookbackPlan, Visit
from models.reminders import ReminderKind


@dataclass(frozen=True)
class Preview:
    """What a draw would work on now: `size` of the population, `count` to be drawn, `set_aside` nobody may inspect."""

    size: int
    population_hash: str
    count: int
    set_aside: int
    inspectors: int


async def preview(plan_id: UUID, *, by: Scope) -> Preview:
    """How large the population is, and what a draw would give in number. It does not draw.

    Raises NotFound, Invalid (`population_too_large`, `too_many_visits`).
    """
    asked = await plan_of(plan_id, by=by)
    population, pool = await population_of(asked), await pool_of(by.zone_id, _people(asked))
    aside = len((await asyncio.to_thread(draw, population, pool, "", count=0, team=asked.team)).set_aside)
    count = min(_count(asked, population), len(population) - aside)
    return Preview(len(population), population_hash(population), count, aside, len(pool))


def _people(of: LookbackPlan) -> list[UUID]:
    return [UUID(person) for person in of.inspectors]


def _count(of: LookbackPlan, population: list[Candidate]) -> int:
    count = of.count or math.ceil(len(population) * (of.percent or 0) / 100)
    if count > MOST_VISITS:
        raise Invalid("too_many_visits", f"一次最多抽取 {MOST_VISITS} 件，现在会抽到 {count} 件。请缩小范围或比例。")
    return count


@atomic()
async def draw_visits(
    plan_id: UUID, *, by: Scope, seed: str | None = None, expected_hash: str | None = None
) -> LookbackDraw:
    """Draw the plan's visits and ask the inspectors; once: the same again answers the draw that exists.

    `seed` may be a number called out in public; without one it is 128 random bits. `expected_hash` is the population
    that was previewed. Raises NotFound, Conflict (`already_drawn`, `population_changed`, `nothing_to_draw`), Invalid.
    """
    mine = LookbackPlan.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
    drawn = await locked(mine, plan_id)
    if drawn.drawn_at is not None:
        return _once(await LookbackDraw.get(zone_id=by.zone_id, plan_id=plan_id), seed)
    record = await _record(drawn, seed or secrets.token_hex(16), expected_hash)
    visits = await _visits(drawn, record)
    drawn.drawn_at = clock.now()
    await drawn.save(update_fields=["drawn_at"])
    kept = await _keep(drawn, record, by)
    await _tell(drawn, visits)
    return kept


def _once(existing: LookbackDraw, seed: str | None) -> LookbackDraw:
    if seed not in (None, existing.seed):
        raise Conflict("already_drawn", "这份计划已经抽取过，不能换种子重抽。如需另抽，请新建计划。")
    return existing


async def _record(of: LookbackPlan, seed: str, expected_hash: str | None) -> DrawRecord:
    population, pool = await population_of(of), await pool_of(of.zone_id, _people(of))
    found = population_hash(population)
    if expected_hash not in (None, found):
        raise Conflict(
            "population_changed",
            f"预览之后，范围内的已销号事项有变化，现在是 {len(population)} 件。请重新预览后再抽取。",
            population_hash=found,
        )
    count = _count(of, population)
    record = await asyncio.to_thread(DrawRecord.of, population, pool, seed, count=count, team=of.team)
    if not record.drawing.assigned:
        raise Conflict(
            "nothing_to_draw", "没有可抽取的事项：范围内没有已销号事项，或者没有合适的检查人员（须回避本单位）。"
        )
    return record


async def _visits(of: LookbackPlan, record: DrawRecord) -> list[Visit]:
    paths = {candidate.item: candidate.unit_path for candidate in record.population}
    due_on = (await calendar_of(of.zone_id)).add_working_days(clock.today(), of.visit_days)
    visits = [
        Visit(
            id=new_id(),
            zone_id=of.zone_id,
            plan_id=of.id,
            item_id=drawn.item,
            cycle=drawn.cycle,
            unit_path=paths[drawn.item],
            inspector_id=drawn.inspectors[0],
            second_inspector_id=drawn.inspectors[1] if of.team == 2 else None,
            due_on=due_on,
        )
        for drawn in record.drawing.assigned
    ]
    await Visit.bulk_create(visits)
    return visits


async def _keep(of: LookbackPlan, record: DrawRecord, by: Scope) -> LookbackDraw:
    kept = await LookbackDraw.create(
        id=new_id(),
        zone_id=of.zone_id,
        plan_id=of.id,
        seed=record.seed,
        population_hash=record.population_hash,
        population_size=len(record.population),
        set_aside=len(record.drawing.set_aside),
        record=record.model_dump(mode="json"),
        drawn_by=by.actor,
        drawn_at=of.drawn_at,
    )
    facts = {"seed": kept.seed, "population": kept.population_hash, "visits": len(record.drawing.assigned)}
    await audit.record(by, "lookback.drawn", ("lookback", of.id), **facts)
    return kept


async def _tell(of: LookbackPlan, visits: list[Visit]) -> None:
    """One reminder a person for all their visits of the plan: the list is in the mini-program."""
    due_on = visits[0].due_on
    for person in sorted({person for visit in visits for person in visit.team}):
        await reminders.remind(
            of.zone_id,
            person,
            ReminderKind.VISIT_ASSIGNED,
            subject=("lookback", of.id),
            summary=f"「{of.name}」已抽定，有分给您的检查，请在{due_on.month}月{due_on.day}日前完成。",
            due_on=due_on,
            key=f"lookback:{of.id}:{person}",
        )


async def draw_of(plan_id: UUID, *, by: Scope) -> LookbackDraw:
    """The plan's draw. Raises NotFound, also before it is drawn."""
    found = await LookbackDraw.get_or_none(zone_id=by.zone_id, plan_id=(await plan_of(plan_id, by=by)).id)
    if found is None:
        raise NotFound("not_drawn", "这份计划还没有抽取。")
    return found
