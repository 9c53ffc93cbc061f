"""The draw of a plan: drawn once, kept with everything that it was made from.

By hand the seed is called out, or the machine's. A series draws in two steps (docs/adr/0021): what it draws from is
frozen and written to the log, then the block that seals this gives the seed, which nobody could know before.
"""

import asyncio
import math
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint
from tortoise.queryset import QuerySet

from models import reminders
from models.base import audit, clock, database
from models.base.calendar import calendar_of
from models.base.database import Row, atomic, locked
from models.base.errors import Conflict, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.lookbacks.drawing import Candidate, population_hash
from models.lookbacks.plans import MOST_VISITS, plan_of
from models.lookbacks.populations import pool_of, population_of
from models.lookbacks.records import FROZEN, DrawInputs, DrawRecord, SeedFrom
from models.lookbacks.revisiting import question_revisits
from models.lookbacks.tables import LookbackDraw, LookbackPlan, Visit
from models.reminders import ReminderKind

STUCK = timedelta(minutes=10)
"""A seed comes within seconds; a draw that has none by then may be drawn by hand, and others go on."""


class FrozenDraw(Row):
    """`inputs` (a `DrawInputs`) as they stand in the log before anybody can know the seed that the log will give.

    `after_height` is the log's last block before; `drawn_at` is null while the seed is awaited.
    """

    plan_id = fields.UUIDField()
    inputs: dict[str, Any] = fields.JSONField()
    inputs_hash = fields.CharField(max_length=64)
    after_height = fields.BigIntField()
    frozen_at = fields.DatetimeField()
    drawn_at = fields.DatetimeField(null=True)

    class Meta:
        table = "lookback_frozen"
        constraints = [UniqueConstraint(fields=("zone_id", "plan_id"), name="lookback_frozen_once")]
        indexes = [Index(fields=("zone_id", "drawn_at"), name="lookback_frozen_awaiting")]


async def inputs_of(plan: LookbackPlan, population: list[Candidate]) -> DrawInputs:
    """All that a draw of the plan is made from now. Raises Invalid (`too_many_visits`)."""
    pool = await pool_of(plan)
    count = _count(plan, population)
    how = {"count": count, "team": plan.team, "joint": plan.joint}
    return await asyncio.to_thread(DrawInputs.of, population, pool, **how)


def _count(of: LookbackPlan, population: list[Candidate]) -> int:
    count = of.count or math.ceil(len(population) * (of.percent or 0) / 100)
    if count > MOST_VISITS:
        raise Invalid("too_many_visits", f"一次最多抽取 {MOST_VISITS} 件，现在会抽到 {count} 件。请缩小范围或比例。")
    return count


@atomic()
async def draw_visits(
    plan_id: UUID,
    *,
    by: Scope,
    seed: str | None = None,
    expected_hash: str | None = None,
    although_visited: str = "",
) -> LookbackDraw:
    """Draw the plan's visits and ask the inspectors; once: the same again answers the draw that exists.

    `seed` may be a number called out in public; without one it is 128 random bits. `expected_hash` is the population
    that was previewed; `although_visited` says why items visited lately are visited again, where the plan does not.
    Raises NotFound, Conflict (`already_drawn`, `being_drawn`, `population_changed`, `visited_lately`,
    `nothing_to_draw`), Invalid.
    """
    mine = LookbackPlan.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
    drawn = await locked(mine, plan_id)
    if drawn.drawn_at is not None:
        return _once(await LookbackDraw.get(zone_id=by.zone_id, plan_id=plan_id), seed)
    if await _awaiting(by.zone_id).filter(plan_id=plan_id).exists():
        raise Conflict("being_drawn", "这份计划的范围已经封存，系统将在几秒内自动抽取。请稍后再看。")
    drawn.although_visited = drawn.although_visited or although_visited.strip()
    await question_revisits(drawn)
    inputs = await _inputs(drawn, expected_hash)
    seed_from = SeedFrom.CALLED if seed else SeedFrom.MACHINE
    record = await asyncio.to_thread(inputs.drawn, seed or secrets.token_hex(16), seed_from)
    return await _carry_out(drawn, record, by)


def _once(existing: LookbackDraw, seed: str | None) -> LookbackDraw:
    if seed not in (None, existing.seed):
        raise Conflict("already_drawn", "这份计划已经抽取过，不能换种子重抽。如需另抽，请新建计划。")
    return existing


