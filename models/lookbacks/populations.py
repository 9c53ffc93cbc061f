"""What a plan draws from: closed items by a saved filter, and the pool of inspectors as it stands today."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models import ledger
from models.base import clock, database
from models.base.errors import Invalid, NotFound
from models.base.scope import Role, Scope
from models.base.stated import Day
from models.ledger import ListKind
from models.lookbacks.drawing import Candidate, Inspector
from models.lookbacks.recusals import apart
from models.lookbacks.tables import LookbackPlan, Strata
from models.organization import Unit

LARGEST_POPULATION = 20_000


class Risk(StrEnum):
    """How an item went until it was closed; nothing is judged of anybody (docs/adr/0021).

    `high`: it relapsed before, or climbed to level 3. `raised`: it was returned, or a step other than the reminder
    before its deadline was taken. `usual`: neither.
    """

    HIGH = "high"
    RAISED = "raised"
    USUAL = "usual"

    @property
    def label(self) -> str:
        """As the office says it."""
        return {"high": "较高", "raised": "一般", "usual": "较低"}[self.value]


class Population(BaseModel):
    """A filter over closed items; what is left out does not narrow. Days are Shanghai's, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    unit_id: UUID | None = Field(None, description="单位，含其下级；不填则为您负责监督的整个范围。")
    campaign_id: UUID | None = Field(None, description="台账。")
    list: ListKind | None = Field(None, description="清单：任务、责任或问题。")
    area: str | None = Field(None, description="领域。", min_length=1, max_length=32, examples=["工程建设"])
    closed_from: Day | None = Field(None, description="销号日期不早于。", examples=["2026-01-01"])
    closed_until: Day | None = Field(None, description="销号日期不晚于。", examples=["2026-06-30"])
    closed_days: int | None = Field(
        None, ge=1, le=3650, description="抽取前多少天内销号的；定期抽取时用它代替日期。", examples=[90]
    )
    rested_days: int | None = Field(
        None, ge=1, le=3650, description="多少天内检查过、或者正等待检查的不再抽取。", examples=[90]
    )


async def root_of(population: Population, *, by: Scope) -> str:
    """The path of the unit below which it lies; the caller's whole oversight where it names none.

    Raises Forbidden, NotFound (`unit_not_found`, `campaign_not_found`), Invalid (`unit_needed`).
    """
    by.require(Role.OVERSIGHT)
    if population.campaign_id is not None:
        await _refuse_unknown_campaign(population.campaign_id, by)
    if population.unit_id is None:
        return _whole(by)
    unit = await Unit.get_or_none(zone_id=by.zone_id, id=population.unit_id)
    if unit is None or not by.may(Role.OVERSIGHT, path=unit.path):
        raise NotFound("unit_not_found", "没有找到这个单位，或者不在您的监督范围内。")
    return unit.path


async def _refuse_unknown_campaign(campaign_id: UUID, by: Scope) -> None:
    try:
        await ledger.campaign_of(campaign_id, by=by)
    except NotFound as unknown:
        raise NotFound("campaign_not_found", "没有找到这本台账。") from unknown


def _whole(by: Scope) -> str:
    roots = by.paths(Role.OVERSIGHT)
    top = min(roots, key=len)
    if not all(root.startswith(top) for root in roots):
        raise Invalid("unit_needed", "您负责监督几个互不隶属的单位，请选定其中一个。")
    return top


CHOSEN = """
i.zone_id = $1 and i.state = 'closed' and starts_with(i.unit_path, $2)
  and ($3::uuid is null or i.campaign_id = $3) and ($4::text is null or i.list = $4)
  and ($5::text is null or i.area = $5)
  and ($6::timestamptz is null or i.closed_at >= $6) and ($7::timestamptz is null or i.closed_at < $7)
  and ($8::timestamptz is null or not exists (
    select from visit v where v.zone_id = $1 and v.item_id = i.id and (v.recorded_at is null or v.recorded_at >= $8)))
"""
"""What a plan's filter holds; `chosen` gives the parameters."""

CLOSED = f"""
select i.id as item, i.cycle, i.number, i.unit_path, i.list, u.kind,
  case when i.cycle > 1 or past.level >= 3 then 'high' when past.returned > 0 or past.level >= 0 then 'raised'
    else 'usual' end as risk,
  (select coalesce(array_agg(distinct person order by person), '{{}}') from cycle c
   cross join lateral unnest(array[c.owner_id, c.requested_by, c.unit_reviewed_by, c.overseen_by]) person
   where c.zone_id = $1 and c.item_id = i.id and person is not null) as barred
from item i join unit u on u.id = i.unit_id
left join lateral (select
  (select max(t.level) from escalation_timer t where t.zone_id = $1 and t.item_id = i.id and t.state = 'fired'
    and t.condition <> 'days_to_due') as level,
  (select sum(c.returned_times) from cycle c where c.zone_id = $1 and c.item_id = i.id) as returned) past on $10
where {CHOSEN} order by i.id limit $9
"""  # noqa: S608 — ours

