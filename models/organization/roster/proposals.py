"""People who vanished from the roster: proposed for unbinding, decided by an admin, never dropped silently."""

from datetime import timedelta
from uuid import UUID

from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Conflict
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.organization.bindings import unbind
from models.organization.tables import Appointment, Delegation, Person, RoleGrant, UnbindingProposal

ABSENT = """
select p.id from person p
where p.zone_id = $1 and p.active and p.staff_no not in (select staff_no from roster_written)
  and not exists (
    select from unbinding_proposal u where u.zone_id = $1 and u.person_id = p.id and u.decided_at is null)"""
BACK = """
update unbinding_proposal u set decided_at = $2, accepted = false from person p
where u.zone_id = $1 and u.decided_at is null and p.id = u.person_id
  and p.staff_no in (select staff_no from roster_written)
returning u.person_id"""
WAITING = "select count(*) as people from unbinding_proposal where zone_id = $1 and decided_at is null"


async def propose(by: Scope, *, absent: bool) -> int:
    """Within an import: drop the proposals of who is back, propose who is `absent`; how many wait now."""
    for row in await database.fetch(BACK, by.zone_id, clock.now()):
        await audit.record(by, "unbinding.dropped", ("person", row["person_id"]))
    gone = await database.fetch(ABSENT, by.zone_id) if absent else []
    await UnbindingProposal.bulk_create(
        UnbindingProposal(id=new_id(), zone_id=by.zone_id, person_id=row["id"], proposed_at=clock.now()) for row in gone
    )
    for row in gone:
        await audit.record(by, "unbinding.proposed", ("person", row["id"]))
    return int((await database.fetch(WAITING, by.zone_id))[0]["people"])


async def open_proposals(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[UnbindingProposal]:
    """Undecided, oldest first, with their persons; keyset by id. Raises Forbidden."""
    by.require(Role.ADMIN, Role.OVERSIGHT)
    rows = UnbindingProposal.filter(zone_id=by.zone_id, decided_at__isnull=True)
    rows = rows.filter(id__gt=after) if after else rows
    return await rows.order_by("id").limit(limit).prefetch_related("person")


@atomic()
async def decide_proposal(proposal_id: UUID, *, by: Scope, accept: bool) -> UnbindingProposal:
    """Accepted, the person leaves: unbound, inactive, appointments and roles ended; rejected, nothing changes.

    The same decision again changes nothing. Raises Forbidden, NotFound, Conflict.
    """
    by.require(Role.ADMIN)
    proposal = await database.locked(UnbindingProposal.filter(zone_id=by.zone_id), proposal_id)
    if proposal.decided_at is not None:
        if proposal.accepted is accept:
            return proposal
        raise Conflict("already_decided", "这项解绑建议已经处理过。")
    proposal.decided_at, proposal.accepted = clock.now(), accept
    await proposal.save(update_fields=["decided_at", "accepted"])
    await audit.record(by, "unbinding.decided", ("unbinding_proposal", proposal.id), accepted=accept)
    if accept:
        await leave_office(proposal.person_id, by=by)  # type: ignore[attr-defined]
    return proposal


async def leave_office(person_id: UUID, *, by: Scope) -> None:
    """The person leaves the zone: kept in the books, and nothing reaches them or goes through them any more."""
    await Person.filter(zone_id=by.zone_id, id=person_id).update(active=False)
    await unbind(by.zone_id, person_id, why="left_office", by=by)
    open_ones = Appointment.filter(zone_id=by.zone_id, person_id=person_id, until_on__isnull=True)
    await open_ones.update(until_on=clock.today() - timedelta(days=1))
    await Delegation.filter(zone_id=by.zone_id, person_id=person_id, ended_at__isnull=True).update(ended_at=clock.now())
    await RoleGrant.filter(zone_id=by.zone_id, person_id=person_id).delete()
    await audit.record(by, "person.left", ("person", person_id))
