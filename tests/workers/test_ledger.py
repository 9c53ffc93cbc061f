"""What the ledger promised itself is kept: suspensions end, stages are called, a holiday notice moves deadlines."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from models import ledger, organization
from models.base import calendar, clock
from models.base.scope import Grant, Role, Scope
from models.escalations import Timer
from models.ledger import Item, State
from models.organization import Zone
from models.reminders import Reminder, ReminderKind
from tests.office import Office, open_office
from workers.relay import Relay

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def test_a_suspension_ends_by_itself_on_its_day(
    office: Office, relay: Relay, clock_moves: Callable[..., None]
) -> None:
    item = await office.received()
    until = clock.today() + timedelta(days=7)
    await ledger.suspend(item.id, by=office.overseer, reason="等待批复", until=until)
    await relay.drain()
    assert (await Item.get(id=item.id)).state is State.SUSPENDED
    clock_moves(days=8)
    await relay.drain()
    assert (await Item.get(id=item.id)).state is State.RECEIVED


async def test_a_stage_is_called_on_its_day(office: Office, relay: Relay, clock_moves: Callable[..., None]) -> None:
    item, on = await office.received(), clock.today() + timedelta(days=7)
    await ledger.make_long_term(item.id, by=office.overseer, reason="成因复杂", stage_goal="首批", next_review_on=on)
    clock_moves(days=8)
    await relay.drain()
    assert await Reminder.filter(subject_id=item.id, kind=ReminderKind.REVIEW_WAITING).count() == 1


async def test_a_new_holiday_notice_moves_open_deadlines(office: Office, relay: Relay) -> None:
    item = await office.issued(due_days=250)
    assert item.due_on is not None
    admin = Scope(office.zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    await calendar.import_notice(
        by=admin, year=item.due_on.year, holidays=[item.due_on], workdays=[], source="放假通知"
    )
    await relay.drain()
    moved = (await Item.get(id=item.id)).due_on
    assert moved is not None
    assert moved > item.due_on


async def test_other_working_hours_move_what_is_counted_in_them(
    office: Office, relay: Relay, clock_moves: Callable[..., None]
) -> None:
    item = await office.issued()
    admin = Scope(office.zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    await organization.change_settings(by=admin, changes={"working_hours": ["09:00-11:00"]})
    await relay.drain()
    days = await calendar.calendar_of(office.zone.id)
    assert item.issued_at is not None
    timer = await Timer.get(item_id=item.id, condition="unacknowledged", amount=8)
    assert timer.due_at == days.add_working_hours(item.issued_at, 8)
    assert timer.due_at > item.issued_at + timedelta(days=3)
