"""The watchdog: what is owed and has no outcome is repaired or told of, and told of no longer once it is over."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from models import deliveries, reminders, watchdog
from models.base import alarms, audit, calendar, clock, outbox
from models.base import database as postgres
from models.base.alarms import Alarm, AlarmKind
from models.base.audit import AuditRow
from models.base.calendar import calendar_of
from models.base.errors import Forbidden
from models.base.ids import NO_ZONE, new_id
from models.base.outbox import Promise
from models.base.scope import Grant, Role, Scope
from models.deliveries import Channel, Conclusion, Delivery, DeliveryState
from models.escalations import Timer
from models.organization import Person, Zone
from models.reminders import ReminderKind
from tests.models.test_deliveries import TEMPLATE, person_of

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def admin(zone: Zone) -> Scope:
    return Scope(zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))


@pytest.fixture(autouse=True)
async def quiet_start(zone: Zone, clock_moves: Callable[..., None]) -> None:
    """Ten in the morning of a working day, with nothing due and the log sealed."""
    day = (await calendar_of(zone.id)).add_working_days(clock.today(), 1)
    clock_moves(seconds=(clock.at(day, 10) - clock.now()).total_seconds())
    await Promise.all().delete()
    await audit.seal(zone.id)


async def open_kinds(zone: Zone) -> dict[AlarmKind, str]:
    """What is open after the watchdog has looked: kind → detail."""
    while await audit.seal(zone.id):
        pass
    await watchdog.look(zone.id)
    return {alarm.kind: alarm.detail for alarm in await Alarm.filter(cleared_at__isnull=True)}


async def remind(zone: Zone, person: Person) -> UUID:
    made = await reminders.remind(
        zone.id, person.id, ReminderKind.OVERDUE, ("item", new_id()), "河道清淤", key=str(new_id())
    )
    assert made is not None
    return made


async def test_where_nothing_is_wrong_nothing_is_told_and_the_alarm_that_was_is_over(zone: Zone) -> None:
    assert await open_kinds(zone) == {}
    await alarms.settle(zone.id, AlarmKind.TIMERS_LATE, {"escalations": "1步"})
    assert await open_kinds(zone) == {}
    assert (await Alarm.get()).cleared_at is not None


async def test_a_late_promise_is_told_by_its_job_until_it_is_kept(zone: Zone, clock_moves: Callable[..., None]) -> None:
    await outbox.promise(zone.id, calendar.CHANGED)
    assert await open_kinds(zone) == {}
    clock_moves(minutes=6)
    assert await open_kinds(zone) == {AlarmKind.PROMISES_LATE: "1项到期未办，最早的已等6分钟"}
    assert (await Alarm.get()).subject == calendar.CHANGED
    (claimed,) = await outbox.claim(1)
    await outbox.keep(claimed)
    assert await open_kinds(zone) == {}


async def test_a_promise_that_is_tried_in_vain_is_told_although_it_waits_for_its_next_try(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await outbox.promise(zone.id, calendar.CHANGED)
    for _ in range(4):
        clock_moves(minutes=2)
        (claimed,) = await outbox.claim(1)
        await outbox.retry(claimed, "ValueError", at=clock.now() + timedelta(minutes=1))
    assert set(await open_kinds(zone)) == {AlarmKind.PROMISES_LATE}


async def test_a_timer_of_the_future_is_no_alarm_however_many_there_are(zone: Zone) -> None:
    for _ in range(50):
        await outbox.promise(zone.id, calendar.CHANGED, due_at=clock.now() + timedelta(days=9))
    assert await open_kinds(zone) == {}


async def test_each_promise_in_quarantine_is_told_with_its_reason(zone: Zone, clock_moves: Callable[..., None]) -> None:
    await outbox.promise(zone.id, calendar.CHANGED)
    for _ in range(outbox.ATTEMPTS_BEFORE_QUARANTINE):
        clock_moves(minutes=20)
        (claimed,) = await outbox.claim(1)
        await outbox.retry(claimed, "KeyError")
    assert await open_kinds(zone) == {AlarmKind.PROMISE_QUARANTINED: "calendar.changed：KeyError"}


async def test_a_step_that_nobody_fires_is_told(zone: Zone, clock_moves: Callable[..., None]) -> None:
    await Timer.create(
        zone_id=zone.id,
        watch_id=new_id(),
        item_id=new_id(),
        policy_code="p",
        policy_version=1,
        step=1,
        condition="overdue",
        amount=1,
        level=1,
        tell=["owner"],
        action="remind",
        counted_on=clock.today(),
        due_at=clock.now(),
    )
    clock_moves(minutes=6)
    assert await open_kinds(zone) == {AlarmKind.TIMERS_LATE: "1步预警到期未触发，最早的已等6分钟"}


async def test_a_lost_message_is_owed_again_once_and_the_log_says_so(zone: Zone) -> None:
    reminder = await remind(zone, await person_of(zone, consents=1))
    await Delivery.all().delete()
    assert await open_kinds(zone) == {}
    assert await open_kinds(zone) == {}
    (owed,) = await Delivery.all()
    assert (owed.reminder_id, owed.state) == (reminder, DeliveryState.QUEUED)
    assert await AuditRow.filter(action="delivery.owed_again", subject_id=reminder).count() == 1


async def test_a_lost_follower_of_an_unknown_message_is_owed_again(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await remind(zone, await person_of(zone, consents=1))
    clock_moves(seconds=2)
    pushes = await deliveries.begin(zone.id, TEMPLATE)
    await deliveries.conclude([Conclusion(pushes[0], DeliveryState.UNKNOWN)], TEMPLATE)
    await Delivery.filter(state="queued").delete()
    await open_kinds(zone)
    assert await Delivery.filter(state="queued", after__isnull=False).count() == 1


async def test_what_a_dead_worker_held_is_recovered(zone: Zone, clock_moves: Callable[..., None]) -> None:
    await remind(zone, await person_of(zone, consents=1))
    clock_moves(seconds=2)
    await deliveries.begin(zone.id, TEMPLATE)
    clock_moves(minutes=5)
    assert await open_kinds(zone) == {}
    assert [row.state for row in await Delivery.all().order_by("id")] == [DeliveryState.UNKNOWN, DeliveryState.QUEUED]


async def test_a_message_that_nobody_sends_is_told_by_day_and_not_by_night(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await remind(zone, await person_of(zone, consents=1))
    clock_moves(minutes=20)
    assert set(await open_kinds(zone)) == {AlarmKind.DELIVERIES_LATE}
    clock_moves(hours=12)
    assert await open_kinds(zone) == {}


async def test_an_unknown_message_without_another_way_is_told_until_its_person_acts(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=1)
    reminder = await remind(zone, person)
    for state in (DeliveryState.UNKNOWN, DeliveryState.SENT):
        clock_moves(minutes=11)
        pushes = await deliveries.begin(zone.id, TEMPLATE)
        await deliveries.conclude([Conclusion(pushes[0], state)], TEMPLATE)
    assert await open_kinds(zone) == {AlarmKind.UNKNOWN_UNRESOLVED: "1条消息不知是否送达，也没有其他渠道"}
    await reminders.acknowledge_alone(reminder, by=Scope(zone.id, "person", person_id=person.id))
    await Promise.all().delete()
    assert await open_kinds(zone) == {}


async def test_a_ledger_at_odds_with_the_platform_is_told(zone: Zone) -> None:
    for number in range(watchdog.CONSENTS_AT_ODDS):
        assert await open_kinds(zone) == {}
        await Delivery.create(
            zone_id=zone.id,
            person_id=new_id(),
            reminder_id=new_id(),
            key=str(number),
            state="failed",
            channel="subscribe",
            errcode=43101,
            not_before=clock.now(),
            made_at=clock.now(),
        )
        await deliveries.owe_next([(await Delivery.get(key=str(number))).id], clock.now())
    assert set(await open_kinds(zone)) == {AlarmKind.CONSENTS_AT_ODDS}


async def test_a_channel_paused_for_long_is_told_with_its_reason(
    zone: Zone, admin: Scope, clock_moves: Callable[..., None]
) -> None:
    await deliveries.pause(Channel.SMS, "欠费", by=admin)
    assert await open_kinds(zone) == {}
    clock_moves(hours=25)
    assert await open_kinds(zone) == {AlarmKind.CHANNEL_PAUSED: "已停用1天：欠费"}
    await deliveries.resume(Channel.SMS, by=admin)
    assert await open_kinds(zone) == {}


async def test_a_log_that_is_not_sealed_is_told(zone: Zone, clock_moves: Callable[..., None]) -> None:
    async with postgres.in_transaction():
        await audit.record(Scope.system(zone.id), "test.happened", ("zone", zone.id))
    clock_moves(minutes=2)
    await watchdog.look(zone.id)
    assert (await Alarm.get(cleared_at__isnull=True)).kind is AlarmKind.AUDIT_UNSEALED


async def test_a_refusal_is_told_until_the_time_when_it_should_be_over(
    zone: Zone, admin: Scope, clock_moves: Callable[..., None]
) -> None:
    for minutes in (10, 5, 20):
        until = clock.now() + timedelta(minutes=minutes)
        await alarms.raise_until(AlarmKind.PLATFORM_REFUSES, "subscribe:40164", "白名单", until)
    clock_moves(minutes=19)
    await alarms.clear_past()
    (alarm,) = await alarms.open_alarms(by=admin)
    assert (alarm.zone_id, alarm.subject) == (NO_ZONE, "subscribe:40164")
    assert (await alarms.count_open())[AlarmKind.PLATFORM_REFUSES] == 1
    clock_moves(minutes=2)
    await alarms.clear_past()
    assert await alarms.open_alarms(by=admin) == []


async def test_alarms_are_shown_to_the_office_and_of_its_own_zone_only(zone: Zone, admin: Scope) -> None:
    other = await Zone.create(code="other", name="邻区", created_at=clock.now())
    await alarms.settle(other.id, AlarmKind.TIMERS_LATE, {"escalations": "1步"})
    await alarms.settle(zone.id, AlarmKind.PROMISE_QUARANTINED, {str(n): "坏了" for n in range(3)})
    first = await alarms.open_alarms(by=admin, limit=2)
    rest = await alarms.open_alarms(by=admin, limit=2, after=first[-1].id)
    assert {alarm.subject for alarm in [*first, *rest]} == {"0", "1", "2"}
    with pytest.raises(Forbidden):
        await alarms.open_alarms(by=Scope(zone.id, "person", grants=(Grant(Role.CADRE, "/"),)))
