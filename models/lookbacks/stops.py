"""One visit to a unit that serves several of its items: said once, kept as one record for each, all or none.

Each record holds the words, so that it can be read, corrected and co-signed by itself; photos are submitted to one of
the visits and named by all.
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID, uuid5

from models.base.database import atomic
from models.base.errors import Fault, Invalid, NotFound
from models.base.scope import Scope
from models.evidence import NOTHING, Brought
from models.ledger import Item
from models.lookbacks.facts import StopFacts
from models.lookbacks.recording import Sent, already_sent, digest_of, keep, settle
from models.lookbacks.tables import Source, Visit, VisitRecord
from models.lookbacks.visits import assigned_to


@atomic()
async def record_stop(
    stop: StopFacts, *, by: Scope, client_id: UUID, brought: Mapping[UUID, Brought] | None = None
) -> list[VisitRecord]:
    """The records in the order of `stop.records`; `client_id` sent again gives the originals, whatever is `brought`.

    `brought` is by visit: each has a nonce of its own.

    The visits are to items of one unit, and of one team: else a photo would be shown to whoever was not there. Raises
    NotFound, Invalid (`another_unit`, `another_team`, and as `record_visit` does, pointing into `/records`), Conflict
    (`client_id_reused`, `already_recorded` with the `visit_id` that has a record: nothing of the submission is kept).
    """
    assert by.person_id is not None
    visits = await _locked(stop, by)
    digest = digest_of(stop=stop.model_dump(mode="json"), by=by.actor)
    lead = min(visits)
    if await already_sent(by.zone_id, client_id, digest) is not None:
        known = {row.visit_id: row for row in await VisitRecord.filter(zone_id=by.zone_id, together=client_id)}
        return [known[one.visit_id] for one in stop.records]
    _refuse_strange(stop, visits)
    items = await _items(visits, by)
    shared = Sent(
        facts=stop.of(stop.records[0]),
        client_id=client_id,
        digest=digest,
        source=Source.PHONE,
        written_by=by.person_id,
        evidence_of=tuple(visits),
        together=client_id,
    )
    kept: list[VisitRecord] = []
    for place, one in enumerate(stop.records):
        # The first in order of ids bears the phone's own id, so that the id cannot be used for anything else.
        own = client_id if one.visit_id == lead else uuid5(client_id, str(one.visit_id))
        visit = visits[one.visit_id]
        along = (brought or {}).get(one.visit_id, NOTHING)
        sent = replace(shared, facts=stop.of(one), client_id=own, brought=along)
        kept.append(await _keep(visit, items[visit.item_id], sent, by, place))
    await settle(visits.values(), by)
    return kept


async def _locked(stop: StopFacts, by: Scope) -> dict[UUID, Visit]:
    """In the order of their ids, so that two submissions wait for one another and never block."""
    asked = [one.visit_id for one in stop.records]
    found = {visit.id: visit for visit in await assigned_to(by).filter(id__in=asked).order_by("id").select_for_update()}
    if len(found) < len(asked):
        raise NotFound()
    return found


async def _items(visits: dict[UUID, Visit], by: Scope) -> dict[UUID, Item]:
    asked = {visit.item_id for visit in visits.values()}
    rows = Item.filter(zone_id=by.zone_id, id__in=asked).order_by("id").select_for_update()
    return {item.id: item for item in await rows}


def _refuse_strange(stop: StopFacts, visits: dict[UUID, Visit]) -> None:
    first = visits[stop.records[0].visit_id]
    for place, one in enumerate(stop.records):
        visit, pointer = visits[one.visit_id], f"/records/{place}/visit_id"
        if visit.unit_path != first.unit_path:
            fault = Fault(pointer, "another_unit", "一次走访只能填同一单位的检查，请分开提交。")
            raise Invalid("another_unit", f"{fault.detail}内容没有保存。", faults=(fault,))
        if {*visit.team} != {*first.team}:
            fault = Fault(pointer, "another_team", "这几件检查的检查人员不同，请分开提交。")
            raise Invalid("another_team", f"{fault.detail}内容没有保存。", faults=(fault,))


async def _keep(visit: Visit, item: Item, sent: Sent, by: Scope, place: int) -> VisitRecord:
    try:
        return await keep(visit, item, sent, by)
    except Invalid as wrong:  # of this one's checklist, or of the photos that all of them name
        inner = tuple(fault if _shared(fault) else _at(place, fault) for fault in wrong.faults)
        raise Invalid(wrong.code, wrong.detail, faults=inner) from None


def _shared(fault: Fault) -> bool:
    return fault.pointer.startswith("/evidence/")


def _at(place: int, fault: Fault) -> Fault:
    return replace(fault, pointer=f"/records/{place}{fault.pointer}")
