"""Addresses of the store that no row names: removed in the end, and never while a row is about to name them.

An upload stands at its address before the row that names it is written, and a second upload of the same file finds it
there. So whoever is about to name an address holds it first, and the sweep clears only what nobody names or holds.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from models.base import clock, database
from models.base.database import atomic
from models.base.errors import Unavailable
from models.base.ids import new_id
from models.evidence.tables import Hold

HELD = timedelta(hours=1)
"""Longer than any request or job takes from holding an address to naming it."""
CLEARING = timedelta(minutes=10)
"""Longer than the store takes to remove an object, or to say that it does not."""
UNNAMED = timedelta(days=7)
"""What nobody names is removed when it was written so long ago."""

TAKE = """
insert into hold as h (id, zone_id, sha256, clearing, until) values ($1, $2, $3, false, $4)
on conflict (zone_id, sha256) do update set clearing = false, until = greatest(h.until, excluded.until)
  where not h.clearing or h.until < $5
returning id
"""
CLEAR = """
insert into hold as h (id, zone_id, sha256, clearing, until) values ($1, $2, $3, true, $4)
on conflict (zone_id, sha256) do update set clearing = true, until = excluded.until where h.until < $5
returning id
"""
NAMED = """
select sha256 from blob where zone_id = $1 and sha256 = any($2)
union select sha256 from derivation where zone_id = $1 and sha256 = any($2)
"""


async def hold(zone_id: UUID, sha256: str) -> None:
    """A row is about to name this address: for an hour nothing there is removed.

    Raises Unavailable (`address_busy`) in the moment in which the sweep removes what nobody named.
    """
    now = clock.now()
    if not await database.fetch(TAKE, new_id(), zone_id, sha256, now + HELD, now):
        raise Unavailable("address_busy", "这个文件正在整理，没有保存。请稍后重新上传。", retry_after=5)


async def unnamed(zone_id: UUID, among: Collection[str]) -> set[str]:
    """Those of some SHA-256 (hex, a thousand at most) that no row names; changes nothing."""
    return set(among) - {row["sha256"] for row in await database.fetch(NAMED, zone_id, list(among))}


@atomic()
async def begin_clearing(zone_id: UUID, sha256: str) -> bool:
    """Whether the address may be cleared now: nobody names it, nobody holds it, and until `cleared` nobody can."""
    now = clock.now()
    if not await database.fetch(CLEAR, new_id(), zone_id, sha256, now + CLEARING, now):
        return False
    if await unnamed(zone_id, [sha256]):
        return True
    await cleared(zone_id, sha256)
    return False


async def cleared(zone_id: UUID, sha256: str) -> None:
    """The address is empty, or stays as it is: it may be held again."""
    await Hold.filter(zone_id=zone_id, sha256=sha256, clearing=True).delete()


async def end_holds(zone_id: UUID) -> None:
    """Forget holds that are over."""
    await Hold.filter(zone_id=zone_id, until__lt=clock.now()).delete()


def unnamed_before() -> datetime:
    """What was written before that, by the store's clock, and is named by nobody is to be removed."""
    return clock.now() - clock.offset() - UNNAMED
