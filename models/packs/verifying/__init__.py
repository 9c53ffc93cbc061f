"""Checking a pack offline: nothing is unpacked to disk, and no size is believed before it has been read.

Memory is bounded by the manifest and one item's facts, whatever the archive claims; whatever does not match is named.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import orjson

from models.packs.making import FORMAT
from models.packs.verifying.chain import Chain
from models.packs.verifying.container import MEGABYTE, Container, Unreadable
from models.packs.verifying.facts import Mismatch, check_facts, check_rows

__all__ = ["Mismatch", "Verifying", "verify"]

MANIFEST = "manifest.json"
MOST_MANIFEST = 64 * MEGABYTE
MOST_FACTS = 256 * MEGABYTE
NAMED_BY_CONTENT = ("originals/", "views/")


class Verifying:
    """One check. After `mismatches` has ended, `manifest` and `manifest_sha256` tell what was checked."""

    def __init__(self, file: BinaryIO, passed: Callable[[int], None]) -> None:
        self._file, self._passed = file, passed
        self.manifest: dict[str, Any] = {}
        self.manifest_sha256 = ""
        self._sound: set[str] = set()

    def mismatches(self) -> Iterator[Mismatch]:
        """Whatever does not match, by name; nothing where the pack is whole."""
        try:
            with Container(self._file) as container:
                yield from (Mismatch(name, why) for name, why in container.faults)
                self._read_manifest(container)
                yield from self._check(container)
        except Unreadable as unreadable:
            yield Mismatch(unreadable.name, unreadable.reason)

    def _read_manifest(self, container: Container) -> None:
        content = container.read(MANIFEST, MOST_MANIFEST)
        self.manifest_sha256 = hashlib.sha256(content).hexdigest()
        try:
            manifest = orjson.loads(content)
            known = manifest["format"]
            chain, files = manifest["chain"], manifest["files"]
            well = bytes.fromhex(chain["hash"]) and all({"path", "size", "sha256", "what"} <= {*file} for file in files)
        except (ValueError, KeyError, TypeError):
            raise Unreadable(MANIFEST, "it is no manifest") from None
        if known != FORMAT:
            raise Unreadable(MANIFEST, f"format {known!r} is not one that this version knows ({FORMAT})")
        if not well or len({file["path"] for file in files}) < len(files):
            raise Unreadable(MANIFEST, "it is no manifest, or names a file twice")
        self.manifest = manifest

    def _check(self, container: Container) -> Iterator[Mismatch]:
        files = {file["path"]: file for file in self.manifest["files"]}
        for path, file in files.items():
            yield from self._check_file(container, path, file)
        for name in container.names - files.keys() - {MANIFEST}:
            yield Mismatch(name, "is not in the manifest")
        for path in self.manifest.get("lost", ()):
            yield Mismatch(path, "was lost already when the pack was made")
        yield from self._check_log(container)

    def _check_file(self, container: Container, path: str, file: dict[str, Any]) -> Iterator[Mismatch]:
        if path not in container.names:
            yield Mismatch(path, "is missing")
            return
        digest, size = hashlib.sha256(), 0
        try:
            for chunk in container.chunks(path, int(file["size"])):
                digest.update(chunk)
                size += len(chunk)
                self._passed(len(chunk))
        except Unreadable as unreadable:
            yield Mismatch(path, unreadable.reason)
            return
        if (size, digest.hexdigest()) != (file["size"], file["sha256"]):
            yield Mismatch(path, "is not what the manifest names: its content was altered")
        elif path.startswith(NAMED_BY_CONTENT) and file["sha256"] not in path:
            yield Mismatch(path, "is not the file that its name promises")
        else:
            self._sound.add(path)

    def _check_log(self, container: Container) -> Iterator[Mismatch]:
        """Facts against the log, and the log against the chain; what was found altered has been named already."""
        chain = Chain(self.manifest["chain"])
        for item, files in self._items().items():
            rows: dict[str, dict[str, Any]] = {}
            for path in files["log"]:
                for row, mismatch in check_rows(path, container.lines(path), str(self.manifest["zone"]["id"])):
                    if mismatch:
                        yield mismatch
                    if row:
                        rows[row["id"]] = row
                        chain.owes(bytes.fromhex(row["hash"]), f"{path}: row {row['id']}")
            for path in files["item"] if files["log"] else ():
                yield from check_facts(item, path, container.read(path, MOST_FACTS), rows)
        proofs = [file["path"] for file in self.manifest["files"] if file["what"] == "proof"]
        for path in proofs if self._sound.issuperset(proofs) else ():
            yield from (Mismatch(name, why) for name, why in chain.mismatches(path, container.lines(path)))

    def _items(self) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: {"item": [], "log": []})
        for file in self.manifest["files"]:
            if file["what"] in ("item", "log") and file["path"] in self._sound:
                found[str(file.get("item"))][file["what"]].append(file["path"])
        return found


def _unheard(size: int) -> None:
    """Nobody watches."""


def verify(file: BinaryIO, passed: Callable[[int], None] = _unheard) -> list[Mismatch]:
    """All mismatches of a pack; `passed` is told of so many more bytes of content read."""
    return list(Verifying(file, passed).mismatches())
