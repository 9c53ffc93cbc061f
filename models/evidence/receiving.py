"""Taking bytes in: what a request brings is kept as it comes, and with the last byte the file becomes evidence.

A run of bytes becomes an object under `incoming/` first and a row then, so a process may die at any moment: an object
without a row is swept, a row without its object cannot be. One request at a time writes to an upload; it holds it by a
lease, and a dead one's lapses. The last run is counted only together with the evidence: until then the sender is told
that it is missing, and sends it again.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from tortoise.expressions import F, Q

from models.base import clock
from models.base.database import atomic
from models.base.errors import Conflict, Garbled, Invalid, Locked, Refused, TooLarge, Unavailable
from models.base.ids import new_id
from models.base.scope import Scope
from models.evidence.attaching import Brought, Submission, attach
from models.evidence.intake import Objects, Received, Scan, no_scan, promote
from models.evidence.tables import Kind, Upload, UploadPart
from models.evidence.uploads import part_key, part_keys, remove, upload_of

LEASE = timedelta(seconds=5)
RENEWED_SECONDS = 1.0
"""A hold is renewed as bytes come, so that a dead one, or one whose connection went silent, lapses soon."""
RUN_SECONDS = 10.0
"""A body that comes slowly is kept in runs: what a dead process or connection costs is this much of it."""
MOST_PARTS = 1_000
ALGORITHMS = ("sha256", "sha1")
PASSING = (Locked, Unavailable)
"""Refusals that say nothing of the file: its sender may try again with what has arrived."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """Of one request's bytes, as their sender computed it; `algorithm` is one of `ALGORITHMS`."""

    algorithm: str
    digest: bytes


async def receive(
    upload_id: UUID,
    chunks: AsyncIterator[bytes],
    *,
    offset: int,
    by: Scope,
    store: Objects,
    scan: Scan = no_scan,
    checksum: Checksum | None = None,
) -> Upload:
    """Keep what `chunks` bring from `offset` on; with the last byte the file becomes evidence.

    Of bytes with a checksum all are kept or none. A file that is refused at its end is removed, upload and all.
    Raises NotFound, Gone, Conflict (`offset_mismatch`, `upload_overtaken`, `upload_goes_direct`), Locked, Garbled,
    TooLarge, and what `intake.promote` and `attach` raise.
    """
    upload = await upload_of(upload_id, by=by)
    if upload.multipart:
        raise Conflict("upload_goes_direct", "这个文件正在直接传到存储，请接着用同一种方式传，或放弃后重新上传。")
    if offset != upload.arrived:
        raise _offset_mismatch(upload)
    if upload.evidence_id is None:
        await take(upload, chunks, by=by, store=store, scan=scan, checksum=checksum)
    return upload


async def take(
    upload: Upload,
    chunks: AsyncIterator[bytes],
    *,
    by: Scope,
    store: Objects,
    scan: Scan,
    checksum: Checksum | None = None,
) -> None:
    """The bytes that follow what has arrived, wherever they come from. Raises as `receive`."""
    async with _held(upload) as holder:
        taking = _Taking(upload, holder, by, store, scan)
        try:
            await taking.body(chunks, checksum)
        except Refused as refusal:
            if taking.whole and not isinstance(refusal, PASSING):
                await remove(upload, store=store)
            raise


def _offset_mismatch(upload: Upload) -> Conflict:
    return Conflict("offset_mismatch", "续传的位置不对，请先查询已收到多少，再接着传。", offset=upload.arrived)


@asynccontextmanager
async def _held(upload: Upload) -> AsyncIterator[UUID]:
    """Only this request writes to it. Raises Locked, Conflict."""
    holder, now = new_id(), clock.now()
    free = Upload.filter(Q(holder=None) | Q(held_until__lt=now), zone_id=upload.zone_id, id=upload.id)
    if not await free.filter(arrived=upload.arrived, multipart=upload.multipart).update(
        holder=holder, held_until=now + LEASE
    ):
        raise Locked(
            "upload_busy", "这个文件正在另一个连接上传输，请稍后再试。", retry_after=int(LEASE.total_seconds())
        )
    try:
        yield holder
    finally:
        if upload.evidence_id is None:
            await Upload.filter(zone_id=upload.zone_id, id=upload.id, holder=holder).update(
                holder=None, held_until=None
            )


