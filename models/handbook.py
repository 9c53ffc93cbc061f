"""案头册: what somebody answers for, on one page: the duties of their posts and the items that are open.

It is read from appointments and the ledger at the moment it is asked for, so nobody has to keep it current.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from models import ledger
from models.base import clock, database
from models.base.errors import Forbidden
from models.base.scope import Scope
from models.ledger import Line
from models.organization import PostRank

MOST_ITEMS = 100

DUTIES = """
select u.id as unit_id, u.name as unit, post.title, post.rank, a.acting, a.from_on as since,
  count(i.id) as open_items, count(i.id) filter (where i.due_on < $3 and i.state = any($5)) as overdue_items
from appointment a
join post on post.id = a.post_id
join unit u on u.id = post.unit_id
left join item i on i.zone_id = $1 and i.state = any($4) and starts_with(i.unit_path, u.path) and post.rank <> 'member'
where a.zone_id = $1 and a.person_id = $2 and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3
group by a.id, post.id, u.id order by u.path, post.rank, post.title
"""


@dataclass(frozen=True)
class Duty:
    """A post held today. Who leads a unit answers for its open items too, those of the units below included."""

    unit_id: UUID
    unit: str
    title: str
    rank: PostRank
    acting: bool
    since: date
    open_items: int
    overdue_items: int


@dataclass(frozen=True)
class Handbook:
    """`items`: the newest 100 that the reader, or somebody they stand in for, owns; `more` where there are others."""

    as_of: date
    duties: Sequence[Duty]
    items: Sequence[Line]
    more: bool


async def handbook(*, by: Scope) -> Handbook:
    """The caller's own. Raises Forbidden for whoever is no person of the roster."""
    if by.person_id is None:
        raise Forbidden("not_a_person", "只有名册中的人员本人有案头册。")
    today, timed = clock.today(), list(ledger.TIMED)
    rows = await database.fetch(DUTIES, by.zone_id, by.person_id, today, list(ledger.OPEN), timed)
    duties = [Duty(**{**row, "rank": PostRank(row["rank"])}) for row in rows]
    items = await ledger.mine(by=by, limit=MOST_ITEMS)
    return Handbook(today, duties, items, more=len(items) == MOST_ITEMS)
