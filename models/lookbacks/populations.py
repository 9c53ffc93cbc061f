"""What a plan draws from: closed items by a saved filter, and the pool of inspectors as it stands today."""

from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.base import clock, database
from models.base.errors import Invalid
from models.base.stated import Day
from models.ledger import ListKind
from models.lookbacks.drawing import Candidate, Inspector
from models.lookbacks.tables import LookbackPlan, Strata

LARGEST_POPULATION = 20_000


class Population(BaseModel):
    """A filter over closed items; what is left out does not narrow. Days are Shanghai's, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    unit_id: UUID | None = Field(None, description="单位，含其下级；不填则为您负责监督的整个范围。")
    campaign_id: UUID | None = Field(None, description="台账。")
    list: ListKind | None = Field(None, description="清单：任务、责任或问题。")
    area: str | None = Field(None, description="领域。", min_length=1, max_length=32, examples=["工程建设"])
    closed_from: Day | None = Field(None, description="销号日期不早于。", examples=["2026-01-01"])
    closed_until: Day | None = Field(None, description="销号日期不晚于。", examples=["2026-06-30"])


CLOSED = """
select i.id as item, i.cycle, i.unit_path, i.list,
  (select coalesce(array_agg(distinct person order by person), '{}') from cycle c
   cross join lateral unnest(array[c.owner_id, c.requested_by, c.unit_reviewed_by, c.overseen_by]) person
   where c.zone_id = $1 and c.item_id = i.id and person is not null) as barred
from item i
where i.zone_id = $1 and i.state = 'closed' and starts_with(i.unit_path, $2)
  and ($3::uuid is null or i.campaign_id = $3) and ($4::text is null or i.list = $4)
  and ($5::text is null or i.area = $5)
  and ($6::timestamptz is null or i.closed_at >= $6) and ($7::timestamptz is null or i.closed_at < $7)
order by i.id limit $8
"""

POOL = """
select p.id as person,
  (select array_agg(u.path order by u.path) from role_grant g join unit u on u.id = g.unit_id
   where g.zone_id = $1 and g.person_id = p.id and g.role = 'inspector') as covers,
  (select coalesce(array_agg(distinct u.path order by u.path), '{}') from appointment a
   join post on post.id = a.post_id join unit u on u.id = post.unit_id
   where a.zone_id = $1 and a.person_id = p.id and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3) as own
from person p
where p.zone_id = $1 and p.active and (cardinality($2::uuid[]) = 0 or p.id = any($2::uuid[]))
  and exists (select from role_grant g where g.zone_id = $1 and g.person_id = p.id and g.role = 'inspector')
order by p.id
"""


async def population_of(plan: LookbackPlan) -> list[Candidate]:
    """The closed items that the plan's filter holds now, by id. Raises Invalid (`population_too_large`)."""
    wanted = Population.model_validate(plan.population)
    rows = await database.fetch(
        CLOSED,
        plan.zone_id,
        plan.unit_path,
        wanted.campaign_id,
        wanted.list,
        wanted.area,
        clock.at(wanted.closed_from) if wanted.closed_from else None,
        clock.at(wanted.closed_until + timedelta(days=1)) if wanted.closed_until else None,
        LARGEST_POPULATION + 1,
    )
    if len(rows) > LARGEST_POPULATION:
        raise Invalid("population_too_large", f"范围内的已销号事项超过 {LARGEST_POPULATION} 件，请缩小范围后再抽取。")
    by = {Strata.UNIT: "unit_path", Strata.LIST: "list"}
    strata = by[plan.strata] if plan.strata else None
    return [
        Candidate(
            item=row["item"],
            cycle=row["cycle"],
            unit_path=row["unit_path"],
            stratum=row[strata] if strata else "",
            barred=row["barred"],
        )
        for row in rows
    ]


async def pool_of(zone_id: UUID, people: list[UUID]) -> list[Inspector]:
    """Those of `people` (none: of the whole zone) who are in the roster and hold the role inspector, by id."""
    rows = await database.fetch(POOL, zone_id, people, clock.today())
    return [Inspector(person=row["person"], covers=row["covers"], own=row["own"]) for row in rows]