@dataclass(slots=True)
class _Taking:
    """One request at work on an upload that it holds. `whole`: all bytes are there, and it is about the file itself."""

    upload: Upload
    holder: UUID
    by: Scope
    store: Objects
    scan: Scan
    whole: bool = False
    renew_at: float = field(default_factory=lambda: time.monotonic() + RENEWED_SECONDS)

    async def body(self, chunks: AsyncIterator[bytes], checksum: Checksum | None) -> None:
        """The whole request, run by run."""
        living, ended = self._living(chunks), False
        while not ended and not self.whole:
            run = _Run(living, self.upload, checksum)
            if not await run.begun():
                return
            part_id = new_id()
            await self.store.put(part_key(self.upload, part_id), run, witness=run.hash)
            try:
                run.refuse_garbled()
                await self._kept(part_id, run)
            finally:
                if not run.kept:
                    await self.store.delete(part_key(self.upload, part_id))
            if run.broken:
                raise asyncio.CancelledError
            ended = run.ended

    async def _living(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks; as they come the hold is renewed. Raises Locked where somebody else has taken it over."""
        async for chunk in chunks:
            if time.monotonic() > self.renew_at:
                self.renew_at = time.monotonic() + RENEWED_SECONDS
                held = Upload.filter(zone_id=self.upload.zone_id, id=self.upload.id, holder=self.holder)
                if not await held.update(held_until=clock.now() + LEASE):
                    raise _overtaken()
            yield chunk

    async def _kept(self, part_id: UUID, run: "_Run") -> None:
        self.whole = self.upload.arrived + run.size == self.upload.length
        if self.whole:
            await self._finished(part_id, run)
        else:
            await _keep(self.upload, self.holder, part_id, run.size)
            run.kept = True

    async def _finished(self, last_id: UUID, run: "_Run") -> None:
        earlier = await part_keys(self.upload) if self.upload.parts else []
        key, sha256 = part_key(self.upload, last_id), run.sha256
        if earlier:
            joined, hashed = _joined(self.store, [*earlier, key]), hashlib.sha256()
            key = part_key(self.upload, new_id())
            await self.store.put(key, joined, witness=hashed.update)
            sha256 = hashed.hexdigest()
        try:
            received = await promote(
                *(self.upload.zone_id, self.upload.kind, key, sha256, self.upload.length),
                store=self.store,
                scan=self.scan,
                claimed=self.upload.sha256,
            )
        except BaseException:
            await self.store.delete(key)
            raise
        run.kept = not earlier
        await _finish(self.upload, self.holder, received, by=self.by)
        for each in earlier:
            await self.store.delete(each)


class _Run(AsyncIterator[bytes]):
    """Chunks of the request as they pass, measured, up to its end or to what is kept at a time.

    A connection that breaks off cancels the request; then what has come is kept all the same, and it is `broken`.
    """

    def __init__(self, chunks: AsyncIterator[bytes], upload: Upload, checksum: Checksum | None) -> None:
        self._chunks, self._room, self._checksum = chunks, upload.length - upload.arrived, checksum
        self._until = None if checksum else time.monotonic() + RUN_SECONDS
        self._first: bytes | None = None
        self._whole = hashlib.sha256()
        self._checked = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        self.size, self.ended, self.kept, self.broken = 0, False, False, False

    async def begun(self) -> bool:
        """Whether there is a byte."""
        async for chunk in self._chunks:
            if chunk:
                self._first = chunk
                return True
        return False

    async def __anext__(self) -> bytes:
        if self._until and self.size and time.monotonic() > self._until:
            raise StopAsyncIteration
        chunk = self._first or await self._next()
        self._first = None
        self.size += len(chunk)
        if self.size > self._room:
            raise TooLarge("beyond_length", "收到的内容比说明的长度多，多出的没有保存。请重新上传。")
        return chunk

    def hash(self, chunk: bytes) -> None:
        """Told of each that is kept, where it is kept."""
        self._whole.update(chunk)
        if self._checked:
            self._checked.update(chunk)

    async def _next(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            self.ended = True
            raise
        except asyncio.CancelledError:
            if self._checksum:
                raise
            self.ended = self.broken = True
            raise StopAsyncIteration from None

    @property
    def sha256(self) -> str:
        """Of this run alone."""
        return self._whole.hexdigest()

    def refuse_garbled(self) -> None:
        """Raises Garbled."""
        if self._checked and self._checksum and self._checked.digest() != self._checksum.digest:
            raise Garbled("checksum_mismatch", "这一段在传输中发生了变化，没有保存。请重传这一段。")


async def _joined(store: Objects, keys: list[str]) -> AsyncIterator[bytes]:
    """The bytes of several objects, one after the other."""
    for key in keys:
        async for chunk in store.get(key):
            yield chunk


@atomic()
async def _keep(upload: Upload, holder: UUID, part_id: UUID, size: int) -> None:
    """The run is in the store: say so, and hold on. Raises Conflict, Invalid."""
    if upload.parts >= MOST_PARTS:
        raise Invalid("too_many_parts", f"一个文件最多分 {MOST_PARTS} 段传，请分得大一些，重新上传。")
    zone_id, arrived = upload.zone_id, upload.arrived
    held = Upload.filter(zone_id=zone_id, id=upload.id, holder=holder, ends_at__gt=clock.now())
    if not await held.update(arrived=F("arrived") + size, parts=F("parts") + 1, held_until=clock.now() + LEASE):
        raise _overtaken()
    await UploadPart.create(id=part_id, zone_id=zone_id, upload_id=upload.id, starts_at=arrived, size=size)
    upload.arrived, upload.parts = arrived + size, upload.parts + 1


@atomic()
async def _finish(upload: Upload, holder: UUID, received: Received, *, by: Scope) -> None:
    """The file is at its address: from here on it is evidence, or nothing has changed. Raises as `attach`, Conflict."""
    evidence = await attach(_submission(upload, received), by=by)
    held = Upload.filter(zone_id=upload.zone_id, id=upload.id, holder=holder)
    if not await held.update(arrived=upload.length, evidence_id=evidence.id, holder=None, held_until=None):
        raise _overtaken()
    if upload.parts:
        await UploadPart.filter(zone_id=upload.zone_id, upload_id=upload.id).delete()
    upload.arrived, upload.evidence_id = upload.length, evidence.id


def _submission(upload: Upload, received: Received) -> Submission:
    return Submission(
        client_id=upload.client_id,
        kind=Kind(upload.kind),
        item_id=upload.item_id,
        visit_id=upload.visit_id,
        received=received,
        captured_at=upload.captured_at,
        effective_on=upload.effective_on,
        brought=Brought(nonce=upload.nonce, clock_skew=upload.clock_skew),
    )


def _overtaken() -> Locked:
    return Locked("upload_overtaken", "这个文件已在另一个连接上继续传输或已取消，请先查询再续传。", retry_after=1)
