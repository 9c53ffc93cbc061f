"""What goes with evidence where it is shown: who submitted it, its file and pictures, other uses of the same file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.base import database
from models.base.scope import Role, Scope
from models.evidence.tables import Blob, Derivation, Evidence, Form
from models.ledger.people import who
from models.organization import Person

MOST_USES = 20


@dataclass(frozen=True, slots=True)
class Use:
    """Where the same bytes were submitted before or since; `number` is the item's, None for a visit's or a draft."""

    evidence_id: UUID
    item_id: UUID | None
    visit_id: UUID | None
    number: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """What goes with a row when it is shown: its file, its pictures' states and, to reviewers, its other uses.

    `submitter` is a person's name, or the office's where an account without one submitted it.
    """

    submitter: str
    blob: Blob | None
    pictures: dict[Form, Derivation]
    uses: tuple[Use, ...]


async def shown(rows: Iterable[Evidence], *, by: Scope) -> dict[UUID, Shown]:
    """What goes with each of `rows` (of the caller's zone), in four statements however many there are.

    A reuse names items of other people: it is for those who review, of what others submitted.
    """
    rows = list(rows)
    zone_id, hashes = by.zone_id, [row.sha256 for row in rows if row.sha256]
    submitters = Person.filter(zone_id=zone_id, id__in=list({row.submitted_by for row in rows}))
    names = dict(await submitters.values_list("id", "name"))
    blobs = {blob.sha256: blob for blob in await Blob.filter(zone_id=zone_id, sha256__in=hashes)}
    pictures: dict[UUID, dict[Form, Derivation]] = {row.id: {} for row in rows}
    for picture in await Derivation.filter(zone_id=zone_id, evidence_id__in=list(pictures)):
        pictures[picture.evidence_id][picture.form] = picture
    uses = await _uses(zone_id, hashes) if by.may(Role.UNIT_LEADER, Role.OVERSIGHT) else {}
    return {
        row.id: Shown(
            names.get(row.submitted_by, "监督机构"),
            blobs.get(row.sha256 or ""),
            pictures[row.id],
            _elsewhere(uses, row) if row.submitted_by != who(by) else (),
        )
        for row in rows
    }


def _elsewhere(uses: dict[str, list[Use]], row: Evidence) -> tuple[Use, ...]:
    return tuple(use for use in uses.get(row.sha256 or "", ()) if use.evidence_id != row.id)[:MOST_USES]


async def _uses(zone_id: UUID, hashes: list[str]) -> dict[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for row in await database.fetch(
        "select u.* from unnest($2::text[]) as h (sha256) cross join lateral ("
        " select e.sha256, e.id, e.item_id, e.visit_id, i.number, e.received_at"
        " from evidence e left join item i on i.id = e.item_id"
        " where e.zone_id = $1 and e.sha256 = h.sha256 order by e.id limit $3) u",
        zone_id,
        sorted(set(hashes)),
        MOST_USES + 1,
    ):
        use = Use(row["id"], row["item_id"], row["visit_id"], row["number"], row["received_at"])
        found.setdefault(row["sha256"], []).append(use)
    return found
