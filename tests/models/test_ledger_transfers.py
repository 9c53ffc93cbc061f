"""Officials move: whoever holds the office today is told and acts, whoever has left it is not (domain.md §2)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from models import escalations, ledger
from models.base import clock
from models.base.errors import Forbidden, NotFound
from models.base.scope import Scope
from models.escalations import Timer
from models.ledger import Item, State
from models.organization import Appointment, Person, RoleGrant, Zone
from models.reminders import Reminder, ReminderKind, ReminderState
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def transfer(office: Office, part: str, to: str) -> None:
    """`part` leaves their post and unit for a post like that of `to`; what they may do goes with the post."""
    person, yesterday = office.people[part], clock.today() - timedelta(days=1)
    await Appointment.filter(person_id=person.id).update(until_on=yesterday)
    other = await Appointment.get(person_id=office.people[to].id)
    await Appointment.create(zone_id=office.zone.id, person_id=person.id, post_id=other.post_id, from_on=clock.today())
    await RoleGrant.filter(person_id=person.id).delete()


async def succeed(office: Office, part: str, successor: str) -> None:
    """`successor` takes the post that `part` has left."""
    left = await Appointment.filter(person_id=office.people[part].id).order_by("from_on").first()
    assert left is not None
    person = office.people[successor]
    await Appointment.create(zone_id=office.zone.id, person_id=person.id, post_id=left.post_id, from_on=clock.today())


async def told(item: Item, kind: ReminderKind) -> list[object]:
    found = Reminder.filter(subject_id=item.id, kind=kind, state=ReminderState.OPEN)
    return await found.values_list("person_id", flat=True)  # type: ignore[return-value]


async def fire_step(item: Item, step: int, clock_moves: Callable[..., None]) -> None:
    timer = await Timer.get(item_id=item.id, policy_code="unacknowledged", step=step)
    assert timer.due_at is not None
    clock_moves(seconds=(timer.due_at - clock.now()).total_seconds() + 1)
    while await escalations.fire(item.zone_id):
        pass


async def test_a_leader_who_was_transferred_is_told_no_more_and_the_next_one_up_is(
    office: Office, clock_moves: Callable[..., None]
) -> None:
    item = await office.issued(policy_codes=["unacknowledged"], due_days=60)
    await transfer(office, "leader", "stranger")
    await fire_step(item, 2, clock_moves)
    assert await told(item, ReminderKind.ESCALATED) == [office.people["upper"].id]


async def test_a_successor_takes_the_rung_of_who_left_it(office: Office, clock_moves: Callable[..., None]) -> None:
    item = await office.issued(policy_codes=["unacknowledged"], due_days=60)
    await transfer(office, "leader", "stranger")
    await succeed(office, "leader", "colleague")
    await fire_step(item, 2, clock_moves)
    assert await told(item, ReminderKind.ESCALATED) == [office.people["colleague"].id]


async def test_a_review_waits_for_the_successor_and_not_for_who_left(office: Office) -> None:
    item = await office.received()
    await ledger.count_evidence(item)
    leader = office.people["leader"].id
    await transfer(office, "leader", "stranger")
    await succeed(office, "leader", "colleague")
    await ledger.request_close_out(item.id, by=office.owner)
    assert await told(item, ReminderKind.REVIEW_WAITING) == [office.people["colleague"].id]
    gone = Scope(office.zone.id, f"person:{leader}", person_id=leader)
    with pytest.raises(Forbidden) as refused:
        await ledger.unit_review(item.id, by=gone, passed=True)
    assert refused.value.code == "not_your_step"


async def test_who_has_lost_oversight_closes_nothing_more(office: Office) -> None:
    item = await office.reviewed()
    person = office.people["overseer"].id
    await RoleGrant.filter(person_id=person).delete()
    with pytest.raises((Forbidden, NotFound)):
        await ledger.oversight_review(item.id, by=Scope(office.zone.id, "person", person_id=person), passed=True)
    assert (await ledger.oversight_review(item.id, by=office.second_overseer, passed=True)).state is State.CLOSED


@pytest.mark.parametrize("left", ["transferred", "retired"])
async def test_a_matter_whose_owner_has_left_is_the_leaders_and_three_people_stay_three(
    office: Office, left: str
) -> None:
    item = await office.issued()
    if left == "transferred":
        await transfer(office, "owner", "stranger")
    else:
        await Person.filter(id=office.people["owner"].id).update(active=False)
    await ledger.receive(item.id, by=office.leader)
    await ledger.count_evidence(item)
    await ledger.request_close_out(item.id, by=office.leader)
    assert await told(item, ReminderKind.REVIEW_WAITING) == [office.people["upper"].id]
    with pytest.raises(Forbidden) as refused:
        await ledger.unit_review(item.id, by=office.leader, passed=True)
    assert refused.value.code == "same_person"
    await ledger.unit_review(item.id, by=office.upper, passed=False, reason="票据不全", missing="付款凭证")
    assert await told(item, ReminderKind.RETURNED) == [office.people["leader"].id]
    await ledger.request_close_out(item.id, by=office.leader)
    await ledger.unit_review(item.id, by=office.upper, passed=True)
    assert (await ledger.oversight_review(item.id, by=office.overseer, passed=True)).state is State.CLOSED


async def test_a_matter_whose_owner_is_there_is_not_the_leaders(office: Office) -> None:
    item = await office.issued()
    with pytest.raises(Forbidden):
        await ledger.receive(item.id, by=office.leader)


async def test_when_all_who_oversaw_a_matter_have_gone_who_oversees_it_now_is_told(office: Office) -> None:
    item = await office.requested()
    await RoleGrant.filter(role="oversight").delete()
    fresh = office.people["inspector"]
    await RoleGrant.create(zone_id=office.zone.id, person=fresh, role="oversight", unit=office.units["kfq"])
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    assert await told(item, ReminderKind.REVIEW_WAITING) == [fresh.id]