POOL = """
with apart as (
  select person_id as person, other_id as other from recusal where zone_id = $1 and ended_at is null
  union select other_id, person_id from recusal where zone_id = $1 and ended_at is null)
select p.id as person,
  (select array_agg(u.path order by u.path) from role_grant g join unit u on u.id = g.unit_id
   where g.zone_id = $1 and g.person_id = p.id and g.role = 'inspector') as covers,
  (select coalesce(array_agg(distinct u.path order by u.path), '{}') from appointment a
   join post on post.id = a.post_id join unit u on u.id = post.unit_id
   where a.zone_id = $1 and (a.person_id = p.id or a.person_id in (select other from apart where person = p.id))
     and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3) as own,
  (select count(*) from visit v where v.zone_id = $1 and v.recorded_at is null
   and (v.inspector_id = p.id or v.second_inspector_id = p.id)) as load
from person p
where p.zone_id = $1 and p.active and (cardinality($2::uuid[]) = 0 or p.id = any($2::uuid[]))
  and exists (select from role_grant g where g.zone_id = $1 and g.person_id = p.id and g.role = 'inspector')
order by p.id
"""
BY = {Strata.UNIT: "unit_path", Strata.KIND: "kind", Strata.LIST: "list", Strata.RISK: "risk"}


def chosen(plan: LookbackPlan) -> list[Any]:
    """The parameters of `CHOSEN` for what the plan's filter holds now."""
    wanted, today = Population.model_validate(plan.population), clock.today()
    since = [wanted.closed_from] if wanted.closed_from else []
    if wanted.closed_days:
        since.append(today - timedelta(days=wanted.closed_days))
    return [
        plan.zone_id,
        plan.unit_path,
        wanted.campaign_id,
        wanted.list,
        wanted.area,
        clock.at(max(since)) if since else None,
        clock.at(wanted.closed_until + timedelta(days=1)) if wanted.closed_until else None,
        clock.at(today - timedelta(days=wanted.rested_days)) if wanted.rested_days else None,
    ]


@dataclass(frozen=True)
class Closed:
    """What the filter holds: the candidates by id, and the numbers of the first items."""

    candidates: list[Candidate]
    numbers: list[str]


async def population_of(plan: LookbackPlan) -> Closed:
    """The closed items that the plan's filter holds now, by id. Raises Invalid (`population_too_large`)."""
    by_risk = plan.strata is Strata.RISK
    rows = await database.fetch(CLOSED, *chosen(plan), LARGEST_POPULATION + 1, by_risk)
    if len(rows) > LARGEST_POPULATION:
        raise Invalid("population_too_large", f"范围内的已销号事项超过 {LARGEST_POPULATION} 件，请缩小范围后再抽取。")
    strata, away = BY[plan.strata] if plan.strata else None, await apart(plan.zone_id)
    candidates = [
        Candidate(
            item=row["item"],
            cycle=row["cycle"],
            unit_path=row["unit_path"],
            stratum=row[strata] if strata else "",
            barred=_barred(row["barred"], away),
        )
        for row in rows
    ]
    return Closed(candidates, [row["number"] for row in rows[:SHOWN]])


SHOWN = 10
"""Numbers of items that a preview shows of what a filter holds."""


def _barred(handled: list[UUID], away: dict[UUID, frozenset[UUID]]) -> tuple[UUID, ...]:
    if away.keys().isdisjoint(handled):
        return tuple(handled)
    return tuple(sorted({*handled}.union(*(away.get(person, ()) for person in handled))))


async def pool_of(plan: LookbackPlan) -> list[Inspector]:
    """The plan's inspectors (none named: of the whole zone) who are in the roster and hold the role, by id."""
    return await inspectors_among(plan.zone_id, [UUID(str(person)) for person in plan.inspectors])


async def inspectors_among(zone_id: UUID, people: list[UUID]) -> list[Inspector]:
    """Those of `people` (none: of everybody) who are in the roster and hold the role inspector, by id."""
    rows = await database.fetch(POOL, zone_id, people, clock.today())
    return [Inspector.model_validate(row) for row in rows]
