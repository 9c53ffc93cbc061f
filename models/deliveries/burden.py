"""How much the product asks of people: each sees their own figures, the office sees them per unit, to send less.

Never per person to anybody else, and never sorted by who did how much (domain.md §5).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from models import organization
from models.base import clock, database
from models.base.errors import Forbidden
from models.base.scope import Role, Scope


@dataclass(frozen=True)
class Burden:
    """One person's week, from Monday (`since`): reminders, and messages that reached for the phone.

    With what bounds them: the day's budget, and the quiet hours as the zone has set them (`"HH:MM"` in Shanghai).
    """

    since: date
    reminders: int
    messages: int
    messages_today: int
    daily_budget: int
    quiet_from: str
    quiet_until: str


@dataclass(frozen=True)
class UnitBurden:
    """A unit's week: how many people it has and what they got together."""

    unit_id: UUID
    name: str
    path: str
    people: int
    reminders: int
    messages: int


def _monday() -> date:
    today = clock.today()
    return today - timedelta(days=today.weekday())


async def my_burden(*, by: Scope) -> Burden:
    """The caller's own week. Raises Forbidden for whoever is no person of the roster."""
    if by.person_id is None:
        raise Forbidden("not_a_person", "只有名册中的人员本人可以查看自己的负担。")
    monday = _monday()
    (row,) = await database.fetch(
        "select count(distinct reminder_id) as reminders,"
        " count(*) filter (where carried_by is null and channel <> 'in_app' and begun_at is not null) as messages,"
        " count(*) filter (where carried_by is null and channel <> 'in_app' and begun_at >= $4) as today"
        " from delivery where zone_id = $1 and person_id = $2 and made_at >= $3",
        by.zone_id,
        by.person_id,
        clock.at(monday),
        clock.at(clock.today()),
    )
    settings = await organization.settings_of(by.zone_id)
    bounds = (settings.daily_budget, settings.quiet_from, settings.quiet_until)
    return Burden(monday, row["reminders"], row["messages"], row["today"], *bounds)


UNIT_BURDEN = """
with members as (
  select distinct u.id as unit_id, u.name, u.path, a.person_id
  from unit u join post p on p.zone_id = $1 and p.unit_id = u.id
  join appointment a on a.zone_id = $1 and a.post_id = p.id and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3
  where u.zone_id = $1 and u.path like any($2::text[])
)
select m.unit_id, m.name, m.path, count(distinct m.person_id) as people, count(distinct d.reminder_id) as reminders,
  count(d.id) filter (where d.carried_by is null and d.channel <> 'in_app' and d.begun_at is not null) as messages
from members m left join delivery d on d.zone_id = $1 and d.person_id = m.person_id and d.made_at >= $4
where m.path > $5 group by m.unit_id, m.name, m.path order by m.path limit $6
"""


async def burden_by_unit(*, by: Scope, after: str = "", limit: int = 50) -> list[UnitBurden]:
    """This week per unit of the caller's subtrees, in the order of the tree; `after` is a path. Raises Forbidden."""
    paths = by.paths(Role.OVERSIGHT, Role.UNIT_LEADER, Role.ADMIN)
    if not paths:
        by.require(Role.OVERSIGHT, Role.UNIT_LEADER, Role.ADMIN)
    rows = await database.fetch(
        UNIT_BURDEN,
        by.zone_id,
        [_prefix(path) for path in paths],
        clock.today(),
        clock.at(_monday()),
        after,
        limit,
    )
    return [UnitBurden(**row) for row in rows]


def _prefix(path: str) -> str:
    return path.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
