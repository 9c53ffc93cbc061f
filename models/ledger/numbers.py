"""Numbers `ZL-<list>-<year>-<4 digits>`, without gaps, per zone, list and year; lists are RW, ZR and WT."""

from collections.abc import Iterator
from uuid import UUID

from models.base import database
from models.base.ids import new_id
from models.ledger.tables import ListKind

TAKE = """
insert into item_number_series as series (id, zone_id, list, year, given) values ($1, $2, $3, $4, $5)
on conflict (zone_id, list, year) do update set given = series.given + $5 returning given
"""


async def take_numbers(zone_id: UUID, kind: ListKind, year: int, count: int) -> Iterator[str]:
    """The next `count` numbers, consecutive.

    The series' row stays locked until the transaction ends, and a rollback gives the numbers back: so there are no
    gaps, and whoever takes numbers does it last.
    """
    (row,) = await database.fetch(TAKE, new_id(), zone_id, kind.value, year, count)
    return (f"ZL-{kind.code}-{year}-{number:04d}" for number in range(row["given"] - count + 1, row["given"] + 1))
