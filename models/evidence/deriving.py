"""The pictures made from a file: what is owed, and what became of it. Drawing itself is the worker's."""

from dataclasses import dataclass
from uuid import UUID

from tortoise.expressions import F

from models import ledger
from models.base import clock
from models.base.database import atomic
from models.base.errors import NotFound
from models.evidence.intake import address
from models.evidence.tables import Blob, Derivation, DerivationState, Evidence, Form, Kind
from models.organization import Unit

MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Drawing:
    """One file to be drawn: its kind, the key and media type of its original, the caption to be written on the view."""

    evidence_id: UUID
    kind: Kind
    key: str
    media_type: str
    caption: str


@atomic()
async def begin_drawing(zone_id: UUID, evidence_id: UUID) -> Drawing | None:
    """What is to be drawn, or None where it is done or given up. Counts the attempt."""
    waiting = Derivation.filter(zone_id=zone_id, evidence_id=evidence_id, state=DerivationState.WAITING)
    rows = await waiting.select_for_update()
    evidence = await Evidence.get_or_none(zone_id=zone_id, id=evidence_id)
    if not rows or evidence is None or evidence.sha256 is None:
        return None
    if rows[0].attempts >= MOST_ATTEMPTS:
        await give_up(zone_id, evidence_id)
        return None
    await waiting.update(attempts=F("attempts") + 1)
    blob = await blob_of(evidence)
    key = address(zone_id, evidence.sha256)
    return Drawing(evidence_id, evidence.kind, key, blob.media_type, await _caption(evidence))


async def _caption(evidence: Evidence) -> str:
    """`ZL-WT-2026-0001  2026-11-24 15:00  U0103`: number, time of receipt, code of the unit. No name, no face.

    ASCII only: a font of Chinese characters is 5 to 20 MB, and the number leads to everything else.
    """
    parts = [f"{clock.local(evidence.received_at):%Y-%m-%d %H:%M}"]
    item = await ledger.Item.get_or_none(zone_id=evidence.zone_id, id=evidence.item_id) if evidence.item_id else None
    if item is not None:
        unit = await Unit.get(zone_id=evidence.zone_id, id=item.unit_id)
        parts = [item.number or "", *parts, unit.code]
    return "  ".join(part for part in parts if part).encode("ascii", "ignore").decode()


@atomic()
async def drawn(zone_id: UUID, evidence_id: UUID, pictures: dict[Form, tuple[str, int]]) -> None:
    """The pictures stand in the store: form to SHA-256 (hex) and size in bytes."""
    for form, (sha256, size) in pictures.items():
        await Derivation.filter(zone_id=zone_id, evidence_id=evidence_id, form=form).update(
            state=DerivationState.DONE, sha256=sha256, size=size
        )


@atomic()
async def give_up(zone_id: UUID, evidence_id: UUID) -> None:
    """The original cannot be drawn; it stays, and reviewers see that it has no view."""
    await Derivation.filter(zone_id=zone_id, evidence_id=evidence_id, state=DerivationState.WAITING).update(
        state=DerivationState.FAILED
    )


async def picture_of(evidence: Evidence, form: Form) -> Derivation:
    """A picture that is done. Raises NotFound (`picture_not_ready`) while it waits, or where there is none."""
    picture = await Derivation.get_or_none(
        zone_id=evidence.zone_id, evidence_id=evidence.id, form=form, state=DerivationState.DONE
    )
    if picture is None:
        raise NotFound("picture_not_ready", "预览图还没有生成，或者这份材料没有预览图。可以查看原件。")
    return picture


async def blob_of(evidence: Evidence) -> Blob:
    """The original's bytes. Raises NotFound (`no_file`) for words and references to paper."""
    blob = await Blob.get_or_none(zone_id=evidence.zone_id, sha256=evidence.sha256) if evidence.sha256 else None
    if blob is None:
        raise NotFound("no_file", "这份材料是文字说明或纸质材料编号，没有文件。")
    return blob
