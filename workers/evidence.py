"""What happens to evidence by itself: pictures are drawn and compared, what interrupted uploads left is swept."""

import asyncio
import hashlib
from dataclasses import asdict
from uuid import UUID

import structlog

from models import evidence, organization
from models.evidence import Drawing, Form, Kind
from workers import looks, metrics, pictures
from workers.relay import Context, every, handles

log = structlog.get_logger()


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
    await context.store.put(evidence.address(zone_id, sha256), picture)
    return sha256, len(picture)


@every(seconds=3600)
async def sweep_incoming(context: Context) -> None:
    """Remove what interrupted uploads left behind days ago."""
    removed = await evidence.sweep_incoming(context.store)
    if removed:
        log.info("evidence.swept", removed=removed)


@every(seconds=600)
async def sweep_uploads(context: Context) -> None:
    """Remove uploads whose time is over."""
    for zone_id in await organization.zone_ids():
        unfinished = await evidence.sweep_ended(zone_id, store=context.store)
        metrics.uploads_expired.inc(unfinished)
        if unfinished:
            log.info("evidence.uploads_expired", zone_id=str(zone_id), unfinished=unfinished)
