"""Hashing every original again, so that one that is gone or altered is known before somebody needs it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.expressions import Q

from models.base import clock, database
from models.base.database import atomic
from models.evidence.tables import Blob, Damage

EVERY = timedelta(days=30)
AGAIN = timedelta(days=1)
"""When a damaged one is looked at again: it may have been put back."""
LEASED = timedelta(minutes=10)
MOST = 64
CLAIM = """
update blob set verify_at = $3 where id in (
  select id from (
    select id, sum(size) over (order by verify_at, id) - size as before
    from (
      select id, size, verify_at from blob where zone_id = $1 and verify_at <= $2
      order by verify_at, id limit $4 for update skip locked
    ) due
  ) running where before < $5
) and zone_id = $1
returning sha256, size
"""


@atomic()
async def claim_unverified(zone_id: UUID, most_bytes: int) -> list[tuple[str, int]]:
    """SHA-256 (hex) and size of originals that are due, so many bytes or one; ours for ten minutes."""
    now = clock.now()
    rows = await database.fetch(CLAIM, zone_id, now, now + LEASED, MOST, most_bytes)
    return [(row["sha256"], row["size"]) for row in rows]


async def unverified(zone_id: UUID, not_since: datetime, *, after: UUID | None, limit: int = 100) -> Sequence[Blob]:
    """Originals that were not verified since then, keyset by id."""
    found = Blob.filter(_not_since(not_since), zone_id=zone_id)
    return await (found.filter(id__gt=after) if after else found).order_by("id").limit(limit)


async def count_unverified(not_since: datetime) -> int:
    """How many those are in all zones."""
    return await Blob.filter(_not_since(not_since)).count()


def _not_since(then: datetime) -> Q:
    return Q(verified_at__isnull=True) | Q(verified_at__lt=then)


@atomic()
async def verified(zone_id: UUID, sha256: str, damage: Damage | None) -> None:
    """What was found at the address of the original: its damage, or None."""
    now = clock.now()
    due = now + (AGAIN if damage else EVERY)
    await Blob.filter(zone_id=zone_id, sha256=sha256).update(verified_at=now, verify_at=due, damage=damage)


async def damaged(zone_id: UUID, limit: int) -> dict[str, Damage]:
    """What is known to be damaged: SHA-256 (hex) to how."""
    rows = await Blob.filter(zone_id=zone_id, damage__isnull=False).order_by("sha256").limit(limit)
    return {row.sha256: row.damage for row in rows if row.damage}
