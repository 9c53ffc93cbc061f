"""After an outage, and on an operator's word: everything due is done, and each person hears of it once."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from uuid import UUID

import pytest

from models import deliveries, escalations, ledger, reminders
from models.base import calendar, clock, outbox
from models.base.calendar import calendar_of
from models.base.ids import new_id
from models.base.outbox import Promise
from models.base.scope import Grant, Role, Scope
from models.deliveries import Consent, Delivery
from models.ledger import Item
from models.organization import Binding, Zone
from models.reminders import Reminder
from tests.office import Office, open_office
from tests.workers.conftest import TEMPLATE, Bind, Platform
from workers.deliveries import push
from workers.draining import catch_up, drain
from workers.relay import Context

pytestmark = pytest.mark.usefixtures("daytime")


@pytest.fixture
async def office(zone: Zone, platform: Platform) -> Office:
    """An office whose people all have a phone with consents to spare."""
    opened = await open_office(zone)
    for person in opened.people.values():
        phone = await platform.ask("POST", "/_phone/register", phone=person.phone)
        await Binding.create(zone_id=zone.id, person_id=person.id, openid=phone["openid"], bound_at=clock.now())
        for _ in range(9):
            await platform.ask("POST", f"/_phone/{phone['openid']}/subscribe", template_ids=[TEMPLATE], choice="accept")
            await deliveries.credit(zone.id, phone["openid"], TEMPLATE)
    return opened


async def rung(platform: Platform) -> Counter[str]:
    return Counter(message["openid"] for message in await platform.sent())


async def test_a_three_day_outage_is_caught_up_with_once_a_person(
    *, zone: Zone, context: Context, platform: Platform, office: Office, clock_moves: Callable[..., None]
) -> None:
    """Sixty items (more than one batch of steps), each with steps overdue by days, of the same few people."""
    for _ in range(60):
        await office.issued(due_days=1)
    await drain(context)
    before = await rung(platform)
    days = await calendar_of(zone.id)
    back = clock.at(days.add_working_days(clock.today(), 3), 10)
    assert back - clock.now() >= timedelta(days=3)
    clock_moves(seconds=(back - clock.now()).total_seconds())
    await catch_up(context)
    fired = await Reminder.filter(made_at__gte=back).count()
    assert fired >= 60
    clock_moves(seconds=3)
    await push(context)
    after = await rung(platform)
    assert after - before, "nobody was told of what is overdue"
    assert set((after - before).values()) == {1}
    assert not await Delivery.filter(state="sending").exists()
    await drain(context)
    assert await rung(platform) == after


async def test_what_arrives_while_a_worker_catches_up_still_makes_one_message(
    *, zone: Zone, context: Context, platform: Platform, office: Office, clock_moves: Callable[..., None]
) -> None:
    """Two workers at once: one still fires steps while the other already pushes."""
    for _ in range(5):
        await office.issued(due_days=1)
    await drain(context)
    before = await rung(platform)
    back = clock.at((await calendar_of(zone.id)).add_working_days(clock.today(), 3), 10)
    clock_moves(seconds=(back - clock.now()).total_seconds())
    while await escalations.fire(zone.id):
        await push(context)
    clock_moves(seconds=3)
    await push(context)
    assert set((await rung(platform) - before).values()) == {1}


async def test_draining_sends_all_that_is_due_and_stops(
    *, context: Context, platform: Platform, bind: Bind, owe: Callable[..., Awaitable[UUID]]
) -> None:
    for _ in range(30):
        await owe(await bind(consents=1))
    await drain(context)
    assert len(await platform.sent()) == 30
    assert await Delivery.filter(state="sent").count() == 30


def admin_of(zone: Zone) -> Scope:
    return Scope(zone.id, "operator", grants=(Grant(Role.ADMIN, ""),))


async def live_through(office: Office, context: Context, clock_moves: Callable[..., None]) -> None:
    """Seventeen days in which every kind of promise about an item is made and kept."""
    owner, overseer = office.owner, office.overseer
    await office.issued(due_days=1)
    held, staged = await office.received(), await office.received()
    today = clock.today()
    await ledger.suspend(held.id, by=overseer, reason="等待批复", until=today + timedelta(days=3))
    stage = {"reason": "需长期推进", "stage_goal": "完成一半", "next_review_on": today + timedelta(days=4)}
    await ledger.make_long_term(staged.id, by=overseer, **stage)
    await deliveries.report(new_id(), TEMPLATE, by=owner)
    notice = {"year": 2027, "holidays": [date(2027, 1, 1)], "workdays": [], "source": "国办发明电"}
    await calendar.import_notice(by=admin_of(office.zone), **notice)
    await drain(context)
    clock_moves(days=4)
    await drain(context)
    for reminder in await Reminder.filter(state="open", kind="overdue", person_id=owner.person_id):
        await reminders.acknowledge(reminder.id, by=owner)
    for days in (0, 5, 8):
        clock_moves(days=days)
        await drain(context)


async def world() -> tuple[object, ...]:
    """What a second run of a job could have changed: messages, reminders, items, consents, what is promised."""
    return (
        await Delivery.all().order_by("id").values("id", "state", "channel"),
        await Reminder.all().order_by("id").values("id", "state", "alerts"),
        await Item.all().order_by("id").values("id", "state", "due_on"),
        await Consent.all().order_by("id").values("id", "remaining"),
        await Promise.all().count(),
    )


async def test_replaying_kept_promises_tells_nobody_anything_twice(
    *, zone: Zone, context: Context, platform: Platform, office: Office, clock_moves: Callable[..., None]
) -> None:
    begun = clock.now()
    await live_through(office, context, clock_moves)
    told, before = await rung(platform), await world()
    kept = await Promise.filter(state="kept").distinct().values_list("job", flat=True)
    assert set(kept) == {
        job for job in outbox.JOBS if not job.startswith(("evidence.", "lookbacks.", "packs.", "test."))
    }
    assert await outbox.replay(begun - timedelta(days=1), by=admin_of(zone)) >= len(kept)
    await drain(context)
    assert not await Promise.filter(state="waiting", next_at__lte=clock.now()).exists()
    assert await world() == before
    assert await rung(platform) == told
