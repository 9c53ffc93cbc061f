"""The log's places after a restore.

A row's place is its transaction's number (`audit_tx()`), and a restored dump starts on a cluster whose numbers may be
lower than those in the log: new rows would lie before the chain's head and never be sealed. So the two functions that
give places add an offset, which `carry_on` raises where it must; processes refuse to start before that
(`refuse_lost_place`).
"""

from models.base import database
from models.base.database import atomic

LAST = """
select greatest(
  (select max(last_tx) from audit_block),
  (select max(newest.tx) from zone z
   cross join lateral (select tx from audit where zone_id = z.id order by tx desc, id desc limit 1) newest)
) as last, audit_tx() as next, pg_current_xact_id()::text::bigint as number
"""
GIVE_PLACES = """
create or replace function audit_tx() returns bigint language sql volatile
  as 'select pg_current_xact_id()::text::bigint + {offset}';
create or replace function audit_horizon() returns bigint language sql stable
  as 'select pg_snapshot_xmin(pg_current_snapshot())::text::bigint + {offset}';
"""


class LostPlace(RuntimeError):
    """The database was restored from a dump and `zhuoluo migrate` has not been run since."""


@atomic()
async def carry_on() -> int:
    """See to it that the next row lies behind all there are; how far the places had to be moved on (0: not at all)."""
    (row,) = await database.fetch(LAST)
    short = (row["last"] or 0) - row["next"] + 1
    if short <= 0:
        return 0
    offset: int = row["next"] - row["number"] + short
    for statement in filter(str.strip, GIVE_PLACES.format(offset=offset).split(";\n")):
        await database.execute(statement)
    return short


async def refuse_lost_place() -> None:
    """Raises LostPlace where a row written now would lie before the log's end."""
    (row,) = await database.fetch(LAST)
    if (row["last"] or 0) >= row["next"]:
        raise LostPlace("This database was restored from a dump: run `zhuoluo migrate` before anything else.")
