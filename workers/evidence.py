"""What happens to evidence by itself: pictures are drawn and compared, originals verified, remains swept."""

import asyncio
import hashlib
import re
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import structlog

from gateways.store import ENVELOPES, Damaged, KeyMissing, Missing, Store
from models import evidence, organization
from models.evidence import Damage, Drawing, Form, Kind
from workers import looks, metrics, pictures
from workers.relay import Context, every, handles

log = structlog.get_logger()
SHA256 = re.compile("[0-9a-f]{64}")
VERIFYING_SECONDS = 10
VERIFIED_BYTES = 32 * 1024 * 1024
"""Of each zone in a round of a worker: some 270 GB a day."""


@handles(evidence.DERIVE)
async def derive(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """Draw a file's view and thumbnail; one that cannot be drawn is given up and stays as it is."""
    async with pictures.turn():
        drawing = await evidence.begin_drawing(zone_id, UUID(payload["evidence_id"]))
        if drawing is None:
            return
        try:
            made = await _drawn(context, drawing)
        except pictures.Undrawable as reason:
            log.info("evidence.undrawable", evidence_id=str(drawing.evidence_id), reason=str(reason))
            await evidence.give_up(zone_id, drawing.evidence_id)
            return
    if drawing.kind is Kind.PHOTO:  # one printed page looks like another, and says little of itself
        await evidence.trace(zone_id, drawing.evidence_id, asdict(made.traces))
        await _compare(context, zone_id, drawing.evidence_id, Kind.PHOTO, made.looks)
    stored = {
        Form.VIEW: await _keep(context, zone_id, made.view),
        Form.THUMBNAIL: await _keep(context, zone_id, made.thumbnail),
    }
    await evidence.drawn(zone_id, drawing.evidence_id, stored)


async def _drawn(context: Context, drawing: Drawing) -> pictures.Pictures:
    unopened = drawing.media_type in pictures.SIGNS
    original = b"" if unopened else await context.store.read(drawing.key)
    return await pictures.draw(original, drawing.media_type, drawing.caption)


@handles(evidence.COMPARE)
async def compare(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """Look for statements that say the same elsewhere."""
    evidence_id = UUID(payload["evidence_id"])
    words = await evidence.statement(zone_id, evidence_id)
    if words is not None:
        await _compare(context, zone_id, evidence_id, Kind.TEXT, await asyncio.to_thread(looks.of_words, words))


async def _compare(context: Context, zone_id: UUID, evidence_id: UUID, kind: Kind, seen: tuple[bytes, ...]) -> None:
    await context.looks.current(zone_id, kind)  # a first reading takes its time: not while others wait for the lock
    await evidence.compare(zone_id, evidence_id, kind, seen, among=context.looks)


async def _keep(context: Context, zone_id: UUID, picture: bytes) -> tuple[str, int]:
    sha256 = hashlib.sha256(picture).hexdigest()
    await evidence.hold(zone_id, sha256)
    await context.store.put(evidence.address(zone_id, sha256), picture)
    return sha256, len(picture)


@every(seconds=3600)
async def sweep_incoming(context: Context) -> None:
    """Remove what interrupted uploads left behind days ago."""
    removed = await evidence.sweep_incoming(context.store)
    if removed:
        log.info("evidence.swept", removed=removed)


@every(seconds=VERIFYING_SECONDS)
async def verify(context: Context) -> None:
    """Hash originals again that are due, so many bytes a round; the watchdog raises the alarm for what is damaged."""
    for zone_id in await organization.zone_ids():
        for sha256, size in await evidence.claim_unverified(zone_id, VERIFIED_BYTES):
            await verify_one(context.store, zone_id, sha256)
            metrics.verified_bytes.inc(size)


async def verify_one(store: Store, zone_id: UUID, sha256: str) -> Damage | None:
    """Hash one original again and note what was found. Raises Unavailable: then nothing is known, and nothing noted."""
    damage = await _damage(store, evidence.address(zone_id, sha256), sha256)
    if damage:
        log.error("evidence.damaged", zone_id=str(zone_id), sha256=sha256, damage=damage.value)
    await evidence.verified(zone_id, sha256, damage)
    return damage


async def _damage(store: Store, key: str, sha256: str) -> Damage | None:
    hashed = hashlib.sha256()
    try:
        async for chunk in store.get(key):
            await asyncio.to_thread(hashed.update, chunk)
    except Missing:
        return Damage.MISSING
    except KeyMissing:
        return Damage.LOCKED
    except Damaged:
        return Damage.ALTERED
    return None if hashed.hexdigest() == sha256 else Damage.ALTERED


@every(seconds=86_400)
async def sweep_unnamed(context: Context) -> None:
    """Remove what no row has named for a week: uploads never attached, pictures of a drawing that was interrupted."""
    for zone_id in await organization.zone_ids():
        removed = await clear_unnamed(context.store, zone_id, evidence.unnamed_before())
        if removed:
            metrics.unnamed_removed.inc(removed)
            log.info("evidence.unnamed_removed", zone_id=str(zone_id), removed=removed)
        await evidence.end_holds(zone_id)


async def clear_unnamed(store: Store, zone_id: UUID, before: datetime) -> int:
    """Remove the zone's objects that were written before then and that no row names or holds; how many."""
    removed = 0
    for prefix in (f"{zone_id}", f"{ENVELOPES}/{zone_id}"):
        async for page in store.pages(prefix):
            old = {kept.key.rpartition("/")[2] for kept in page if kept.written_at < before}
            for sha256 in sorted(await evidence.unnamed(zone_id, [name for name in old if SHA256.fullmatch(name)])):
                removed += await _cleared(store, zone_id, sha256)
    return removed


async def _cleared(store: Store, zone_id: UUID, sha256: str) -> bool:
    if not await evidence.begin_clearing(zone_id, sha256):
        return False
    key = evidence.address(zone_id, sha256)
    await store.delete(key)
    await store.delete(f"{ENVELOPES}/{key}")
    await evidence.cleared(zone_id, sha256)  # not where that failed: a removal may still be on its way
    return True


@every(seconds=600)
async def sweep_uploads(context: Context) -> None:
    """Remove uploads whose time is over."""
    for zone_id in await organization.zone_ids():
        unfinished = await evidence.sweep_ended(zone_id, store=context.store)
        metrics.uploads_expired.inc(unfinished)
        if unfinished:
            log.info("evidence.uploads_expired", zone_id=str(zone_id), unfinished=unfinished)
