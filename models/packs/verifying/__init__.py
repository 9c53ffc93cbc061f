"""Checking a pack offline: nothing is unpacked to disk, and no size is believed before it has been read.

Memory is bounded by the manifest and one item's facts, whatever the archive claims; whatever does not match is named.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import BinaryIO

import orjson

from models.packs.dossier import MOST_ROWS
from models.packs.manifest import FORMAT, PATH, FileFact, Manifest
from models.packs.verifying.chain import Chain
from models.packs.verifying.container import MEGABYTE, Container, Unreadable
from models.packs.verifying.facts import Mismatch, Rows, check_facts, check_rows

__all__ = ["Mismatch", "Verifying", "verify"]

MOST_MANIFEST = 64 * MEGABYTE
MOST_FACTS = 64 * MEGABYTE
MOST_OWED = 1_000_000
"""Rows of all items; some 300 MB while they wait for their proof."""
NAMED_BY_CONTENT = ("originals/", "views/")


class Verifying:
    """One check. After `mismatches` has ended, `manifest` and `manifest_sha256` tell what was checked."""

    def __init__(self, file: BinaryIO, passed: Callable[[int], None]) -> None:
        self._file, self._passed = file, passed
        self.manifest: Manifest | None = None
        self.manifest_sha256 = ""
        self._sound: set[str] = set()

    def mismatches(self) -> Iterator[Mismatch]:
        """Whatever does not match, by name; nothing where the pack is whole."""
        try:
            with Container(self._file) as container:
                yield from (Mismatch(name, why) for name, why in container.faults)
                yield from self._check(container, self._read_manifest(container))
        except Unreadable as unreadable:
            yield Mismatch(unreadable.name, unreadable.reason)

    def _read_manifest(self, container: Container) -> Manifest:
        content = container.read(PATH, MOST_MANIFEST)
        self.manifest_sha256 = hashlib.sha256(content).hexdigest()
        try:
            known = orjson.loads(content)["format"]
            if known != FORMAT:
                raise Unreadable(PATH, f"format {known!r} is not one that this version knows ({FORMAT})")
            self.manifest = Manifest.model_validate_json(content)
        except (ValueError, KeyError, TypeError):
            raise Unreadable(PATH, "is no manifest") from None
        if len({file.path for file in self.manifest.files}) < len(self.manifest.files):
            raise Unreadable(PATH, "names a file twice")
        return self.manifest

    def _check(self, container: Container, manifest: Manifest) -> Iterator[Mismatch]:
        for file in manifest.files:
            yield from self._check_file(container, file)
        for name in sorted(container.names - {file.path for file in manifest.files} - {PATH}):
            yield Mismatch(name, "is not in the manifest")
        for path in manifest.lost:
            yield Mismatch(path, "was lost already when the pack was made")
        yield from self._check_log(container, manifest)

    def _check_file(self, container: Container, file: FileFact) -> Iterator[Mismatch]:
        digest, size = hashlib.sha256(), 0
        try:
            for chunk in container.chunks(file.path, file.size):
                digest.update(chunk)
                size += len(chunk)
                self._passed(len(chunk))
        except Unreadable as unreadable:
            yield Mismatch(file.path, unreadable.reason)
            return
        if (size, digest.hexdigest()) != (file.size, file.sha256):
            yield Mismatch(file.path, "is not what the manifest names: its content was altered")
        elif file.path.startswith(NAMED_BY_CONTENT) and file.sha256 not in file.path:
            yield Mismatch(file.path, "is not the file that its name promises")
        else:
            self._sound.add(file.path)

    def _check_log(self, container: Container, manifest: Manifest) -> Iterator[Mismatch]:
        """Facts against the log, and the log against the chain; what was found altered has been named already."""
        chain = Chain(manifest.chain.height, bytes.fromhex(manifest.chain.hash))
        for files in self._items(manifest).values():
            rows: Rows = {}
            for path in files["log"]:
                yield from self._check_rows(container, path, str(manifest.zone.id), rows, chain)
            for path in files["item"] if files["log"] else ():
                yield from check_facts(path, container.read(path, MOST_FACTS), rows)
        proofs = [file.path for file in manifest.files if file.what == "proof"]
        for path in proofs if self._sound.issuperset(proofs) else ():
            yield from (Mismatch(name, why) for name, why in chain.blocks(path, container.lines(path)))
            yield from (Mismatch(name, "does not stand in the sealed chain") for name in chain.unproven())

    def _check_rows(
        self, container: Container, path: str, zone_id: str, rows: Rows, chain: Chain
    ) -> Iterator[Mismatch]:
        for row, mismatch in check_rows(path, container.lines(path), zone_id):
            if mismatch:
                yield mismatch
            if row:
                rows[row["id"]] = row
                chain.owes(bytes.fromhex(row["hash"]), f"{path}: row {row['id']}")
            if len(rows) > MOST_ROWS or chain.owed > MOST_OWED:
                raise Unreadable(path, "has more rows than any pack has")

    def _items(self, manifest: Manifest) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"item": [], "log": []})
        for file in manifest.files:
            if file.what in ("item", "log") and file.path in self._sound:
                found[str(file.item)][file.what].append(file.path)
        return found


def _unheard(size: int) -> None:
    """Nobody watches."""


def verify(file: BinaryIO, passed: Callable[[int], None] = _unheard) -> list[Mismatch]:
    """All mismatches of a pack; `passed` is told of so many more bytes of content read."""
    return list(Verifying(file, passed).mismatches())
