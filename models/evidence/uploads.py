"""A file that comes in parts over a network that breaks off: what has arrived stays, and the rest follows.

Processes of the API keep nothing of it, and any of them may take the next bytes. A run of bytes becomes an object under
`incoming/` first and a row then, so a process may die at any moment: an object without a row is swept, a row without
its object cannot be. One request at a time writes to an upload; it holds it by a lease, and a dead one's lapses. The
last run is counted only together with the evidence: until then the sender is told that it is missing, and sends it
again.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from tortoise.expressions import F, Q

from models.base import clock, database
from models.base.database import atomic
from models.base.errors import (
    Conflict,
    Forbidden,
    Garbled,
    Gone,
    Invalid,
    Locked,
    NotFound,
    Refused,
    TooLarge,
    Unavailable,
)
from models.base.ids import new_id
from models.base.scope import Scope
from models.evidence import allowance
from models.evidence.attaching import Brought, Submission, attach, client_id_reused, refuse_stranger
from models.evidence.contents import SIZE_LIMITS
from models.evidence.intake import INCOMING, Objects, Received, Scan, empty, no_scan, promote, too_large
from models.evidence.tables import Kind, Upload, UploadPart
from models.ledger.people import who

LASTS = timedelta(days=3)
LEASE = timedelta(seconds=5)
RENEWED_SECONDS = 1.0
"""A hold is renewed as bytes come, so that a dead one, or one whose connection went silent, lapses soon."""
RUN_SECONDS = 10.0
"""A body that comes slowly is kept in runs: what a dead process or connection costs is this much of it."""
MOST_PARTS = 1_000
MOST_SWEPT = 200
ALGORITHMS = ("sha256", "sha1")
PASSING = (Locked, Unavailable)
"""Refusals that say nothing of the file: its sender may try again with what has arrived."""


BEGUN = """
with begun as (
  insert into upload select * from json_populate_record(null::upload, $1)
  on conflict (zone_id, client_id) do nothing returning zone_id, client_id
)
select e.submitted_by, e.sha256 from begun left join evidence e using (zone_id, client_id)
"""
"""What was submitted under its `client_id` before, if anything; no row where an upload stands under it."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """Of one request's bytes, as their sender computed it; `algorithm` is one of `ALGORITHMS`."""

    algorithm: str
    digest: bytes


@atomic()
async def begin(given: Submission, *, length: int, sha256: str | None, by: Scope) -> Upload:
    """Make room for a file of `length` bytes, to be submitted as `given`; `sha256` (hex) if the sender knows it.

    The same again answers with the first one, wherever that has come to. Raises NotFound, Forbidden, Invalid, TooLarge,
    TooMany, Conflict (`client_id_reused`).
    """
    submitter = who(by)
    if submitter is None:
        raise Forbidden("not_your_step", "佐证材料应由具体的人提交。")
    if length == 0:
        raise empty()
    if length > SIZE_LIMITS[given.kind]:
        raise too_large(SIZE_LIMITS[given.kind])
    await refuse_stranger(by=by, item_id=given.item_id, visit_id=given.visit_id)
    announced = _announced(given, length, sha256, submitter)
    upload = Upload(
        zone_id=by.zone_id,
        client_id=given.client_id,
        ends_at=clock.now() + LASTS,
        **announced,
        **asdict(given.brought),  # not announced: a repetition may bring another
    )
    while not (earlier := await database.fetch(BEGUN, database.as_json(database.columns(upload)))):
        known = await Upload.get_or_none(zone_id=by.zone_id, client_id=given.client_id)
        if known is not None and known.ends_at > clock.now():
            return _same(known, announced)
        if known is not None:
            await _forget([known.id], by.zone_id)
    _refuse_other_evidence(upload, earlier[0])
    await allowance.open_up(by.zone_id, submitter, length)
    return upload


def _announced(given: Submission, length: int, sha256: str | None, submitter: UUID) -> dict[str, Any]:
    return {
        "submitted_by": submitter,
        "kind": given.kind,
        "item_id": given.item_id,
        "visit_id": given.visit_id,
        "captured_at": given.captured_at,
        "effective_on": given.effective_on,
        "sha256": sha256.lower() if sha256 else None,
        "length": length,
    }


