"""Proving that rows stand in the sealed chain to somebody who has neither the rest of it nor our database.

A proof is a run of blocks, highest first, each bound to lower ones by hash: the chain's head, the blocks that hold the
rows, and those by which one leads to the other. A block that holds some of the rows comes with the hashes of all its
rows, the others with their rows' root alone.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from models.base import database
from models.base.audit.export import ROW_FIELDS, line_of
from models.base.audit.sealer import AuditBlock, below

HEADERS_AT_ONCE = 500

HOLDING = """
select p.id, b.height from unnest($2::bigint[], $3::uuid[]) p (tx, id) cross join lateral (
  select height from audit_block where zone_id = $1 and (last_tx, last_id) >= (p.tx, p.id)
  order by last_tx, last_id limit 1) b
"""
ROWS_OF_BLOCK = """
select hash from audit where zone_id = $1 and (tx, id) <= ($2, $3) and (tx, id) > (
  select coalesce(max(last_tx), -1), coalesce((array_agg(last_id))[1], $5) from audit_block
  where zone_id = $1 and height = $4)
order by tx, id
"""


async def rows_about(zone_id: UUID, subject_ids: Collection[UUID], *, limit: int) -> list[dict[str, Any]]:
    """The log's rows about these things, sealed or not, in its order; at most `limit`."""
    return await database.fetch(
        f"select {ROW_FIELDS} from audit where zone_id = $1 and subject_id = any($2) order by tx, id limit $3",  # noqa: S608
        *(zone_id, list(subject_ids), limit),
    )


async def heights_of(zone_id: UUID, rows: Sequence[dict[str, Any]]) -> dict[UUID, int]:
    """In which block each of `rows` is sealed, by the row's id; those not sealed yet are left out."""
    found = await database.fetch(HOLDING, zone_id, [row["tx"] for row in rows], [row["id"] for row in rows])
    return {row["id"]: row["height"] for row in found}


def way(head: int, holding: Iterable[int]) -> Iterator[int]:
    """Heights of a proof, descending: from `head` to every block of `holding`, each bound to a higher one."""
    stations = sorted({head, *holding}, reverse=True)
    yield head
    for above, target in pairwise(stations):
        height = above
        while height > target:
            height = below(height) if below(height) >= target else height - 1
            yield height


async def proof_lines(zone_id: UUID, head: int, holding: Collection[int]) -> AsyncIterator[bytes]:
    """The proof as lines of JSON: `{height, previous, skipped, rows_root}`, or `row_hashes` in place of the root."""
    heights = list(way(head, holding))
    for at in range(0, len(heights), HEADERS_AT_ONCE):
        some = heights[at : at + HEADERS_AT_ONCE]
        blocks = {block.height: block for block in await AuditBlock.filter(zone_id=zone_id, height__in=some)}
        for height in some:
            block = blocks[height]
            facts = {"height": height, "previous": block.previous, "skipped": block.skipped}
            rows = {"row_hashes": await _row_hashes(block)} if height in holding else {"rows_root": block.rows_root}
            yield line_of("block", facts | rows)


async def _row_hashes(block: AuditBlock) -> list[str]:
    last = (block.last_tx, block.last_id)
    rows = await database.fetch(ROWS_OF_BLOCK, block.zone_id, *last, block.height - 1, UUID(int=0))
    return [bytes(row["hash"]).hex() for row in rows]
