"""会签: of two inspectors, the one who did not write the record says on their own phone that they saw the same."""

from uuid import UUID

from models.base import audit, clock
from models.base.database import atomic, locked
from models.base.errors import Conflict, Forbidden
from models.base.ids import new_id
from models.base.scope import Scope
from models.lookbacks.recording import last_record
from models.lookbacks.tables import Cosignature
from models.lookbacks.visits import assigned_to


@atomic()
async def cosign(visit_id: UUID, record_id: UUID, *, by: Scope) -> Cosignature:
    """The other inspector was there and found the same; said once, on their own phone, for the record that they saw.

    A phone may say it hours later: nobody signs a correction unseen. Whoever wrote the record cannot, on paper either.
    Raises NotFound, Forbidden (`own_record`), Conflict (`no_second_inspector`, `not_recorded`, `record_changed`,
    `already_cosigned`).
    """
    visit = await locked(assigned_to(by), visit_id)
    if visit.second_inspector_id is None:
        raise Conflict("no_second_inspector", "这次检查只有一位检查人员，不用会签。")
    record = await last_record(visit)
    if record is None:
        raise Conflict("not_recorded", "这次检查还没有记录，有了记录再会签。")
    if record.id != record_id:
        raise Conflict("record_changed", "您看过之后，这份记录有了更正。请看过更正后的记录再会签。")
    if record.written_by == by.person_id or record.recorded_by == by.actor:
        raise Forbidden("own_record", "这份记录是您自己填的，请由另一位检查人员会签。")
    signed = await Cosignature.get_or_none(zone_id=by.zone_id, record_id=record.id)
    if signed is None:
        signed = await Cosignature.create(
            id=new_id(), zone_id=by.zone_id, record_id=record.id, person_id=by.person_id, signed_at=clock.now()
        )
        await audit.record(by, "visit.cosigned", ("visit", visit.id), record=str(record.id))
    if signed.person_id != by.person_id:
        raise Conflict("already_cosigned", "另一位检查人员已经会签。")
    return signed
