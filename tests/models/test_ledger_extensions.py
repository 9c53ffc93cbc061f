"""延期: asked in time, decided by the unit leader and then by oversight."""

import asyncio
from datetime import date, timedelta

import pytest

from models import ledger
from models.base.errors import Conflict, Forbidden, Invalid
from models.escalations import Watch
from models.ledger import Cycle, ExtensionState, Item
from models.organization import Zone
from models.reminders import Reminder, ReminderKind, ReminderState
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


def later(item: Item, days: int = 30) -> date:
    assert item.due_on is not None
    return item.due_on + timedelta(days=days)


async def asked(office: Office) -> Item:
    item = await office.received()
    await ledger.ask_extension(item.id, by=office.owner, reason="汛期停工", new_due_on=later(item))
    return item


async def told(item: Item, kind: ReminderKind) -> list[object]:
    found = Reminder.filter(subject_id=item.id, kind=kind, state=ReminderState.OPEN)
    return await found.values_list("person_id", flat=True)  # type: ignore[return-value]


async def test_a_granted_extension_moves_the_deadline_and_the_timers(office: Office) -> None:
    item = await asked(office)
    assert await told(item, ReminderKind.EXTENSION_WAITING) == [office.people["leader"].id]
    passed_on = await ledger.decide_extension(item.id, by=office.leader, granted=True)
    assert passed_on.state is ExtensionState.OVERSIGHT_WAITING
    assert (await Item.get(id=item.id)).due_on == item.due_on
    granted = await ledger.decide_extension(item.id, by=office.overseer, granted=True)
    assert granted.state is ExtensionState.GRANTED
    found = await Item.get(id=item.id)
    assert found.due_on == (await Cycle.get(item_id=item.id)).due_on == (await Watch.get(item_id=item.id)).due_on
    assert (found.due_on, found.due_days) == (later(item), None)
    assert await told(item, ReminderKind.INFORMED) == [office.people["owner"].id]


async def test_a_refusal_needs_a_reason_and_leaves_the_deadline(office: Office) -> None:
    item = await asked(office)
    with pytest.raises(Invalid, match="理由"):
        await ledger.decide_extension(item.id, by=office.leader, granted=False)
    refused = await ledger.decide_extension(item.id, by=office.leader, granted=False, reason="工期仍有余地")
    assert refused.state is ExtensionState.REFUSED
    assert (await Item.get(id=item.id)).due_on == item.due_on
    assert await told(item, ReminderKind.EXTENSION_WAITING) == []


async def test_deciding_twice_is_answered_alike(office: Office) -> None:
    item = await asked(office)
    first = await ledger.decide_extension(item.id, by=office.leader, granted=True)
    again = await ledger.decide_extension(item.id, by=office.leader, granted=True)
    assert (first.id, first.state) == (again.id, again.state)
    assert len(await told(item, ReminderKind.EXTENSION_WAITING)) == 1


async def test_oversight_cannot_decide_before_the_unit_leader(office: Office) -> None:
    item = await asked(office)
    with pytest.raises(Forbidden, match="单位负责人"):
        await ledger.decide_extension(item.id, by=office.overseer, granted=True)


async def test_asking_again_is_answered_alike_and_asking_otherwise_must_wait(office: Office) -> None:
    item = await office.received()
    first = await ledger.ask_extension(item.id, by=office.owner, reason="汛期停工", new_due_on=later(item))
    again = await ledger.ask_extension(item.id, by=office.owner, reason="汛期停工", new_due_on=later(item))
    assert first.id == again.id
    with pytest.raises(Conflict) as refused:
        await ledger.ask_extension(item.id, by=office.owner, reason="另有原因", new_due_on=later(item, 60))
    assert refused.value.code == "extension_waiting"


async def test_whoever_asks_for_an_absent_owner_does_not_decide(office: Office) -> None:
    await office.absent("owner", "leader")
    item = await office.issued()
    await ledger.receive(item.id, by=office.leader)
    await ledger.ask_extension(item.id, by=office.leader, reason="汛期停工", new_due_on=later(item))
    assert await told(item, ReminderKind.EXTENSION_WAITING) == [office.people["upper"].id]
    assert "unit_extension" not in {
        step.action.value for step in (await ledger.whole(item.id, by=office.leader)).next_actions
    }
    with pytest.raises(Forbidden) as refused:
        await ledger.decide_extension(item.id, by=office.leader, granted=True)
    assert refused.value.code == "same_person"
    passed_on = await ledger.decide_extension(item.id, by=office.upper, granted=True)
    assert passed_on.state is ExtensionState.OVERSIGHT_WAITING


async def test_deciding_twice_at_the_same_instant_is_answered_alike(office: Office) -> None:
    item = await asked(office)
    both = await asyncio.gather(*(ledger.decide_extension(item.id, by=office.leader, granted=True) for _ in range(2)))
    assert [extension.state for extension in both] == [ExtensionState.OVERSIGHT_WAITING] * 2


async def test_nobody_asks_for_a_date_beyond_all_planning(office: Office) -> None:
    item = await office.received()
    with pytest.raises(Invalid) as refused:
        await ledger.ask_extension(item.id, by=office.owner, reason="汛期停工", new_due_on=date.max)
    assert refused.value.code == "too_far"


async def test_after_the_due_date_it_is_too_late_to_ask(office: Office, clock_moves) -> None:  # type: ignore[no-untyped-def]
    item = await office.received()
    clock_moves(days=40)
    with pytest.raises(Conflict) as refused:
        await ledger.ask_extension(item.id, by=office.owner, reason="汛期停工", new_due_on=later(item, 60))
    assert refused.value.code == "already_due"


async def test_the_new_date_must_be_later(office: Office) -> None:
    item = await office.received()
    with pytest.raises(Invalid) as refused:
        await ledger.ask_extension(item.id, by=office.owner, reason="汛期停工", new_due_on=later(item, 0))
    assert refused.value.code == "not_later"


async def test_a_request_lapses_when_the_item_moves_on(office: Office) -> None:
    item = await asked(office)
    await ledger.count_evidence(item)
    await ledger.request_close_out(item.id, by=office.owner)
    found = await ledger.whole(item.id, by=office.owner)
    assert found.extension is not None
    assert found.extension.state is ExtensionState.LAPSED
    assert await told(item, ReminderKind.EXTENSION_WAITING) == []
