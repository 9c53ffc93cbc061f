"""The log as lines of JSON that anybody can check without our database.

Each line is a row or the block that seals the rows before it. `verify_lines` recomputes every hash and says which row
or block does not match.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from models.base import database
from models.base.audit.log import row_hash
from models.base.audit.sealer import GENESIS, AuditBlock, block_hash

ROW_FIELDS = "id, zone_id, tx, at, actor, action, subject_type, subject_id, data, hash"


async def export_lines(zone_id: UUID) -> AsyncIterator[bytes]:
    """The zone's sealed log, oldest first, block by block: bounded memory however long the log is."""
    after: tuple[int, UUID] = (-1, UUID(int=0))
    height = 0
    while block := await AuditBlock.filter(zone_id=zone_id, height=height + 1).first():
        rows = await database.fetch(
            f"select {ROW_FIELDS} from audit where zone_id = $1 and (tx, id) > ($2, $3) and (tx, id) <= ($4, $5)"  # noqa: S608
            " order by tx, id",
            zone_id,
            *after,
            block.last_tx,
            block.last_id,
        )
        for row in rows:
            yield _line("row", row)
        yield _line("block", {"height": block.height, "rows": block.rows, "hash": block.hash})
        after, height = (block.last_tx, block.last_id), block.height


def _line(kind: str, values: dict[str, Any]) -> bytes:
    plain = {name: value.hex() if isinstance(value, bytes | memoryview) else value for name, value in values.items()}
    if isinstance(plain.get("data"), str):
        plain["data"] = orjson.loads(plain["data"])
    return orjson.dumps({"kind": kind, **plain}, default=str) + b"\n"


@dataclass(frozen=True)
class Mismatch:
    """What does not match: the line's number (from 1), the row's or block's name, and why."""

    line: int
    name: str
    reason: str


@dataclass
class _Chain:
    previous: bytes = GENESIS
    height: int = 0


def verify_lines(lines: Iterable[bytes]) -> Iterator[Mismatch]:
    """Check an export; yields every mismatch, nothing where it is whole."""
    chain, hashes = _Chain(), list[bytes]()
    for number, line in enumerate(lines, 1):
        try:
            entry = orjson.loads(line)
            if entry["kind"] == "row":
                yield from _check_row(number, entry, hashes)
            else:
                yield from _check_block(number, entry, chain, hashes)
                hashes = []
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as unreadable:
            yield Mismatch(number, "?", f"unreadable line: {unreadable}")
    if hashes:
        yield Mismatch(number, f"{len(hashes)} rows", "not covered by any block")


def _check_row(number: int, entry: dict[str, Any], hashes: list[bytes]) -> Iterator[Mismatch]:
    expected = row_hash({**entry, "at": datetime.fromisoformat(entry["at"])})
    hashes.append(bytes.fromhex(entry["hash"]))  # as claimed: then a changed row is named once, not its block too
    if expected.hex() != entry["hash"]:
        yield Mismatch(number, f"row {entry['id']}", "its content does not match its hash")


def _check_block(number: int, entry: dict[str, Any], chain: _Chain, hashes: list[bytes]) -> Iterator[Mismatch]:
    name = f"block {entry['height']}"
    if entry["height"] != chain.height + 1:
        yield Mismatch(number, name, f"follows block {chain.height}")
    if entry["rows"] != len(hashes):
        yield Mismatch(number, name, f"seals {entry['rows']} rows, {len(hashes)} are here")
    expected = block_hash(chain.previous, entry["height"], hashes)
    if expected.hex() != entry["hash"]:
        yield Mismatch(number, name, "its hash does not match the rows and the block before it")
    # Go on from what the block claims, so that one fault is named once and not in every later block.
    chain.previous, chain.height = bytes.fromhex(entry["hash"]), entry["height"]
