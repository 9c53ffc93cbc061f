"""What looks like what: a photo sent again after cropping or compressing, a statement pasted from one item to another.

A likeness is a question to the reviewer, never a refusal: one photo may honestly show what two items ask for. Hashing
and searching are the worker's; here is what is remembered, and that of two sent at once the later sees the other.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

from models.base import database
from models.base.database import atomic
from models.base.ids import new_id
from models.evidence.tables import Evidence, Kind, Look

RADIUS = {Kind.PHOTO: 44, Kind.TEXT: 56}
"""Bits of 256 that may differ. Measured (docs/evidence.md): distinct scenes begin at twice that."""
MOST_NEAR = 500
MOST_LIKENESSES = 20


class Looks(Protocol):
    """A search over all looks of a zone (workers.likenesses.Looks is one)."""

    async def near(self, zone_id: UUID, kind: Kind, looks: Sequence[bytes], *, within: int) -> Mapping[int, int]:
        """Numbers of the committed looks at most `within` bits from any of `looks`, each with its distance."""


async def statement(zone_id: UUID, evidence_id: UUID) -> str | None:
    """The words to be compared, or None where it is no statement."""
    row = await Evidence.get_or_none(zone_id=zone_id, id=evidence_id, kind=Kind.TEXT)
    return row.text if row else None


@atomic()
async def compare(zone_id: UUID, evidence_id: UUID, kind: Kind, looks: Sequence[bytes], *, among: Looks) -> None:
    """Note what looks like this piece, and remember how it looks; again it changes nothing.

    One at a time in a zone: of two that come together, the second finds the first.
    """
    await database.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", [f"looks:{zone_id}:{kind.value}"])
    if not looks or await Look.filter(zone_id=zone_id, evidence_id=evidence_id).exists():
        return
    near = await among.near(zone_id, kind, looks, within=RADIUS[kind])
    await _note(zone_id, evidence_id, kind, sorted(near.items(), key=lambda pair: pair[1])[:MOST_NEAR])
    await _remember(zone_id, evidence_id, kind, looks)


async def _note(zone_id: UUID, evidence_id: UUID, kind: Kind, near: Sequence[tuple[int, int]]) -> None:
    """The same file is known by its SHA-256 already and would crowd out what is only alike."""
    found = await database.fetch(
        "select e.id, min(n.distance) as distance from unnest($4::bigint[], $5::int[]) n (number, distance)"
        " join look l on l.zone_id = $1 and l.kind = $3 and l.number = n.number"
        " join evidence e on e.zone_id = $1 and e.id = l.evidence_id"
        " join evidence own on own.zone_id = $1 and own.id = $2"
        " where e.sha256 is distinct from own.sha256 or e.sha256 is null"
        " group by e.id order by 2, e.id limit $6",
        *(zone_id, evidence_id, kind.value, [number for number, _ in near], [distance for _, distance in near]),
        MOST_LIKENESSES,
    )
    await database.execute(
        "insert into likeness (id, zone_id, evidence_id, other_id, distance)"
        " select n.id, $1, $2, n.other_id, n.distance"
        " from unnest($3::uuid[], $4::uuid[], $5::int[]) n (id, other_id, distance)",
        [
            *(zone_id, evidence_id, [new_id() for _ in found]),
            *([row["id"] for row in found], [row["distance"] for row in found]),
        ],
    )


async def _remember(zone_id: UUID, evidence_id: UUID, kind: Kind, looks: Sequence[bytes]) -> None:
    await database.execute(
        "insert into look (id, zone_id, evidence_id, kind, number, bits)"
        " select n.id, $1, $2, $3, n.place + newest.number, n.bits"
        " from unnest($4::uuid[], $5::bytea[]) with ordinality n (id, bits, place),"
        " (select coalesce(max(number), 0) as number from look where zone_id = $1 and kind = $3) newest",
        [zone_id, evidence_id, kind.value, [new_id() for _ in looks], list(looks)],
    )


async def looks_after(zone_id: UUID, kind: Kind, number: int, limit: int) -> tuple[list[int], bytes]:
    """Numbers of the next looks after `number`, at most `limit`, and their bits one after the other."""
    (row,) = await database.fetch(
        "select coalesce(array_agg(number order by number), '{}') as numbers,"
        " coalesce(string_agg(bits, ''::bytea order by number), '') as bits"
        " from (select number, bits from look where zone_id = $1 and kind = $2 and number > $3"
        " order by number limit $4) l",
        *(zone_id, kind.value, number, limit),
    )
    return row["numbers"], row["bits"]