def _same(known: Upload, announced: dict[str, Any]) -> Upload:
    if any(getattr(known, name) != value for name, value in announced.items()):
        raise client_id_reused()
    return known


def _refuse_other_evidence(upload: Upload, earlier: dict[str, Any]) -> None:
    """Before its bytes are taken where the hash is known; `attach` has the last word."""
    if earlier["submitted_by"] is None:
        return
    if earlier["submitted_by"] != upload.submitted_by or upload.sha256 not in (None, earlier["sha256"]):
        raise client_id_reused()


async def upload_of(upload_id: UUID, *, by: Scope) -> Upload:
    """The caller's own. Raises NotFound; Gone where its time is over."""
    upload = await Upload.get_or_none(zone_id=by.zone_id, id=upload_id, submitted_by=who(by))
    if upload is None:
        raise NotFound()
    if upload.ends_at <= clock.now():
        raise Gone("upload_ended", "这次上传超过3天没有传完，已清除。手机上的文件还在，请重新上传。")
    return upload


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
    Raises NotFound, Gone, Conflict (`offset_mismatch`, `upload_overtaken`), Locked, Garbled, TooLarge, and what
    `intake.promote` and `attach` raise.
    """
    upload = await upload_of(upload_id, by=by)
    if offset != upload.arrived:
        raise _offset_mismatch(upload)
    if upload.evidence_id:
        return upload
    async with _held(upload) as holder:
        taking = _Taking(upload, holder, by, store, scan)
        try:
            await taking.body(chunks, checksum)
        except Refused as refusal:
            if taking.whole and not isinstance(refusal, PASSING):
                await remove(upload, store=store)
            raise
    return upload


def _offset_mismatch(upload: Upload) -> Conflict:
    return Conflict("offset_mismatch", "续传的位置不对，请先查询已收到多少，再接着传。", offset=upload.arrived)


@asynccontextmanager
async def _held(upload: Upload) -> AsyncIterator[UUID]:
    """Only this request writes to it. Raises Locked, Conflict."""
    holder, now = new_id(), clock.now()
    free = Upload.filter(Q(holder=None) | Q(held_until__lt=now), zone_id=upload.zone_id, id=upload.id)
    if not await free.filter(arrived=upload.arrived).update(holder=holder, held_until=now + LEASE):
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
        earlier = await _part_keys(self.upload) if self.upload.parts else []
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


def part_key(upload: Upload, part_id: UUID) -> str:
    """Where the bytes of a part are kept until the file is whole."""
    return f"{INCOMING}/{upload.zone_id}/{upload.id}/{part_id}"


async def _part_keys(upload: Upload) -> list[str]:
    rows = UploadPart.filter(zone_id=upload.zone_id, upload_id=upload.id).order_by("starts_at")
    return [part_key(upload, each) for each in await rows.values_list("id", flat=True)]  # type: ignore[arg-type]


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


async def remove(upload: Upload, *, store: Objects) -> None:
    """Give the upload up, with what has arrived of it; evidence that it has become stays."""
    keys = await _part_keys(upload)
    await _forget([upload.id], upload.zone_id)
    for key in keys:
        await store.delete(key)


@atomic()
async def _forget(ids: list[UUID], zone_id: UUID) -> None:
    await UploadPart.filter(zone_id=zone_id, upload_id__in=ids).delete()
    await Upload.filter(zone_id=zone_id, id__in=ids).delete()


async def sweep_ended(zone_id: UUID, *, store: Objects) -> int:
    """Remove uploads whose time is over, `MOST_SWEPT` at most, and old counts; how many were not finished."""
    ended = await Upload.filter(zone_id=zone_id, ends_at__lte=clock.now()).order_by("ends_at").limit(MOST_SWEPT)
    for upload in ended:
        await remove(upload, store=store)
    await allowance.forget_days(zone_id)
    return sum(upload.evidence_id is None for upload in ended)
