"""What goes with evidence where it is shown: its submitter, file and pictures; to reviewers, uses and signals."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import orjson

from models.base import database
from models.base.scope import Role, Scope
from models.evidence.signals import Signal, signals_of
from models.evidence.tables import DerivationState, Evidence, Form, Kind
from models.ledger.people import reading_as, visible, who

MOST_USES = 20


class Alike(StrEnum):
    """In what two pieces of evidence are alike."""

    SAME_FILE = "same_file"
    LOOKS_ALIKE = "looks_alike"
    READS_ALIKE = "reads_alike"

    @property
    def question(self) -> str:
        """What the reviewer is asked; one piece may honestly serve several items."""
        return {
            "same_file": "这个文件在别处也提交过。一份材料可以说明几件事项，请核对用在这里是否合适。",
            "looks_alike": "这张照片与别处的一张画面相近，可能是裁剪、压缩或截屏后再次使用。请对照两张照片核对。",
            "reads_alike": "这段说明与别处的一段文字相近。请核对是否写的是本事项的实际情况。",
        }[self.value]


@dataclass(frozen=True, slots=True)
class Use:
    """Where the like of a piece was submitted before or since.

    `number` is the item's, None for a visit's or a draft. `readable`: whether the caller may open it and see both side
    by side.
    """

    evidence_id: UUID
    item_id: UUID | None
    visit_id: UUID | None
    number: str | None
    received_at: datetime
    alike: Alike
    readable: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What goes with a row when it is shown: its file, its pictures' states; to reviewers, uses and signals.

    `submitter` is a person's name, or the office's where an account without one submitted it; `size` in bytes.
    """

    submitter: str
    size: int | None
    media_type: str | None
    pictures: dict[Form, DerivationState]
    uses: tuple[Use, ...]
    signals: tuple[Signal, ...]


async def shown(rows: Iterable[Evidence], *, by: Scope) -> dict[UUID, Shown]:
    """What goes with each of `rows` (of the caller's zone), in so many statements however many rows there are.

    A reuse names items of other people: it is for those who review, of what others submitted.
    """
    rows = list(rows)
    along = {row["id"]: row for row in await database.fetch(ALONG, by.zone_id, [row.id for row in rows])}
    reviews = by.may(Role.UNIT_LEADER, Role.OVERSIGHT)
    uses = await _uses(list(along), by) if reviews else {}
    signals = await signals_of(by.zone_id, rows) if reviews else {}
    theirs = {row.id for row in rows if row.submitted_by != who(by)}
    return {
        row.id: Shown(
            along[row.id]["submitter"] or "监督机构",
            along[row.id]["size"],
            along[row.id]["media_type"],
            _pictures(along[row.id]["pictures"]),
            tuple(uses.get(row.id, ())) if row.id in theirs else (),
            signals.get(row.id, ()) if row.id in theirs else (),
        )
        for row in rows
    }


ALONG = """
select e.id, p.name as submitter, b.size, b.media_type, (
  select json_object_agg(d.form, d.state) from derivation d where d.zone_id = $1 and d.evidence_id = e.id) as pictures
from evidence e
left join person p on p.zone_id = $1 and p.id = e.submitted_by
left join blob b on b.zone_id = $1 and b.sha256 = e.sha256
where e.zone_id = $1 and e.id = any($2::uuid[])
"""


def _pictures(states: str | None) -> dict[Form, DerivationState]:
    return {Form(form): DerivationState(state) for form, state in orjson.loads(states or "{}").items()}


async def _uses(asked: list[UUID], by: Scope) -> dict[UUID, list[Use]]:
    """Of each: the same file first, then what is most alike; at most `MOST_USES` of each kind and direction."""
    rows = await database.fetch(USES, by.zone_id, asked, MOST_USES)
    readable = await _readable({row["item_id"] for row in rows if row["item_id"]}, by)
    found: dict[UUID, list[Use]] = {}
    for row in rows:
        own = by.may(Role.OVERSIGHT) or row["submitted_by"] == who(by)
        use = Use(
            *(row["id"], row["item_id"], row["visit_id"], row["number"], row["received_at"]),
            alike=_alike(row),
            readable=row["item_id"] in readable if row["item_id"] else own,
        )
        found.setdefault(row["asked"], []).append(use)
    return {asked: uses[:MOST_USES] for asked, uses in found.items()}


def _alike(row: dict[str, object]) -> Alike:
    if row["distance"] is None:
        return Alike.SAME_FILE
    return Alike.READS_ALIKE if row["kind"] == Kind.TEXT else Alike.LOOKS_ALIKE


async def _readable(items: set[UUID], by: Scope) -> set[UUID]:
    if not items:
        return set()
    seen = visible(by, await reading_as(by)).filter(id__in=list(items))
    return set(await seen.values_list("id", flat=True))  # type: ignore[arg-type]


USES = """
with asked as (select id, sha256 from evidence where zone_id = $1 and id = any($2::uuid[])),
pairs as (
  select asked.id as asked, same.id as other, null::int as distance from asked cross join lateral (
    select id from evidence e where e.zone_id = $1 and e.sha256 = asked.sha256 and e.id <> asked.id
    order by id limit $3) same
  union all
  select asked.id, earlier.other_id, earlier.distance from asked cross join lateral (
    select other_id, distance from likeness l where l.zone_id = $1 and l.evidence_id = asked.id
    order by distance limit $3) earlier
  union all
  select asked.id, later.evidence_id, later.distance from asked cross join lateral (
    select evidence_id, distance from likeness l where l.zone_id = $1 and l.other_id = asked.id
    order by evidence_id limit $3) later
)
select p.asked, p.distance, e.id, e.kind, e.item_id, e.visit_id, e.received_at, e.submitted_by, i.number
from pairs p join evidence e on e.zone_id = $1 and e.id = p.other left join item i on i.id = e.item_id
order by p.asked, p.distance nulls first, e.id
"""
