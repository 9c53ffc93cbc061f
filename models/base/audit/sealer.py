"""Binding rows into blocks.

Only rows below the oldest transaction still open (`audit_horizon()`) are taken, in `(tx, id)` order: no row can appear
later in a place already sealed. One sealer works on a zone at a time (advisory lock); a second one passes by.
"""

import hashlib
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models.base import clock, database
from models.base.database import Row, atomic
from models.base.ids import new_id

ROWS_A_BLOCK = 5_000
GENESIS = bytes(32)


class AuditBlock(Row):
    """A run of rows, in order, bound to two blocks before it. Covers `rows` rows up to `(last_tx, last_id)`.

    `previous` is the hash of the block before, `skipped` that of the one at `below(height)`: so from any block down to
    any other there is a way of a few dozen hashes, however long the chain (docs/adr/0020).
    """

    height = fields.BigIntField()
    rows = fields.IntField()
    rows_root = fields.BinaryField()
    last_tx = fields.BigIntField()
    last_id = fields.UUIDField()
    previous = fields.BinaryField()
    skipped = fields.BinaryField()
    hash = fields.BinaryField()
    sealed_at = fields.DatetimeField()

    class Meta:
        table = "audit_block"
        constraints = [UniqueConstraint(fields=("zone_id", "height"), name="audit_block_one_chain")]
        indexes = [Index(fields=("zone_id", "last_tx", "last_id"), name="audit_block_holding")]


def below(height: int) -> int:
    """The block to which the one at `height` is bound besides the one before it: `height` without its lowest bit."""
    return height & (height - 1)


def rows_root(row_hashes: Iterable[bytes]) -> bytes:
    """SHA-256 of every row's hash in order."""
    return hashlib.sha256(b"".join(row_hashes)).digest()


def block_hash(previous: bytes, skipped: bytes, height: int, root: bytes) -> bytes:
    """SHA-256 of the two hashes that the block is bound to, its height (8 bytes, big-endian) and its rows' root."""
    return hashlib.sha256(previous + skipped + height.to_bytes(8, "big") + root).digest()


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
    skipped = await _hash_at(zone_id, below(height))
    root = rows_root(bytes(row["hash"]) for row in rows)
    await AuditBlock.create(
        id=new_id(),
        zone_id=zone_id,
        height=height,
        rows=len(rows),
        rows_root=root,
        last_tx=rows[-1]["tx"],
        last_id=rows[-1]["id"],
        previous=previous,
        skipped=skipped,
        hash=block_hash(previous, skipped, height, root),
        sealed_at=clock.now(),
    )


async def _hash_at(zone_id: UUID, height: int) -> bytes:
    return bytes((await AuditBlock.get(zone_id=zone_id, height=height)).hash) if height else GENESIS


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
