"""What a plan would ask of people, before it is saved or drawn: counts and units, nobody's name. It does not draw."""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from models import escalations
from models.base import clock, database
from models.base.calendar import calendar_of
from models.base.scope import Scope
from models.deliveries import Notice
from models.escalations import Ahead
from models.ledger import ListKind
from models.lookbacks.drawing import Drawing, could_go, population_hash
from models.lookbacks.draws import inputs_of
from models.lookbacks.plans import Terms, plan_of, unsaved
from models.lookbacks.populations import Risk, population_of
from models.lookbacks.records import DrawInputs
from models.lookbacks.revisiting import UnitVisits, joint_proposal, revisits, visits_to_units
from models.lookbacks.tables import LookbackPlan, Strata
from models.organization.roster.words import KIND_WORDS


@dataclass(frozen=True)
class Stratum:
    """One stratum: `size` of the population, `share` to be drawn of it, `set_aside` that nobody may inspect."""

    name: str
    label: str
    size: int
    share: int
    set_aside: int


@dataclass(frozen=True)
class Burden(Ahead):
    """What a draw would send to inspectors in 7 days, beside what reaches them anyway."""

    advice: ClassVar[str] = "请考虑减少件数、增加检查人员，或者改天抽取。"


@dataclass(frozen=True)
class Preview:
    """What a draw would work on now.

    `count` of `size` items to be drawn, `set_aside` nobody may inspect; of `inspectors` in the pool `could_go`
    anywhere at all; the first `numbers`; `revisited` items that were visited within `revisit_days` or still wait;
    `units` visited often, and what is proposed for them; `by_visits`: visits of the draw → how many people, to be
    made by `due_on`. Who gets what is chance: these and the burden are those of one draw by a seed that is thrown away.
    """

    size: int
    population_hash: str
    count: int
    set_aside: int
    inspectors: int
    could_go: int
    strata: list[Stratum]
    numbers: list[str]
    revisited: int
    revisit_days: int
    units: list[UnitVisits]
    joint_proposal: str | None
    by_visits: dict[int, int]
    due_on: date
    burden: Burden


async def preview(plan_id: UUID, *, by: Scope) -> Preview:
    """Of a plan that is saved. Raises NotFound, Invalid (`population_too_large`, `too_many_visits`)."""
    return await _preview(await plan_of(plan_id, by=by))


async def preview_terms(terms: Terms, *, by: Scope) -> Preview:
    """Of a plan that is not saved. Raises as `plan`, but for what is in conflict with other plans, and as above."""
    return await _preview(await unsaved(terms, by=by, name=""))


async def _preview(plan: LookbackPlan) -> Preview:
    closed = await population_of(plan)
    inputs = await inputs_of(plan, closed.candidates)
    trial = await asyncio.to_thread(inputs.draw, secrets.token_hex(16))
    lately, paths = await revisits(plan), {candidate.item: candidate.unit_path for candidate in inputs.population}
    units = await visits_to_units(plan.zone_id, Counter(paths[drawn.item] for drawn in trial.assigned))
    visits = Counter(person for drawn in trial.assigned for person in drawn.inspectors)
    return Preview(
        size=len(inputs.population),
        population_hash=population_hash(inputs.population),
        count=len(trial.assigned),
        set_aside=len(trial.set_aside),
        inspectors=len(inputs.inspectors),
        could_go=len(could_go(inputs.population, inputs.inspectors)),
        strata=await _strata(plan, inputs, trial),
        numbers=closed.numbers,
        revisited=lately.total,
        revisit_days=lately.days,
        units=units,
        joint_proposal=joint_proposal(units, joint=plan.joint),
        by_visits=dict(sorted(Counter(visits.values()).items())),
        due_on=(await calendar_of(plan.zone_id)).add_working_days(clock.today(), plan.visit_days),
        burden=await _burden(plan.zone_id, [*visits]),
    )


async def _burden(zone_id: UUID, people: list[UUID]) -> Burden:
    """One reminder a person for all their visits, as a draw sends them."""
    now = clock.now()
    return Burden(**vars(await escalations.ahead(zone_id, [Notice(person, now) for person in people])))


async def _strata(plan: LookbackPlan, inputs: DrawInputs, trial: Drawing) -> list[Stratum]:
    """In the order of their names; none where the plan has no strata. Shares depend on no seed, but for ties."""
    if plan.strata is None:
        return []
    of = {candidate.item: candidate.stratum for candidate in inputs.population}
    sizes, aside = Counter(of.values()), Counter(of[item] for item in trial.set_aside)
    shares = Counter(of[drawn.item] for drawn in trial.assigned)
    labels = await _labels(plan, [*sizes])
    return [Stratum(name, labels.get(name, name), sizes[name], shares[name], aside[name]) for name in sorted(sizes)]


async def _labels(plan: LookbackPlan, names: list[str]) -> dict[str, str]:
    match plan.strata:
        case Strata.UNIT:
            units = "select path, name from unit where zone_id = $1 and path = any($2)"
            return {row["path"]: row["name"] for row in await database.fetch(units, plan.zone_id, names)}
        case Strata.KIND:
            return {kind.value: word for kind, word in KIND_WORDS.items()}
        case Strata.LIST:
            return {kind.value: kind.label for kind in ListKind}
    return {risk.value: risk.label for risk in Risk}
