"""Making a pack: a stream of bytes, of which no more is in memory than one item's facts and one chunk of a file."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import orjson

from models.base import audit, clock
from models.base.audit import AuditBlock
from models.base.errors import Unavailable
from models.evidence import address as evidence_address
from models.organization import Zone
from models.packs import manifest
from models.packs.archive import Archive, Entry, whole
from models.packs.asking import items_in
from models.packs.dossier import Dossier, dossier
from models.packs.manifest import ChainFact, Manifest, SubjectFact, ZoneFact
from models.packs.tables import Pack

ITEMS_AT_ONCE = 50
OF_THE_OBJECT = ("object_missing", "object_unreadable")
"""Codes of Unavailable by which the store says that one object cannot be had; any other is about the store itself."""
README = """{name}

本包是平台导出的办理档案，可脱离平台核对。

核对方法：zhuoluo verify 本包文件名
（不联网、不需要数据库；逐个文件核对内容，并核对操作日志是否在封存的链条之中。）

items/事项编号/timeline.pdf   办理过程，供阅读
items/事项编号/item.json      事项、办理过程、佐证材料、审核和回头看记录
items/事项编号/audit.jsonl    与事项有关的操作日志
originals/                    佐证材料原件，文件名即内容的 SHA-256
views/                        预览图（带水印），供阅读
audit/proof.jsonl             上述操作日志在封存链条之中的证明
manifest.json                 全部文件的清单、大小和 SHA-256
"""

Draw = Callable[[dict[str, Any]], Awaitable[bytes]]
"""Draws the timeline of an item's facts as a PDF (workers.timelines)."""
Watch = Callable[[int], Awaitable[None]]
"""Told how many files are done; raises what ends the making."""


class Objects(Protocol):
    """The part of the object store that packs use (gateways.store.Store is one)."""

    def get(self, key: str) -> AsyncIterator[bytes]:
        """The object in chunks. Raises Unavailable: where it is about the object, with a code of `OF_THE_OBJECT`."""


class NotSealedYet(Exception):
    """Some row of the log is not in the chain yet: a moment later it is."""


async def unwatched(files: int) -> None:
    """Nobody asks how far it is."""


@dataclass
class Made:
    """A pack as it grows; complete when its stream has ended. `manifest_sha256` is what the log is to name."""

    pack: Pack
    objects: Objects
    draw: Draw
    watch: Watch = unwatched
    made_at: datetime = field(default_factory=clock.now)
    size: int = 0
    manifest_sha256: str = ""
    lost: list[str] = field(default_factory=list)
    classification: str = "public"

    def __post_init__(self) -> None:
        self._archive = Archive(self.made_at)
        self._digest = hashlib.sha256()
        self._packed: set[str] = set()
        self._rows: dict[UUID, tuple[int, UUID]] = {}

    @property
    def sha256(self) -> str:
        """Of all that the stream has yielded."""
        return self._digest.hexdigest()

    async def stream(self) -> AsyncIterator[bytes]:
        """The ZIP. Raises NotSealedYet, dossier.TooLong, and what `watch` raises."""
        async for chunk in self._chunks():
            self._digest.update(chunk)
            self.size += len(chunk)
            yield chunk

    async def _chunks(self) -> AsyncIterator[bytes]:
        readme = README.format(name=self.pack.name).encode()
        async for chunk in self._add(Entry("README.txt", "readme", whole(readme))):
            yield chunk
        after = None
        while page := await self._items(after):
            for item_id in page:
                async for chunk in self._item(await dossier(item_id, self.pack.zone_id)):
                    yield chunk
            after = page[-1]
        head, holding = await self._sealed()
        proof = audit.proof_lines(self.pack.zone_id, head.height, holding)
        async for chunk in self._add(Entry("audit/proof.jsonl", "proof", proof)):
            yield chunk
        content = (await self._manifest(head)).model_dump_json(indent=2, exclude_none=True).encode()
        self.manifest_sha256 = hashlib.sha256(content).hexdigest()
        async for chunk in self._add(Entry(manifest.PATH, "manifest", whole(content))):
            yield chunk
        yield self._archive.end()

    async def _items(self, after: UUID | None) -> list[UUID]:
        rows = items_in(self.pack)
        page = await (rows.filter(id__gt=after) if after else rows).order_by("id").limit(ITEMS_AT_ONCE).values("id")
        return [row["id"] for row in page]

    async def _item(self, found: Dossier) -> AsyncIterator[bytes]:
        if found.classification == "internal":
            self.classification = "internal"
        self._rows |= {row["id"]: (row["tx"], row["id"]) for row in found.rows}
        folder, number = f"items/{found.number}", found.number
        rows = b"".join(audit.line_of("row", row) for row in found.rows)
        entries = [
            Entry(f"{folder}/item.json", "item", whole(_json(found.facts)), number),
            Entry(f"{folder}/timeline.pdf", "timeline", whole(await self.draw(found.facts)), number, deflate=False),
            Entry(f"{folder}/audit.jsonl", "log", whole(rows), number),
        ]
        for entry in entries:
            async for chunk in self._add(entry):
                yield chunk
        for path, sha256, original in found.files:
            async for chunk in self._file(path, sha256, "original" if original else "view"):
                yield chunk

    async def _file(self, path: str, sha256: str, what: str) -> AsyncIterator[bytes]:
        """Once, however many items it shows something of; what the store has lost, all or the rest of it, is named."""
        if path in self._packed:
            return
        self._packed.add(path)
        chunks = self.objects.get(evidence_address(self.pack.zone_id, sha256))
        try:
            first = await anext(chunks)
        except Unavailable as unavailable:
            self._lost(path, unavailable)
            return
        async for chunk in self._add(Entry(path, what, self._rest(path, first, chunks), deflate=False)):
            yield chunk

    async def _rest(self, path: str, first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        yield first
        try:
            async for chunk in chunks:
                yield chunk
        except Unavailable as unavailable:
            self._lost(path, unavailable)

    def _lost(self, path: str, unavailable: Unavailable) -> None:
        """A pack without one file is worth having, and names it; without the store there is none: raises it then."""
        if unavailable.code not in OF_THE_OBJECT:
            raise unavailable
        self.lost.append(path)

    async def _add(self, entry: Entry) -> AsyncIterator[bytes]:
        async for chunk in self._archive.add(entry):
            if chunk:
                await self.watch(len(self._archive.files))
                yield chunk

    async def _sealed(self) -> tuple[AuditBlock, set[int]]:
        """The chain's head now, and the blocks that hold the rows."""
        while await audit.seal(self.pack.zone_id):
            pass
        head = await audit.head_of(self.pack.zone_id)
        places = [{"tx": tx, "id": row_id} for tx, row_id in self._rows.values()]
        heights = await audit.heights_of(self.pack.zone_id, places)
        if head is None or len(heights) < len(places):
            raise NotSealedYet
        return head, {*heights.values()}

    async def _manifest(self, head: AuditBlock) -> Manifest:
        zone = await Zone.get(id=self.pack.zone_id)
        return Manifest(
            name=self.pack.name,
            zone=ZoneFact(id=zone.id, code=zone.code, name=zone.name),
            subject=SubjectFact(type=self.pack.subject_type, id=self.pack.subject_id),
            made_at=self.made_at,
            classification=self.classification,
            chain=ChainFact(height=head.height, hash=bytes(head.hash).hex()),
            lost=self.lost,
            files=self._archive.files,
        )


def _json(facts: dict[str, Any]) -> bytes:
    return orjson.dumps(facts, default=str, option=orjson.OPT_INDENT_2)
