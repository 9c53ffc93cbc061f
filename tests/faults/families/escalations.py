"""Acknowledged at the instant of escalation, in both orders; officials who leave in the middle of the chain."""

import asyncio
from datetime import timedelta

from models import organization
from models.base import database
from models.escalations import Timer, TimerState
from models.ledger import Item
from models.organization import Appointment
from models.reminders import Reminder, ReminderKind
from tests.faults.arena import WORKERS
from tests.faults.families import fault
from tests.faults.landing import land
from tests.faults.stage import Owed, Stage


async def _waiting(stage: Stage) -> Item:
    """An item that its owner has not received, everything told; the owner's phone is signed in."""
    item = await stage.issue("owner")
    await land(stage)
    await stage.phones["owner"].sign_in()
    return item


async def _state(stage: Stage, item: Item, step: int = 1) -> TimerState:
    timer = await Timer.get(zone_id=stage.zone.id, item_id=item.id, policy_code="unacknowledged", step=step)
    return timer.state


async def _open(stage: Stage, item: Item) -> int:
    """Reminders of the item that still ask somebody to have it received."""
    asking = (ReminderKind.TO_RECEIVE, ReminderKind.URGE, ReminderKind.ESCALATED)
    return await Reminder.filter(zone_id=stage.zone.id, subject_id=item.id, state="open", kind__in=asking).count()


@fault
async def received_first(stage: Stage) -> None:
    """The receiving transaction holds the step when it comes due: the step never fires."""
    item = await _waiting(stage)
    reminder = "select from reminder where zone_id = $1 and kind = 'to_receive' for update"
    async with stage.arena.held(reminder, zone=stage.zone.id):
        asked = asyncio.create_task(stage.receive("owner", item))
        await stage.arena.blocked()
        await stage.to_step(item, "unacknowledged", 1)
        await stage.sweep()
    await asked
    await land(stage)
    state = await _state(stage, item)
    stage.expect(f"received first, and the step is {state}", state is TimerState.DISARMED)
    stage.expect("received, and still somebody is asked", await _open(stage, item) == 0)


@fault
async def escalated_first(stage: Stage) -> None:
    """The firing transaction holds the step when the owner receives: it has fired, and what it said is settled."""
    item = await _waiting(stage)
    async with stage.arena.held("lock table delivery in share mode"):
        await stage.to_step(item, "unacknowledged", 1)
        firing, *_ = await stage.arena.blocked("insert into delivery")
        asked = asyncio.create_task(stage.receive("owner", item))
        await stage.arena.blocked(by=firing)
    await asked
    stage.owed.append(Owed(stage.person("owner"), ReminderKind.URGE, item.id))
    await land(stage)
    state = await _state(stage, item)
    stage.expect(f"escalated first, and the step is {state}", state is TimerState.FIRED)
    stage.expect("received, and still somebody is asked", await _open(stage, item) == 0)


@fault
async def both_at_once(stage: Stage) -> None:
    """Nobody is held up: whichever wins, the other does nothing."""
    item = await _waiting(stage)
    await stage.to_step(item, "unacknowledged", 1)
    await stage.receive("owner", item)
    await land(stage)
    state = await _state(stage, item)
    stage.expect(f"received, and the step is {state}", state in (TimerState.FIRED, TimerState.DISARMED))
    urged = await Reminder.filter(zone_id=stage.zone.id, subject_id=item.id, kind=ReminderKind.URGE).count()
    stage.expect(f"the step is {state} and urged {urged} times", urged == (state is TimerState.FIRED))
    stage.expect("received, and still somebody is asked", await _open(stage, item) == 0)


@fault
async def acknowledged_while_climbing(stage: Stage) -> None:
    """An urge is acknowledged while the next rung fires."""
    item = await _waiting(stage)
    await stage.to_step(item, "unacknowledged", 1)
    await land(stage)
    await stage.arena.pause(*WORKERS)
    await stage.to_step(item, "unacknowledged", 2)
    urges = await stage.open_reminders("owner")
    stage.arena.resume(*WORKERS)
    for reminder in urges:
        await stage.acknowledge("owner", reminder)
    await land(stage)
    stage.owed.append(Owed(stage.person("owner"), ReminderKind.URGE, item.id))
    stage.owed.append(Owed(stage.person("leader"), ReminderKind.ESCALATED, item.id))


@fault
async def leader_transferred(stage: Stage) -> None:
    """After the first rung the unit leader leaves, while a message is under way: the next one up hears."""
    item = await _waiting(stage)
    await stage.to_step(item, "unacknowledged", 1)
    await land(stage)
    await stage.remind("leader")
    async with stage.arena.held("select from consent where zone_id = $1 for update", zone=stage.zone.id):
        await stage.arena.move(3)
        await Appointment.filter(zone_id=stage.zone.id, person_id=stage.person("leader")).update(
            until_on=stage.day - timedelta(days=1)
        )
        await organization.unbind(stage.zone.id, stage.person("leader"), why="left_office", by=stage.system)
    await stage.to_step(item, "unacknowledged", 2)
    await land(stage)
    stage.owed.append(Owed(stage.person("upper"), ReminderKind.ESCALATED, item.id))
    rows = await database.fetch(
        "select from reminder where zone_id = $1 and person_id = $2 and subject_id = $3",
        stage.zone.id,
        stage.person("leader"),
        item.id,
    )
    stage.expect("who has left office was told", not rows)
    await Appointment.filter(zone_id=stage.zone.id, person_id=stage.person("leader")).update(until_on=None)
    await stage.bind("leader")


@fault
async def leader_absent(stage: Stage) -> None:
    """The unit leader is away: the colleague who stands in is told."""
    item = await stage.issue("owner")
    await stage.office.absent("leader", "colleague")
    await stage.to_step(item, "unacknowledged", 2)
    await land(stage)
    stage.owed.append(Owed(stage.person("owner"), ReminderKind.URGE, item.id))
    stage.owed.append(Owed(stage.person("colleague"), ReminderKind.ESCALATED, item.id))
    for absence in await organization.delegations(by=stage.office.leader):
        await organization.end_delegation(absence.id, by=stage.office.leader)


@fault
async def acknowledgement_expires(stage: Stage) -> None:
    """Acknowledged and nothing moves: it is told again one day, while a worker is killed."""
    reminder = await stage.remind("owner")
    await land(stage)
    await stage.acknowledge("owner", reminder)
    await land(stage)
    expires = (await Reminder.get(id=reminder)).expires_at
    assert expires is not None
    stage.arena.kill(*WORKERS)
    await stage.move_to(expires + timedelta(seconds=1))
    await stage.arena.up()
    await land(stage)
    again = await Reminder.filter(zone_id=stage.zone.id, person_id=stage.person("owner"), alerts=2).count()
    stage.expect(f"told again {again} times", again == 1)
