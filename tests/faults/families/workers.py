"""Workers that are killed, or paused beyond their lease, at each boundary of a push, a step and a promise."""

from models.base import clock
from models.deliveries import Delivery
from models.reminders import ReminderKind
from tests.faults.arena import WORKERS
from tests.faults.cutting import cut, go_on
from tests.faults.families import fault
from tests.faults.landing import land
from tests.faults.stage import GATHERED, LEASE_LAPSED, SENDS, SUBSCRIBE, TEMPLATE, Owed, Stage

REACHED = ("owner", "colleague")
"""One who has consents, one who follows."""
CONSENTS = "select from consent where zone_id = $1 for update"
SENDING = "select from delivery where zone_id = $1 and state = 'sending' for update"


@fault
async def before_claim(stage: Stage) -> None:
    """Owed and not yet begun by anybody."""
    beginning = "select pg_advisory_xact_lock(hashtextextended('push:' || $1::uuid::text, 0))"
    async with stage.arena.held(beginning, zone=stage.zone.id):
        await stage.owe_due(*REACHED)
        way = await cut(stage)
    await go_on(stage, way, *REACHED)


@fault
async def after_claim(stage: Stage) -> None:
    """Claimed; the statement that begins the pushes waits for a consent."""
    async with stage.arena.held(CONSENTS, zone=stage.zone.id):
        await stage.owe_due(*REACHED)
        await stage.arena.blocked()
        way = await cut(stage)
    await go_on(stage, way, *REACHED)


@fault
async def request_sent(stage: Stage) -> None:
    """The request is at the platform, which has done nothing yet and never will."""
    await stage.arena.fault(SENDS, "hang_before", seconds=60)
    before = await stage.arena.calls(SUBSCRIBE)
    await stage.owe_due(*REACHED)
    await stage.until_called(SUBSCRIBE, before)
    way = await cut(stage)
    await stage.arena.heal()
    await go_on(stage, way, *REACHED)


@fault
async def accepted(stage: Stage) -> None:
    """The platform took the messages; nobody has heard so yet."""
    await stage.arena.fault(SENDS, "latency", ms=6000)
    before = await stage.arena.last()
    await stage.owe_due(*REACHED)
    await stage.until_accepted(before, 2)
    way = await cut(stage)
    await stage.arena.heal()
    await go_on(stage, way, *REACHED)


@fault
async def answered(stage: Stage) -> None:
    """The platform has answered; the statement that writes the outcome waits."""
    await stage.arena.fault(SENDS, "latency", ms=1500)
    before = await stage.arena.last()
    await stage.owe_due(*REACHED)
    await stage.until_accepted(before, 2)
    async with stage.arena.held(SENDING, zone=stage.zone.id):
        await stage.arena.blocked()
        way = await cut(stage)
    await stage.arena.heal()
    await go_on(stage, way, *REACHED)


@fault
async def after_commit(stage: Stage) -> None:
    """Some outcome is written, others perhaps not."""
    await stage.arena.fault(SENDS, "latency", ms=50, jitter_ms=200)
    await stage.owe_due(*REACHED)
    await stage.until_in("sent")
    way = await cut(stage)
    await stage.arena.heal()
    await go_on(stage, way, *REACHED)


@fault
async def step_half_fired(stage: Stage) -> None:
    """In the middle of the transaction in which an escalation step fires: its first reminder is written."""
    item = await stage.issue("owner")
    await land(stage)
    stage.owed.append(Owed(stage.person("owner"), ReminderKind.URGE, item.id))
    async with stage.arena.held("lock table delivery in share mode"):
        await stage.to_step(item, "unacknowledged", 1)
        await stage.arena.blocked("insert into delivery")
        way = await cut(stage)
    await go_on(stage, way)


@fault
async def promise_half_kept(stage: Stage) -> None:
    """In the middle of what follows an acknowledgement."""
    reminder = await stage.remind("owner")
    await land(stage)
    await stage.arena.pause(*WORKERS)
    await stage.acknowledge("owner", reminder)
    async with stage.arena.held("select from reminder where zone_id = $1 for update", zone=stage.zone.id):
        stage.arena.resume(*WORKERS)
        await stage.arena.blocked()
        way = await cut(stage)
    await go_on(stage, way)


@fault
async def again_and_again(stage: Stage) -> None:
    """Killed as soon as it has begun anything, twice in a row."""
    await stage.owe_due(*REACHED)
    for _ in range(2):
        await stage.until_in("sending", "sent", "unknown")
        stage.arena.kill(*WORKERS)
        await stage.arena.move(stage.chance.choice((1.0, 31.0)))
        await stage.remind(stage.chance.choice(REACHED))
        await stage.arena.ready(*WORKERS)


@fault
async def template_long_ago(stage: Stage) -> None:
    """Killed when a template message had been taken, and taken over only when the platform has forgotten its id."""
    await stage.arena.fault(SENDS, "latency", ms=6000)
    before = await stage.arena.last()
    await stage.owe_due("colleague")
    await stage.until_accepted(before)
    stage.arena.kill(*WORKERS)
    await stage.arena.heal()
    begun = await Delivery.filter(zone_id=stage.zone.id, state="sending").order_by("begun_at").first()
    assert begun is not None
    assert begun.begun_at is not None
    await stage.arena.move(stage.chance.choice((8.0, 9.5, 15.0)) * 60 - (clock.now() - begun.begun_at).total_seconds())
    await stage.arena.up()


@fault
async def repetition_refused(stage: Stage) -> None:
    """Killed when a template message had been taken; who takes over is refused until tomorrow: it is told once."""
    stage.worn = True
    await stage.arena.fault(SENDS, "latency", ms=6000)
    before = await stage.arena.last()
    await stage.remind("colleague")
    await stage.arena.move(GATHERED)
    await stage.until_accepted(before)
    stage.arena.kill(*WORKERS)
    await stage.arena.heal()
    await stage.arena.fault(TEMPLATE, "errcode", errcode=45009)
    called = await stage.arena.calls(TEMPLATE)
    await stage.arena.move(LEASE_LAPSED)
    await stage.arena.up()
    await stage.until_called(TEMPLATE, called)
