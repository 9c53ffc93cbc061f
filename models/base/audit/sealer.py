"""Binding rows into blocks.

Only rows below the oldest transaction still open (`audit_horizon()`) are taken, in `(tx, id)` order: no row can appear
later in a place already sealed. One sealer works on a zone at a time (advisory lock); a second one passes by.
"""

import hashlib
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.migrations.constraints import UniqueConstraint

from models.base import clock, database
from models.base.database import Row, atomic
from models.base.ids import new_id

ROWS_A_BLOCK = 5_000
GENESIS = bytes(32)


class AuditBlock(Row):
    """A run of rows, in order, bound to the block before it. Covers `rows` rows up to `(last_tx, last_id)`."""

    height = fields.BigIntField()
    rows = fields.IntField()
    last_tx = fields.BigIntField()
    last_id = fields.UUIDField()
    previous = fields.BinaryField()
    hash = fields.BinaryField()
    sealed_at = fields.DatetimeField()

    class Meta:
        table = "audit_block"
        constraints = [UniqueConstraint(fields=("zone_id", "height"), name="audit_block_one_chain")]


def block_hash(previous: bytes, height: int, row_hashes: list[bytes]) -> bytes:
    """SHA-256 of the previous block's hash, this height (8 bytes, big-endian) and every row's hash in order."""
    return hashlib.sha256(previous + height.to_bytes(8, "big") + b"".join(row_hashes)).digest()


@atomic()
async def seal(zone_id: UUID) -> int:
    """Bind the zone's rows that are ready into one more block; how many rows it took (0: none, or another sealer)."""
    (lock,) = await database.fetch(
        "select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as got", f"seal:{zone_id}"
    )
    if not lock["got"]:
        return 0
    head = await head_of(zone_id)
    rows = await _ready(zone_id, head)
    if rows:
        await _append(zone_id, head, rows)
    return len(rows)


async def _ready(zone_id: UUID, head: AuditBlock | None) -> list[dict[str, Any]]:
    return await database.fetch(
        "select id, tx, hash from audit where zone_id = $1 and (tx, id) > ($2, $3)"
        " and tx < audit_horizon() order by tx, id limit $4",
        zone_id,
        head.last_tx if head else -1,
        head.last_id if head else UUID(int=0),
        ROWS_A_BLOCK,
    )


async def _append(zone_id: UUID, head: AuditBlock | None, rows: list[dict[str, Any]]) -> None:
    height = head.height + 1 if head else 1
    previous = bytes(head.hash) if head else GENESIS
    await AuditBlock.create(
        id=new_id(),
        zone_id=zone_id,
        height=height,
        rows=len(rows),
        last_tx=rows[-1]["tx"],
        last_id=rows[-1]["id"],
        previous=previous,
        hash=block_hash(previous, height, [bytes(row["hash"]) for row in rows]),
        sealed_at=clock.now(),
    )


async def head_of(zone_id: UUID) -> AuditBlock | None:
    """The zone's last block."""
    return await AuditBlock.filter(zone_id=zone_id).order_by("-height").first()


SEALED_BY = """
select b.* from audit_block b where b.zone_id = $1 and b.height > $4
  and exists (select from audit a where a.zone_id = $1 and a.subject_id = $2 and a.action = $3
    and (a.tx, a.id) <= (b.last_tx, b.last_id))
order by b.height limit 1
"""


async def sealed_by(zone_id: UUID, action: str, subject_id: UUID, *, after: int) -> AuditBlock | None:
    """The block that seals the one act `action` on the subject, done when the head was at height `after`; None yet."""
    rows = await database.fetch(SEALED_BY, zone_id, subject_id, action, after)
    return AuditBlock._init_from_db(**rows[0]) if rows else None


OLDEST_UNSEALED = """
select coalesce(extract(epoch from $1::timestamptz - min(oldest.at)), 0)::float8 as age from zone z
left join lateral (
  select last_tx, last_id from audit_block where zone_id = z.id order by height desc limit 1) head on true
cross join lateral (
  select at from audit where zone_id = z.id and (tx, id) > (coalesce(head.last_tx, -1), coalesce(head.last_id, $2))
  order by tx, id limit 1) oldest
where $3::uuid is null or z.id = $3
"""


async def unsealed_age(zone_id: UUID | None = None) -> float:
    """Seconds that the first unsealed row of the zone, or of any zone, has waited; 0 where all is sealed.

    Beyond a few seconds it is an alarm: no worker is sealing, or a transaction stays open.
    """
    (row,) = await database.fetch(OLDEST_UNSEALED, clock.now(), UUID(int=0), zone_id)
    return max(0.0, float(row["age"]))
