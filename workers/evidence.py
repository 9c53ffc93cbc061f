"""What happens to evidence by itself: pictures are drawn, what interrupted uploads left is swept."""

import hashlib
from uuid import UUID

import structlog

from models import evidence
from models.evidence import Form
from workers import pictures
from workers.relay import Context, every, handles

log = structlog.get_logger()


@handles(evidence.DERIVE)
async def derive(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """Draw a photo's view and thumbnail; one that cannot be drawn is given up and stays as it is."""
    async with pictures.turn():
        drawing = await evidence.begin_drawing(zone_id, UUID(payload["evidence_id"]))
        if drawing is None:
            return
        try:
            made = await pictures.draw(await context.store.read(drawing.key), drawing.caption)
        except pictures.Undrawable as reason:
            log.info("evidence.undrawable", evidence_id=str(drawing.evidence_id), reason=str(reason))
            await evidence.give_up(zone_id, drawing.evidence_id)
            return
    stored = {
        Form.VIEW: await _keep(context, zone_id, made.view),
        Form.THUMBNAIL: await _keep(context, zone_id, made.thumbnail),
    }
    await evidence.drawn(zone_id, drawing.evidence_id, stored)


async def _keep(context: Context, zone_id: UUID, picture: bytes) -> tuple[str, int]:
    sha256 = hashlib.sha256(picture).hexdigest()
    await context.store.put(evidence.address(zone_id, sha256), picture)
    return sha256, len(picture)


@every(seconds=3600)
async def sweep_incoming(context: Context) -> None:
    """Remove what interrupted uploads left behind a day ago."""
    removed = await evidence.sweep_incoming(context.store)
    if removed:
        log.info("evidence.swept", removed=removed)
