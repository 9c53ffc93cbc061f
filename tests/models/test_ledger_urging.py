"""催办 by a person: only while it is the owner's turn."""

from datetime import timedelta

import pytest

from models import ledger
from models.base import clock
from models.base.errors import Conflict, NotFound
from models.ledger import Item
from models.organization import Zone
from models.reminders import Reminder, ReminderKind
from tests.office import Office, open_office


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def urged() -> int:
    return await Reminder.filter(kind=ReminderKind.URGE).count()


async def test_an_owner_is_urged_from_issue_until_the_close_out_is_asked_for(office: Office) -> None:
    for item in (await office.issued(), await office.received()):
        await ledger.urge(item.id, by=office.leader, note="请于本周内办结")
    assert await urged() == 2


async def suspended(office: Office) -> Item:
    item = await office.received()
    return await ledger.suspend(
        item.id, by=office.overseer, reason="待征地批复", until=clock.today() + timedelta(days=30)
    )


@pytest.mark.parametrize("part", ["requested", "reviewed", "closed", "suspended"])
async def test_whoever_has_nothing_to_do_is_not_urged(office: Office, part: str) -> None:
    item = await (suspended(office) if part == "suspended" else getattr(office, part)())
    with pytest.raises(Conflict) as refused:
        await ledger.urge(item.id, by=office.leader)
    assert refused.value.code == "wrong_state"
    assert await urged() == 0


async def test_a_stranger_learns_nothing_of_the_state(office: Office) -> None:
    for item in (await office.issued(), await office.closed()):
        with pytest.raises(NotFound):
            await ledger.urge(item.id, by=office.stranger)
