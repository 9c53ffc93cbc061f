"""Plans of look-backs, made by oversight."""

from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.base import audit, clock
from models.base.database import atomic
from models.base.errors import Conflict, Fault, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.lookbacks.populations import Population, inspectors_among, root_of
from models.lookbacks.revisiting import question_revisits
from models.lookbacks.saved import population_named
from models.lookbacks.tables import LookbackPlan, Strata

MOST_VISITS = 1_000
MOST_INSPECTORS = 200


class Terms(BaseModel):
    """How a plan draws: from what, how many, shared out by what, by whom, until when."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    population: Population | None = Field(None, description="从哪些已销号事项中抽取；与已保存的范围二选一。")
    saved: str | None = Field(
        None, min_length=1, max_length=80, description="已保存的范围的名称。", examples=["工程建设领域"]
    )
    count: int | None = Field(None, ge=1, le=MOST_VISITS, description="抽取件数；与比例二选一。", examples=[30])
    percent: int | None = Field(None, ge=1, le=100, description="抽取比例（%）；与件数二选一。", examples=[10])
    strata: Strata | None = Field(None, description="按单位、单位类别、清单或办理中的风险情况分层抽取；不填则不分层。")
    inspectors: tuple[UUID, ...] = Field(
        (), max_length=MOST_INSPECTORS, description="检查人员库；不填则为全部检查人员。"
    )
    team: int = Field(1, ge=1, le=2, description="每件由几人检查。")
    joint: bool = Field(False, description="真：同一单位抽到的各件由同一组一次查完，少跑一趟。")
    visit_days: int = Field(10, ge=1, le=250, description="抽取后几个工作日内完成检查。")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.count is None) == (self.percent is None):
            raise ValueError("抽取件数和抽取比例请填一项，只填一项。")
        if (self.population is None) == (self.saved is None):
            raise ValueError("抽取范围和已保存的范围请填一项，只填一项。")
        return self


class PlanFacts(Terms):
    """What a plan says: its name, how it draws, and why it visits again what was visited lately, if it does."""

    name: str = Field(min_length=1, max_length=120, description="计划名称。", examples=["2026年上半年回头看"])
    although_visited: str = Field(
        "", max_length=200, description="范围内有近期检查过的事项时，说明为什么仍要再查。", examples=["群众再次反映"]
    )


@atomic()
async def plan(facts: PlanFacts, *, by: Scope) -> LookbackPlan:
    """Make a plan; the same again answers the one that exists.

    Raises Forbidden, NotFound (`unit_not_found`, `campaign_not_found`, `population_not_found`), Conflict
    (`plan_name_taken`, `visited_lately`), Invalid (`unit_needed`, `not_inspectors`).
    """
    made = await unsaved(facts, by=by, name=facts.name, although_visited=facts.although_visited)
    existing = await LookbackPlan.get_or_none(zone_id=by.zone_id, name=facts.name)
    if existing is not None:
        return _same(existing, made)
    await question_revisits(made)
    await made.save(force_create=True)
    await audit.record(by, "lookback.planned", ("lookback", made.id))
    return made


async def unsaved(terms: Terms, *, by: Scope, name: str, although_visited: str = "") -> LookbackPlan:
    """The plan that these terms make, not stored: for a preview too. Raises as `plan`, but for the conflicts."""
    by.require(Role.OVERSIGHT)
    if terms.saved is not None:
        saved = await population_named(terms.saved, by=by)
        population: dict[str, Any] = saved.population
        path = saved.unit_path
    else:
        assert terms.population is not None
        path, population = await root_of(terms.population, by=by), terms.population.model_dump(mode="json")
    await _refuse_strangers(by.zone_id, terms.inspectors)
    said = {name: value for name, value in terms.model_dump(mode="json").items() if name in _KEPT}
    return LookbackPlan(
        id=new_id(),
        zone_id=by.zone_id,
        unit_path=path,
        made_by=by.actor,
        made_at=clock.now(),
        **{**said, "population": population, "name": name, "although_visited": although_visited},
    )


_KEPT = Terms.model_fields.keys() - {"population", "saved"}


def _same(existing: LookbackPlan, wanted: LookbackPlan) -> LookbackPlan:
    said = (*_KEPT, "name", "population", "although_visited", "unit_path", "made_by")
    if any(getattr(existing, name) != getattr(wanted, name) for name in said):
        raise Conflict("plan_name_taken", f"已有名为「{existing.name}」的回头看计划，请换一个名称。")
    return existing


async def _refuse_strangers(zone_id: UUID, people: tuple[UUID, ...]) -> None:
    known = {inspector.person for inspector in await inspectors_among(zone_id, [*people])} if people else set()
    faults = tuple(
        Fault(f"/inspectors/{place}", "not_an_inspector", "这位人员不在名册中，或者没有检查人员角色。")
        for place, person in enumerate(people)
        if person not in known
    )
    if faults:
        raise Invalid("not_inspectors", f"检查人员库中有 {len(faults)} 人不能参加检查。", faults=faults)


async def plans(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[LookbackPlan]:
    """Newest first, after the plan `after`; those within the caller's oversight."""
    mine = LookbackPlan.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
    return await (mine.filter(id__lt=after) if after else mine).order_by("-id").limit(limit)


async def plan_of(plan_id: UUID, *, by: Scope) -> LookbackPlan:
    """Raises NotFound outside the caller's oversight."""
    found = await LookbackPlan.get_or_none(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id, id=plan_id)
    if found is None:
        raise NotFound()
    return found
