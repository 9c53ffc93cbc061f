"""The inbox: the hottest read. Readers who arrive together are served by one statement that builds their JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.base import database
from models.base.errors import Forbidden
from models.base.scope import Scope
from models.base.together import Together

LAST = UUID(int=2**128 - 1)
MOST = 100

STATEMENT = """
select json_build_object(
  'items', coalesce(page.items, '[]'),
  'next', case when page.shown = a.most then page.last end,
  'counts', coalesce(kinds.counts, '{}'))::text as inbox
from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[]) with ordinality as a(zone_id, person_id, after, most, place)
left join lateral (
  select json_agg(r) as items, count(*) as shown, (array_agg(r.id))[count(*)] as last from (
    select id, kind, subject_type, subject_id, summary, due_on, urgent, made_at from reminder
    where zone_id = a.zone_id and person_id = a.person_id and state = 'open' and id < a.after
    order by id desc limit a.most) r) page on true
left join lateral (
  select json_object_agg(kind, open) as counts from (
    select kind, count(*) as open from reminder
    where zone_id = a.zone_id and person_id = a.person_id and state = 'open' group by kind) k) kinds on true
order by a.place
"""


@dataclass(frozen=True)
class _Ask:
    zone_id: UUID
    person_id: UUID
    after: UUID
    most: int


async def inbox(*, by: Scope, after: UUID | None = None, limit: int = 20) -> bytes:
    """The caller's open reminders as JSON, newest first. Not within a transaction. Raises Forbidden.

    `{"items": [{"id", "kind", "subject_type", "subject_id", "summary", "due_on", "urgent", "made_at"}], "next": id or
    null (the `after` of the next page), "counts": {kind: how many are open}}`
    """
    if by.person_id is None:
        raise Forbidden("not_a_person", "只有名册中的人员本人有收件箱。")
    return await _together.ask(_Ask(by.zone_id, by.person_id, after or LAST, min(limit, MOST)))


async def _read_together(asks: Sequence[_Ask]) -> list[bytes]:
    rows = await database.fetch(
        STATEMENT,
        [ask.zone_id for ask in asks],
        [ask.person_id for ask in asks],
        [ask.after for ask in asks],
        [ask.most for ask in asks],
    )
    return [row["inbox"].encode() for row in rows]


_together = Together(_read_together)
