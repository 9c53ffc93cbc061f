"""Deliveries: fewest messages, one outcome each, consents never below zero."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from models import deliveries
from models.base import clock
from models.base.calendar import calendar_of
from models.base.ids import new_id
from models.base.outbox import Promise
from models.base.scope import Grant, Role, Scope
from models.deliveries import Channel, Conclusion, Consent, Delivery, DeliveryState, News, Push
from models.deliveries.tables import OUTCOMES
from models.organization import Binding, Person, Zone

pytestmark = pytest.mark.usefixtures("database")

TEMPLATE = "ZL_TODO"
TERMINAL = set(OUTCOMES)


@pytest.fixture(autouse=True)
async def working_hours(zone: Zone, clock_moves: Callable[..., None]) -> None:
    """Ten in the morning of a working day, so that phones may ring."""
    days = await calendar_of(zone.id)
    day = days.add_working_days(clock.today(), 1)
    clock_moves(seconds=(clock.at(day, 10) - clock.now()).total_seconds())


async def person_of(zone: Zone, *, consents: int = 0, follows: bool = False, bound: bool = True) -> Person:
    number = await Person.all().count()
    person = await Person.create(
        zone_id=zone.id, staff_no=f"P{number}", name=f"人员{number}", phone=f"1540000{number:04d}"
    )
    if bound:
        openid, unionid = f"o-{number}", f"u-{number}"
        await Binding.create(zone_id=zone.id, person_id=person.id, openid=openid, unionid=unionid, bound_at=clock.now())
        for _ in range(consents):
            await deliveries.credit(zone.id, openid, TEMPLATE)
        if follows:
            await deliveries.follow(zone.id, f"s-{number}", unionid)
    return person


async def owe(zone: Zone, person: Person, *, urgent: bool = False, escalation: bool = False) -> UUID:
    reminder = new_id()
    await deliveries.owe(zone.id, person.id, reminder, urgent=urgent, escalation=escalation, key=str(reminder))
    return reminder


async def begin(zone: Zone, clock_moves: Callable[..., None]) -> list[Push]:
    clock_moves(seconds=deliveries.GATHER.total_seconds())
    return await deliveries.begin(zone.id, TEMPLATE)


async def end(pushes: list[Push], state: DeliveryState = DeliveryState.SENT, **more: object) -> list[Push]:
    await deliveries.conclude([Conclusion(push, state, **more) for push in pushes], TEMPLATE)  # type: ignore[arg-type]
    return pushes


async def states() -> dict[str, int]:
    counted: dict[str, int] = {}
    for row in await Delivery.all():
        counted[row.state.value] = counted.get(row.state.value, 0) + 1
    return counted


async def remaining(openid: str) -> int:
    return (await Consent.get(openid=openid, template=TEMPLATE)).remaining


async def test_what_is_owed_to_one_person_leaves_as_one_message(zone: Zone, clock_moves: Callable[..., None]) -> None:
    person = await person_of(zone, consents=3)
    for _ in range(5):
        await owe(zone, person)
    (push,) = await begin(zone, clock_moves)
    (begun,) = await end([push])
    assert (begun.channel, begun.count) == (Channel.SUBSCRIBE, 5)
    assert await states() == {"sent": 1, "merged": 4}
    assert {row.carried_by for row in await Delivery.filter(state="merged")} == {begun.carrier}
    assert await remaining("o-0") == 2


async def test_a_lone_delivery_waits_a_moment_for_others(zone: Zone) -> None:
    await owe(zone, await person_of(zone, consents=1))
    assert await deliveries.begin(zone.id, TEMPLATE) == []


@pytest.mark.parametrize(
    ("consents", "follows", "bound", "channel"),
    [
        (2, True, True, Channel.SUBSCRIBE),
        (1, False, True, Channel.SUBSCRIBE),
        (0, True, True, Channel.TEMPLATE),
        (0, False, True, Channel.IN_APP),
        (0, False, False, Channel.IN_APP),
    ],
)
async def test_each_person_is_reached_by_the_first_way_that_is_open(
    zone: Zone, clock_moves: Callable[..., None], *, consents: int, follows: bool, bound: bool, channel: Channel
) -> None:
    await owe(zone, await person_of(zone, consents=consents, follows=follows, bound=bound))
    (begun,) = await end(await begin(zone, clock_moves))
    assert begun.channel is channel
    (row,) = await Delivery.all()
    assert (row.state, row.channel) == (DeliveryState.SENT, channel)
    assert row.openid == {Channel.SUBSCRIBE: "o-0", Channel.TEMPLATE: "s-0"}.get(channel)


async def test_the_last_consent_is_left_for_what_presses_while_another_way_is_open(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=2, follows=True)
    taken = []
    for pressing in (False, False, True, False):
        await owe(zone, person, escalation=pressing)
        (begun,) = await end(await begin(zone, clock_moves))
        taken.append((begun.channel, await remaining("o-0")))
    assert taken == [
        (Channel.SUBSCRIBE, 1),
        (Channel.TEMPLATE, 1),
        (Channel.SUBSCRIBE, 0),
        (Channel.TEMPLATE, 0),
    ]


async def test_a_consent_is_taken_before_the_message_leaves_and_never_below_zero(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=1)
    for expected in (Channel.SUBSCRIBE, Channel.IN_APP):
        await owe(zone, person)
        pushes = await begin(zone, clock_moves)
        assert [push.channel for push in pushes] == [expected]
        assert await remaining("o-0") == 0
        await end(pushes)


async def test_a_definite_failure_gives_the_consent_back_and_goes_on_to_the_next_channel(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=2, follows=True)
    await owe(zone, person)
    await owe(zone, person)
    await end(await begin(zone, clock_moves), DeliveryState.FAILED, errcode=43107)
    assert await remaining("o-0") == 2
    (begun,) = await end(await begin(zone, clock_moves))
    assert (begun.channel, begun.count) == (Channel.TEMPLATE, 2)
    assert await states() == {"failed": 1, "merged": 2, "sent": 1}


async def test_the_platforms_word_that_no_consent_is_left_is_believed(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await person_of(zone, consents=3))
    await end(await begin(zone, clock_moves), DeliveryState.FAILED, errcode=43101)
    assert await remaining("o-0") == 0


async def test_a_busy_platform_is_tried_again_later_with_the_consent_given_back(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await person_of(zone, consents=1))
    again_at = clock.now() + timedelta(minutes=1)
    await end(await begin(zone, clock_moves), DeliveryState.QUEUED, again_at=again_at)
    assert (await states(), await remaining("o-0")) == ({"queued": 1}, 1)
    assert await begin(zone, clock_moves) == []
    clock_moves(minutes=2)
    await end(await begin(zone, clock_moves))
    assert (await states(), await remaining("o-0")) == ({"sent": 1}, 0)


async def test_a_platform_that_stays_busy_is_given_up(zone: Zone, clock_moves: Callable[..., None]) -> None:
    await owe(zone, await person_of(zone, consents=1))
    for _ in range(8):
        clock_moves(minutes=12)
        await end(await deliveries.begin(zone.id, TEMPLATE), DeliveryState.QUEUED, again_at=clock.now())
    assert (await Delivery.all().order_by("id"))[0].state is DeliveryState.FAILED


async def test_an_unknown_outcome_is_not_sent_again_but_told_over_the_next_channel_later(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await person_of(zone, consents=2, follows=True))
    await end(await begin(zone, clock_moves), DeliveryState.UNKNOWN)
    assert await remaining("o-0") == 1
    assert await begin(zone, clock_moves) == []
    clock_moves(minutes=11)
    (begun,) = await end(await begin(zone, clock_moves))
    assert begun.channel is Channel.TEMPLATE
    assert await states() == {"unknown": 1, "sent": 1}


@pytest.mark.parametrize(("arrived", "state"), [(True, "sent"), (False, "failed")])
async def test_news_of_an_unknown_message_settles_it(
    zone: Zone, clock_moves: Callable[..., None], arrived: bool, state: str
) -> None:
    await owe(zone, await person_of(zone, consents=2, follows=True))
    await end(await begin(zone, clock_moves), DeliveryState.UNKNOWN)
    news = News(zone.id, "o-0", clock.now(), arrived)
    assert await deliveries.settle_unknown(news)
    assert not await deliveries.settle_unknown(news)
    assert await states() == {state: 1, "superseded" if arrived else "queued": 1}


async def test_news_of_a_message_known_to_be_sent_changes_nothing(zone: Zone, clock_moves: Callable[..., None]) -> None:
    person = await person_of(zone, consents=2)
    await owe(zone, person)
    await end(await begin(zone, clock_moves), DeliveryState.UNKNOWN)
    await owe(zone, person)
    await end(await begin(zone, clock_moves))
    assert not await deliveries.settle_unknown(News(zone.id, "o-0", clock.now(), True))


async def test_over_the_daily_budget_messages_wait_and_merge_next_morning(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=9)
    for _ in range(3):
        await owe(zone, person)
        assert len(await end(await begin(zone, clock_moves))) == 1
    for _ in range(4):
        await owe(zone, person)
    assert await begin(zone, clock_moves) == []
    settings_morning = (await calendar_of(zone.id)).add_working_days(clock.today(), 1)
    clock_moves(seconds=(clock.at(settings_morning, 8) - clock.now()).total_seconds())
    (begun,) = await end(await begin(zone, clock_moves))
    assert begun.count == 4


def until(clock_moves: Callable[..., None], hour: int, minute: int = 0) -> None:
    """Today at `hour:minute`."""
    clock_moves(seconds=(clock.at(clock.today(), hour, minute) - clock.now()).total_seconds())


async def test_the_budget_is_a_days_and_what_waited_for_it_and_for_the_morning_leaves_as_one(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=9)
    for hour in (11, 15, 19):
        until(clock_moves, hour)
        await owe(zone, person)
        assert len(await end(await begin(zone, clock_moves))) == 1
    await owe(zone, person)  # over the budget: a digest tomorrow
    assert await begin(zone, clock_moves) == []
    until(clock_moves, 20, 30)
    await owe(zone, person)  # in quiet hours
    until(clock_moves, 23, 59)
    assert await begin(zone, clock_moves) == []
    clock_moves(minutes=2)  # another day, and a budget of its own: yet it is night
    await owe(zone, person)
    assert await begin(zone, clock_moves) == []
    morning = (await calendar_of(zone.id)).next_loud(clock.now(), "20:00", "08:00")
    clock_moves(seconds=(morning - clock.now()).total_seconds() - 60)
    assert await begin(zone, clock_moves) == []
    clock_moves(minutes=2)
    (begun,) = await end(await begin(zone, clock_moves))
    assert begun.count == 3
    assert (await deliveries.my_burden(by=Scope(zone.id, "person", person_id=person.id))).messages_today == 1


async def test_an_escalation_is_exempt_from_the_budget_and_takes_what_waits_along(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=9)
    for _ in range(3):
        await owe(zone, person)
        await end(await begin(zone, clock_moves))
    await owe(zone, person)
    assert await begin(zone, clock_moves) == []
    await owe(zone, person, escalation=True)
    (begun,) = await end(await begin(zone, clock_moves))
    assert begun.count == 2


async def test_at_night_only_the_urgent_rings(zone: Zone, clock_moves: Callable[..., None]) -> None:
    plain, pressed = await person_of(zone, consents=1), await person_of(zone, consents=1)
    await owe(zone, plain)
    await owe(zone, pressed)
    await owe(zone, pressed, urgent=True)
    clock_moves(hours=11)  # nine in the evening
    (push,) = await deliveries.begin(zone.id, TEMPLATE)
    assert push.person_id == pressed.id
    (begun,) = await end([push])
    assert begun.count == 2
    clock_moves(hours=24 * 10)
    clock_moves(
        seconds=(
            clock.at((await calendar_of(zone.id)).add_working_days(clock.today(), 1), 9) - clock.now()
        ).total_seconds()
    )
    (push,) = await deliveries.begin(zone.id, TEMPLATE)
    assert push.person_id == plain.id


async def test_on_a_day_off_nothing_but_the_urgent_rings(zone: Zone, clock_moves: Callable[..., None]) -> None:
    days = await calendar_of(zone.id)
    while days.is_working_day(clock.today()):
        clock_moves(days=1)
    await owe(zone, await person_of(zone, consents=1))
    assert await begin(zone, clock_moves) == []


async def test_a_matter_settled_before_its_message_leaves_is_superseded(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=1)
    await deliveries.withdraw(zone.id, [await owe(zone, person), await owe(zone, person)])
    assert await begin(zone, clock_moves) == []
    assert await states() == {"superseded": 2}
    assert await remaining("o-0") == 1


async def test_what_is_leaving_already_ends_by_its_outcome_alone(zone: Zone, clock_moves: Callable[..., None]) -> None:
    reminder = await owe(zone, await person_of(zone, consents=1))
    pushes = await begin(zone, clock_moves)
    await deliveries.withdraw(zone.id, [reminder])
    await end(pushes)
    assert await states() == {"sent": 1}


async def test_only_what_is_still_wanted_is_counted_in_the_message(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=1)
    first, _ = await owe(zone, person), await owe(zone, person)
    await deliveries.withdraw(zone.id, [first])
    (begun,) = await end(await begin(zone, clock_moves))
    assert begun.count == 1
    assert await states() == {"superseded": 1, "sent": 1}


async def test_one_person_gets_one_message_at_a_time(zone: Zone, clock_moves: Callable[..., None]) -> None:
    person = await person_of(zone, consents=5)
    await owe(zone, person)
    pushes = await begin(zone, clock_moves)
    await owe(zone, person)
    assert await begin(zone, clock_moves) == []
    await end(pushes)
    assert len(await begin(zone, clock_moves)) == 1


async def test_workers_who_begin_together_share_the_people_among_them(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    for _ in range(20):
        person = await person_of(zone, consents=1)
        await owe(zone, person)
        await owe(zone, person)
    clock_moves(seconds=5)
    begun = [
        push
        for batch in await asyncio.gather(*(deliveries.begin(zone.id, TEMPLATE, 7) for _ in range(6)))
        for push in batch
    ]
    while more := await deliveries.begin(zone.id, TEMPLATE, 7):
        begun += more
    assert len(begun) == len({push.person_id for push in begun}) == 20
    assert await remaining("o-0") == 0


async def test_what_a_dead_worker_meant_for_the_inbox_alone_is_begun_by_another(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await person_of(zone))
    dead = await begin(zone, clock_moves)
    clock_moves(minutes=1)
    await deliveries.recover(zone.id)
    alive = await deliveries.begin(zone.id, TEMPLATE)
    await end(dead, DeliveryState.FAILED)
    assert await states() == {"sending": 1}, "a lost lease counts for nothing"
    await end(alive)
    assert await states() == {"sent": 1}


async def test_what_a_dead_worker_was_sending_is_unknown_and_told_over_the_next_channel(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=5, follows=True)
    await owe(zone, person)
    await owe(zone, person)
    await begin(zone, clock_moves)
    clock_moves(minutes=1)
    await deliveries.recover(zone.id)
    assert await states() == {"unknown": 1, "merged": 1, "queued": 2}
    clock_moves(minutes=11)
    (begun,) = await end(await deliveries.begin(zone.id, TEMPLATE))
    assert (begun.channel, begun.count) == (Channel.TEMPLATE, 2)
    assert set(await states()) <= {state.value for state in TERMINAL}


async def test_a_worker_that_was_only_slow_still_says_how_it_ended(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await person_of(zone, consents=2, follows=True))
    pushes = await begin(zone, clock_moves)
    clock_moves(minutes=1)
    await deliveries.recover(zone.id)
    await end(pushes)
    assert await states() == {"sent": 1, "superseded": 1}


async def test_a_template_message_of_a_dead_worker_is_repeated_under_its_own_id(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await person_of(zone, follows=True))
    (first,) = await begin(zone, clock_moves)
    clock_moves(minutes=1)
    await deliveries.recover(zone.id)
    (second,) = await end(await deliveries.begin(zone.id, TEMPLATE))
    assert (second.repeats, second.channel, second.told) == (True, first.channel, first.told)
    assert await states() == {"sent": 1}


async def test_a_template_message_the_platform_has_forgotten_is_not_repeated(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await person_of(zone, follows=True))
    await begin(zone, clock_moves)
    clock_moves(minutes=15)
    assert await deliveries.recover(zone.id) == [Channel.TEMPLATE]
    assert await states() == {"unknown": 1, "queued": 1}
    clock_moves(minutes=11)
    (begun,) = await end(await deliveries.begin(zone.id, TEMPLATE))
    assert begun.channel is Channel.IN_APP


async def test_a_phones_own_word_counts_once_and_only_where_no_event_comes(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    for number, told in enumerate((False, True)):
        person = await person_of(zone)
        await deliveries.report(new_id(), TEMPLATE, by=Scope(zone.id, "person", person_id=person.id))
        if told:
            await deliveries.credit(zone.id, f"o-{number}", TEMPLATE)
        promise = (await Promise.filter(job=deliveries.CREDIT_REPORT).order_by("-made_at"))[0]
        clock_moves(minutes=2)
        assert await deliveries.credit_report(zone.id, **promise.payload) is not told
        assert await deliveries.credit_report(zone.id, **promise.payload) is False
        assert await remaining(f"o-{number}") == 1


async def test_everybody_sees_their_own_week_and_the_office_sees_units(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await person_of(zone, consents=1)
    await owe(zone, person)
    await owe(zone, person)
    await end(await begin(zone, clock_moves))
    burden = await deliveries.my_burden(by=Scope(zone.id, "person", person_id=person.id))
    assert (burden.reminders, burden.messages, burden.messages_today, burden.daily_budget) == (2, 1, 1, 3)
    overseer = Scope(zone.id, "person", grants=(Grant(Role.OVERSIGHT, "/"),))
    assert await deliveries.burden_by_unit(by=overseer) == []
    assert (await deliveries.outcomes_of_week(by=overseer))["merged"] == 1
