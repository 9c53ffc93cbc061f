"""Whether rows of the log stand in the sealed chain, by the blocks that the pack brings (models.base.audit.proving)."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from models.base.audit import GENESIS, below, block_hash, rows_root


class Chain:
    """From the head that the manifest names down to the blocks that hold the rows."""

    def __init__(self, height: int, hash_: bytes) -> None:
        self._promised = {height: hash_}
        self._owed: dict[bytes, str] = {}

    def owes(self, row_hash: bytes, name: str) -> None:
        """A row of that hash is said to be in the chain."""
        self._owed[row_hash] = name

    @property
    def owed(self) -> int:
        """Rows that wait for their proof."""
        return len(self._owed)

    def unproven(self) -> Iterator[str]:
        """Names of the rows that no bound block holds."""
        yield from self._owed.values()

    def blocks(self, path: str, lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
        """Names and reasons: blocks that nothing above binds."""
        for number, line in enumerate(lines, 1):
            try:
                yield from self._block(path, orjson.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
                yield f"{path}: line {number}", "cannot be read"

    def _block(self, path: str, entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
        height, name = int(entry["height"]), f"{path}: block {entry['height']}"
        previous, skipped = bytes.fromhex(entry["previous"]), bytes.fromhex(entry["skipped"])
        hashes = [bytes.fromhex(row) for row in entry.get("row_hashes", ())]
        root = rows_root(hashes) if "row_hashes" in entry else bytes.fromhex(entry["rows_root"])
        if self._promised.pop(height, None) != block_hash(previous, skipped, height, root):
            yield name, "is not the block to which the chain above it is bound"
            return
        for bound, promised in ((height - 1, previous), (below(height), skipped)):
            if bound == 0 and promised != GENESIS:
                yield name, "begins another chain"
            self._promised[bound] = promised
        for row in hashes:
            self._owed.pop(row, None)