async def _inputs(of: LookbackPlan, expected_hash: str | None = None) -> DrawInputs:
    await _one_at_a_time(of.zone_id)
    population = (await population_of(of)).candidates
    found = population_hash(population)
    if expected_hash not in (None, found):
        raise Conflict(
            "population_changed",
            f"预览之后，范围内的已销号事项有变化，现在是 {len(population)} 件。请重新预览后再抽取。",
            population_hash=found,
        )
    inputs = await inputs_of(of, population)
    if not (await asyncio.to_thread(inputs.draw, "")).assigned:
        raise Conflict(
            "nothing_to_draw", "没有可抽取的事项：范围内没有已销号事项，或者没有合适的检查人员（须回避本单位）。"
        )
    return inputs


async def _one_at_a_time(zone_id: UUID) -> None:
    """Until the transaction ends no other draw of the zone begins: each sees the visits of the one before."""
    await database.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", [f"draw:{zone_id}"])


async def may_freeze(zone_id: UUID) -> bool:
    """Whether no draw awaits its seed, whose visits the next one should see; one that is stuck holds up none for long.

    Until the running transaction ends nobody else freezes.
    """
    await _one_at_a_time(zone_id)
    return not await _awaiting(zone_id).exists()


def _awaiting(zone_id: UUID) -> "QuerySet[FrozenDraw]":
    """Draws whose seed should come any moment."""
    return FrozenDraw.filter(zone_id=zone_id, drawn_at__isnull=True, frozen_at__gte=clock.now() - STUCK)


async def freeze(of: LookbackPlan, *, by: Scope) -> None:
    """Write to the log what the plan will be drawn from, with the running transaction. Raises as a draw does."""
    inputs = await _inputs(of)
    head = await audit.head_of(of.zone_id)
    frozen = await FrozenDraw.create(
        id=new_id(),
        zone_id=of.zone_id,
        plan_id=of.id,
        inputs=inputs.model_dump(mode="json"),
        inputs_hash=inputs.hash(),
        after_height=head.height if head else 0,
        frozen_at=clock.now(),
    )
    facts = {"inputs": frozen.inputs_hash, "population": population_hash(inputs.population)}
    await audit.record(by, FROZEN, ("lookback", of.id), **facts)


async def frozen_plans(zone_id: UUID) -> list[UUID]:
    """Plans whose frozen inputs wait for the seed, the oldest first; at most 50."""
    waiting = FrozenDraw.filter(zone_id=zone_id, drawn_at__isnull=True).order_by("id").limit(50)
    return await waiting.values_list("plan_id", flat=True)  # type: ignore[return-value]


@atomic()
async def draw_frozen(zone_id: UUID, plan_id: UUID) -> LookbackDraw | None:
    """Draw what was frozen by the hash of the block that seals this; None while it is not sealed, or if it is drawn."""
    of = await locked(LookbackPlan.filter(zone_id=zone_id), plan_id)
    frozen = await FrozenDraw.get(zone_id=zone_id, plan_id=plan_id)
    if of.drawn_at is not None:
        await _settle(frozen, of)  # by hand, after it was stuck
        return None
    block = await audit.sealed_by(zone_id, FROZEN, plan_id, after=frozen.after_height)
    if block is None:
        return None
    inputs = DrawInputs.model_validate(frozen.inputs)
    record = await asyncio.to_thread(inputs.drawn, bytes(block.hash).hex(), SeedFrom.LOG)
    kept = await _carry_out(of, record, Scope.system(zone_id))
    await _settle(frozen, of)
    return kept


async def _settle(frozen: FrozenDraw, of: LookbackPlan) -> None:
    frozen.drawn_at = of.drawn_at
    await frozen.save(update_fields=["drawn_at"])


async def _carry_out(of: LookbackPlan, record: DrawRecord, by: Scope) -> LookbackDraw:
    visits = await _visits(of, record)
    of.drawn_at = clock.now()
    await of.save(update_fields=["drawn_at", "although_visited"])
    kept = await _keep(of, record, by)
    await _tell(of, visits)
    return kept


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
    facts = {
        "seed": kept.seed,
        "seed_from": record.seed_from.value,
        "inputs": record.inputs_hash,
        "population": kept.population_hash,
        "visits": len(record.drawing.assigned),
        "although_visited": bool(of.although_visited),
    }
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
