"""Plans of look-backs, made by oversight."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.base import audit, clock
from models.base.database import atomic
from models.base.errors import Conflict, Fault, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.lookbacks.populations import Population, pool_of
from models.lookbacks.tables import LookbackPlan, Strata
from models.organization import Unit

MOST_VISITS = 1_000
MOST_INSPECTORS = 200


class PlanFacts(BaseModel):
    """What a plan says: from what, how many, shared out by what, by whom, until when."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=120, description="计划名称。", examples=["2026年上半年回头看"])
    population: Population = Field(description="从哪些已销号事项中抽取。")
    count: int | None = Field(None, ge=1, le=MOST_VISITS, description="抽取件数；与比例二选一。", examples=[30])
    percent: int | None = Field(None, ge=1, le=100, description="抽取比例（%）；与件数二选一。", examples=[10])
    strata: Strata | None = Field(None, description="按单位或清单分层抽取；不填则不分层。")
    inspectors: tuple[UUID, ...] = Field(
        (), max_length=MOST_INSPECTORS, description="检查人员库；不填则为全部检查人员。"
    )
    team: int = Field(1, ge=1, le=2, description="每件由几人检查。")
    visit_days: int = Field(10, ge=1, le=250, description="抽取后几个工作日内完成检查。")

    @model_validator(mode="after")
    def _count_or_percent(self) -> "PlanFacts":
        if (self.count is None) == (self.percent is None):
            raise ValueError("抽取件数和抽取比例请填一项，只填一项。")
        return self


@atomic()
async def plan(facts: PlanFacts, *, by: Scope) -> LookbackPlan:
    """Make a plan; the same again answers the one that exists.

    Raises Forbidden, NotFound (unit), Conflict (`plan_name_taken`), Invalid (`unit_needed`, `not_inspectors`).
    """
    path = await _root(facts.population.unit_id, by)
    existing = await LookbackPlan.get_or_none(zone_id=by.zone_id, name=facts.name)
    made = LookbackPlan(
        id=new_id(),
        zone_id=by.zone_id,
        unit_path=path,
        made_by=by.actor,
        made_at=clock.now(),
        **facts.model_dump(mode="json"),
    )
    if existing is not None:
        return _same(existing, made)
    await _refuse_strangers(by.zone_id, facts.inspectors)
    await made.save(force_create=True)
    await audit.record(by, "lookback.planned", ("lookback", made.id))
    return made


def _same(existing: LookbackPlan, wanted: LookbackPlan) -> LookbackPlan:
    said = (*PlanFacts.model_fields, "unit_path", "made_by")
    if any(getattr(existing, name) != getattr(wanted, name) for name in said):
        raise Conflict("plan_name_taken", f"已有名为「{existing.name}」的回头看计划，请换一个名称。")
    return existing


async def _root(unit_id: UUID | None, by: Scope) -> str:
    by.require(Role.OVERSIGHT)
    if unit_id is None:
        roots = by.paths(Role.OVERSIGHT)
        top = min(roots, key=len)
        if not all(root.startswith(top) for root in roots):
            raise Invalid("unit_needed", "您负责监督几个互不隶属的单位，请选定其中一个。")
        return top
    unit = await Unit.get_or_none(zone_id=by.zone_id, id=unit_id)
    if unit is None or not by.may(Role.OVERSIGHT, path=unit.path):
        raise NotFound("unit_not_found", "没有找到这个单位，或者不在您的监督范围内。")
    return unit.path


async def _refuse_strangers(zone_id: UUID, people: tuple[UUID, ...]) -> None:
    known = {inspector.person for inspector in await pool_of(zone_id, [*people])} if people else set()
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
