"""The API killed under a phone's hands: before it has heard, in the middle, and before it has answered."""

import asyncio
from uuid import UUID, uuid4

from models.base import database
from models.reminders import Reminder, ReminderState
from tests.faults.arena import until
from tests.faults.families import fault
from tests.faults.stage import TODO, Stage


async def _to_acknowledge(stage: Stage) -> UUID:
    """A reminder of somebody who is signed in."""
    reminder = await stage.remind("owner")
    await stage.phones["owner"].sign_in()
    return reminder


async def _acknowledged_once(stage: Stage, reminder: UUID) -> None:
    (row,) = await database.fetch(
        "select count(*) as times from audit where zone_id = $1 and subject_id = $2"
        " and action = 'reminder.acknowledged'",
        stage.zone.id,
        reminder,
    )
    stage.expect(f"acknowledged {row['times']} times", row["times"] == 1)
    state = (await Reminder.get(id=reminder)).state
    stage.expect(f"the acknowledged reminder is {state}", state is ReminderState.ACKNOWLEDGED)


@fault
async def before_it_reads(stage: Stage) -> None:
    """The request is at the port and nobody takes it."""
    reminder = await _to_acknowledge(stage)
    await stage.arena.pause("api")
    asked = asyncio.create_task(stage.acknowledge("owner", reminder))
    await asyncio.sleep(0)
    stage.arena.kill("api")
    await stage.arena.ready("api")
    await asked
    await _acknowledged_once(stage, reminder)


@fault
async def in_the_middle(stage: Stage) -> None:
    """Its statement waits; it is carried out later by a server that nobody listens to, or is ended with its session."""
    reminder = await _to_acknowledge(stage)
    async with stage.arena.held("select from reminder where zone_id = $1 for update", zone=stage.zone.id):
        asked = asyncio.create_task(stage.acknowledge("owner", reminder))
        waiting = await stage.arena.blocked()
        stage.arena.kill("api")
        if stage.chance.random() < 0.5:
            await asyncio.gather(*(stage.arena.end_session(pid) for pid in waiting))
    await stage.arena.ready("api")
    await asked
    await _acknowledged_once(stage, reminder)


@fault
async def before_it_answers(stage: Stage) -> None:
    """The acknowledgement is committed."""
    reminder = await _to_acknowledge(stage)
    asked = asyncio.create_task(stage.acknowledge("owner", reminder))

    async def committed() -> bool:
        return await Reminder.exists(id=reminder, state=ReminderState.ACKNOWLEDGED)

    await until("the acknowledgement is committed", committed)
    stage.arena.kill("api")
    await stage.arena.ready("api")
    await asked
    await _acknowledged_once(stage, reminder)


@fault
async def deaf_to_the_platform(stage: Stage) -> None:
    """An accept is told while the API is down and never again: the phone's own report counts, once."""
    phone = stage.phones["owner"]
    await phone.sign_in()
    await stage.arena.move(150)  # an accept told just now would be taken for this one
    before = await phone.consents_left()
    stage.arena.kill("api")
    await stage.arena.platform.ask("POST", f"/_phone/{phone.openid}/subscribe", json={"template_ids": [TODO]})

    async def given_up() -> bool:
        return not (await stage.arena.control("GET", "stats"))["pushes"]["pending"]

    await until("the platform gives the event up", given_up)
    await stage.arena.ready("api")
    said = {"report_id": str(uuid4()), "choices": {TODO: "accept"}}
    for _ in range(2):
        await phone.write("/messages/consent", said)
    await stage.arena.move(61)

    async def credited() -> bool:
        return await phone.consents_left() > before

    await until("the phone's report is credited", credited)
    stage.expect("the phone's report counted more than once", await phone.consents_left() == before + 1)
    await stage.owe_due("owner")
