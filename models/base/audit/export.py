"""The log as lines of JSON that anybody can check without our database.

Each line is a row or the block that seals the rows before it. `verify_lines` recomputes every hash and says which row
or block does not match.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from models.base import database
from models.base.audit.log import row_hash
from models.base.audit.sealer import GENESIS, AuditBlock, below, block_hash, rows_root

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
            yield line_of("row", row)
        yield line_of("block", {"height": block.height, "rows": block.rows, "hash": block.hash})
        after, height = (block.last_tx, block.last_id), block.height


def line_of(kind: str, values: dict[str, Any]) -> bytes:
    """One line of JSON; bytes as hex."""
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
    """The hash of the last block and of those that a later one may be bound to: as many as its height has bits."""

    height: int = 0
    hashes: dict[int, bytes] = field(default_factory=lambda: {0: GENESIS})

    def at(self, height: int) -> bytes:
        return self.hashes.get(height, GENESIS)

    def goes_on(self, height: int, claimed: bytes) -> None:
        self.hashes[height] = claimed
        self.height, bound = height, {0}
        while height > 0:
            bound.add(height)
            height = below(height)
        self.hashes = {kept: self.hashes[kept] for kept in bound & self.hashes.keys()}


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
    expected = hash_of_line(entry)
    hashes.append(bytes.fromhex(entry["hash"]))  # as claimed: then a changed row is named once, not its block too
    if expected.hex() != entry["hash"]:
        yield Mismatch(number, f"row {entry['id']}", "its content does not match its hash")


def hash_of_line(entry: dict[str, Any]) -> bytes:
    """The hash of a row as its line tells it, whatever hash the line claims."""
    return row_hash({**entry, "at": datetime.fromisoformat(entry["at"])})


def _check_block(number: int, entry: dict[str, Any], chain: _Chain, hashes: list[bytes]) -> Iterator[Mismatch]:
    height = entry["height"]
    name = f"block {height}"
    if height != chain.height + 1:
        yield Mismatch(number, name, f"follows block {chain.height}")
    if entry["rows"] != len(hashes):
        yield Mismatch(number, name, f"seals {entry['rows']} rows, {len(hashes)} are here")
    expected = block_hash(chain.at(height - 1), chain.at(below(height)), height, rows_root(hashes))
    if expected.hex() != entry["hash"]:
        yield Mismatch(number, name, "its hash does not match the rows and the block before it")
    # Go on from what the block claims, so that one fault is named once and not in every later block.
    chain.goes_on(height, bytes.fromhex(entry["hash"]))
