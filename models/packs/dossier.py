"""One item's file as the pack holds it: its facts as they stand in the database at one instant, and the log's rows.

Names appear where the file needs them (who owned, submitted, reviewed, visited); no numbers, no addresses, and of a
visit's place only whether one was given.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from models import ledger
from models.base import audit, database
from models.base.scope import Scope
from models.evidence import EXTENSIONS, Blob, Derivation, DerivationState, Evidence, Form
from models.ledger import Campaign, Cycle, Item, Moment
from models.ledger.tables import Extension
from models.lookbacks import Cosignature, Visit, VisitRecord
from models.organization import Person, Unit

MOST_ROWS = 20_000
"""Pieces of evidence, moments or rows of the log of one item; nobody has a hundredth of it."""
KINDS = {"photo": "照片", "document": "文档", "text": "文字说明", "paper_reference": "纸质材料编号"}


class TooLong(Exception):
    """An item with more of something than a pack is made for."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """`facts` go to item.json and are what the timeline is drawn from; `rows` are the log's, in its order.

    `files` are originals and views: path in the pack, SHA-256 under which it is stored, whether it is an original.
    """

    number: str
    facts: dict[str, Any]
    rows: list[dict[str, Any]]
    files: list[tuple[str, str, bool]]

    @property
    def classification(self) -> str:
        classification: str = self.facts["item"]["classification"]
        return classification


async def dossier(item_id: UUID, zone_id: UUID) -> Dossier:
    """Read in one snapshot, so that facts and log agree. Raises TooLong."""
    async with database.in_transaction():
        await database.execute("set transaction isolation level repeatable read, read only")
        item = await Item.get(zone_id=zone_id, id=item_id)
        return await _read(item)


async def _read(item: Item) -> Dossier:
    zone_id = item.zone_id
    visits = await Visit.filter(zone_id=zone_id, item_id=item.id).select_related("plan").order_by("id")
    own = Q(item_id=item.id, visit_id__in=[visit.id for visit in visits], join_type=Q.OR)
    pieces = await Evidence.filter(own, zone_id=zone_id).order_by("id").limit(MOST_ROWS)
    records = await VisitRecord.filter(zone_id=zone_id, visit_id__in=[visit.id for visit in visits]).order_by("id")
    subjects = [item.id, *(piece.id for piece in pieces), *(visit.id for visit in visits)]
    rows = await audit.rows_about(zone_id, subjects, limit=MOST_ROWS)
    if MOST_ROWS in (len(pieces), len(rows)):
        raise TooLong
    names = await _names(zone_id, item, pieces, visits, records)
    paths = await _paths(zone_id, pieces)
    facts = {
        "item": await _item(item, names),
        "cycles": [_plain(cycle, CYCLE) for cycle in await _of(Cycle, item)],
        "extensions": [_plain(one, ASKED) for one in await _of(Extension, item)],
        "timeline": [_moment(moment) for moment in await _timeline(item)],
        "evidence": [_piece(piece, names, paths) for piece in pieces],
        "visits": [_visit(visit, names, await _recorded(visit, records)) for visit in visits],
    }
    files = {file for of_piece in paths.values() for file in of_piece}
    return Dossier(item.number or str(item.id), facts, rows, sorted(files))


async def _of(table: Any, item: Item) -> list[Any]:
    rows: list[Any] = await table.filter(zone_id=item.zone_id, item_id=item.id).order_by("id").limit(MOST_ROWS)
    return rows


CYCLE = (
    *("number", "opened_at", "reason", "basis", "due_on", "received_at", "requested_at", "returned_times"),
    *("closed_at", "first_pass"),
)
ASKED = ("cycle", "asked_at", "reason", "old_due_on", "new_due_on", "state", "decided_at")
ITEM = (
    *("id", "number", "list", "title", "requirement", "basis", "area", "classification", "state", "cycle", "due_on"),
    *("immediate_fix", "stage_goal", "issued_at", "closed_at"),
)
PIECE = (
    *("id", "item_id", "visit_id", "cycle", "kind", "sha256", "text", "paper_reference", "captured_at", "received_at"),
    *("effective_on", "review", "review_reason", "found_effective_on", "reviewed_at"),
)
RECORD = (
    *("id", "verdict", "seen", "interview", "follow_up", "checks", "visited_at", "received_at", "source", "paper"),
    *("corrects", "correction_reason", "effect"),
)


def _plain(row: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    return {column: getattr(row, column) for column in columns}


async def _item(item: Item, names: dict[UUID, str]) -> dict[str, Any]:
    unit = await Unit.get(zone_id=item.zone_id, id=item.unit_id)
    campaign = await Campaign.get(zone_id=item.zone_id, id=item.campaign_id)
    shown = {"state_label": item.state.label, "list_label": item.list.label, "campaign": campaign.name}
    return _plain(item, ITEM) | shown | {"unit": unit.name, "owner": names.get(item.owner_id, "")}


async def _timeline(item: Item) -> list[Moment]:
    """Oldest first."""
    found: list[Moment] = []
    while page := await ledger.timeline(
        item.id, by=Scope.system(item.zone_id), after=found[-1].id if found else None, limit=100
    ):
        found += page
        if len(found) >= MOST_ROWS:
            raise TooLong
    return found[::-1]


def _moment(moment: Moment) -> dict[str, Any]:
    columns = ("at", "event", "label", "actor", "acting_for", "cycle", "text", "missing", "due_on")
    return {"row": moment.id, **_plain(moment, columns)}


def _piece(piece: Evidence, names: dict[UUID, str], paths: dict[UUID, list[tuple[str, str, bool]]]) -> dict[str, Any]:
    files = {"original" if original else "view": path for path, _, original in paths.get(piece.id, ())}
    shown = {
        "kind_label": KINDS[piece.kind.value],
        "review_label": piece.review.label,
        "submitted_by": names.get(piece.submitted_by, "监督机构"),
        "reviewed_by": names.get(piece.reviewed_by, "监督机构") if piece.reviewed_by else None,
        "files": files,
    }
    return _plain(piece, PIECE) | shown


async def _paths(zone_id: UUID, pieces: list[Evidence]) -> dict[UUID, list[tuple[str, str, bool]]]:
    hashes = {piece.sha256 for piece in pieces if piece.sha256}
    blobs = {blob.sha256: blob for blob in await Blob.filter(zone_id=zone_id, sha256__in=list(hashes))}
    done = Derivation.filter(zone_id=zone_id, form=Form.VIEW, state=DerivationState.DONE)
    views = {view.evidence_id: view for view in await done.filter(evidence_id__in=[piece.id for piece in pieces])}
    found: dict[UUID, list[tuple[str, str, bool]]] = {}
    for piece in pieces:
        if piece.sha256 and piece.sha256 in blobs:
            extension = EXTENSIONS[blobs[piece.sha256].media_type]
            found[piece.id] = [(f"originals/{piece.sha256}.{extension}", piece.sha256, True)]
        view = views.get(piece.id)
        if view and view.sha256:
            found.setdefault(piece.id, []).append((f"views/{view.sha256}.webp", view.sha256, False))
    return found


async def _recorded(visit: Visit, records: list[VisitRecord]) -> list[dict[str, Any]]:
    own = [record for record in records if record.visit_id == visit.id]
    signed = await Cosignature.filter(zone_id=visit.zone_id, record_id__in=[record.id for record in own])
    cosigned = {signature.record_id for signature in signed}
    return [
        _plain(record, RECORD)
        | {
            "verdict_label": record.verdict.label,
            "place_given": record.latitude is not None,
            "cosigned": record.id in cosigned,
        }
        for record in own
    ]


def _visit(visit: Visit, names: dict[UUID, str], records: list[dict[str, Any]]) -> dict[str, Any]:
    inspectors = [names.get(person, "") for person in visit.team]
    plan = {"plan": visit.plan.name, "inspectors": inspectors, "records": records}
    return _plain(visit, ("id", "cycle", "due_on", "recorded_at")) | plan


async def _names(
    zone_id: UUID, item: Item, pieces: list[Evidence], visits: list[Visit], records: list[VisitRecord]
) -> dict[UUID, str]:
    people = {item.owner_id, *(person for visit in visits for person in visit.team)}
    people |= {person for piece in pieces for person in (piece.submitted_by, piece.reviewed_by) if person}
    found = await Person.filter(zone_id=zone_id, id__in=list(people)).values_list("id", "name")
    return dict(found)  # type: ignore[arg-type]
