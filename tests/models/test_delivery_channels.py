"""Which channel a message takes: the zone's order, what was tried already, what is paused, what may be repeated."""

from collections.abc import Callable

import pytest

from models import deliveries, organization
from models.base import clock
from models.base.audit import AuditRow
from models.base.calendar import calendar_of
from models.base.errors import Forbidden, Invalid, NotFound
from models.base.scope import Grant, Role, Scope
from models.deliveries import Channel, Conclusion, Delivery, DeliveryState, Push
from models.organization import Person, Zone
from tests.models.test_deliveries import TEMPLATE, owe, person_of, remaining, states

pytestmark = pytest.mark.usefixtures("database")
EVERY = frozenset(Channel) - {Channel.IN_APP}


@pytest.fixture
def admin(zone: Zone) -> Scope:
    return Scope(zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))


@pytest.fixture(autouse=True)
async def working_hours(zone: Zone, clock_moves: Callable[..., None]) -> None:
    """Ten in the morning of a working day, so that phones may ring."""
    day = (await calendar_of(zone.id)).add_working_days(clock.today(), 1)
    clock_moves(seconds=(clock.at(day, 10) - clock.now()).total_seconds())


async def reachable(zone: Zone, *, consents: int = 2, wecom: str | None = "wang", **more: bool) -> Person:
    """Somebody whom every channel reaches."""
    person = await person_of(zone, consents=consents, follows=True, **more)
    await Person.filter(id=person.id).update(wecom=wecom)
    return person


async def begin(zone: Zone, clock_moves: Callable[..., None], **moved: int) -> list[Push]:
    clock_moves(**(moved or {"seconds": 2}))
    return await deliveries.begin(zone.id, TEMPLATE, configured=EVERY)


async def end(pushes: list[Push], state: DeliveryState, **more: object) -> list[Push]:
    await deliveries.conclude([Conclusion(push, state, **more) for push in pushes], TEMPLATE)  # type: ignore[arg-type]
    return pushes


async def channels_tried(zone: Zone, clock_moves: Callable[..., None], ends: DeliveryState) -> list[Channel]:
    """Every channel that one delivery goes over, where all but the inbox end alike."""
    taken: list[Channel] = []
    while pushes := await begin(zone, clock_moves, minutes=11):
        taken += [push.channel for push in pushes]
        await end(pushes, DeliveryState.SENT if pushes[0].channel is Channel.IN_APP else ends)
    return taken


@pytest.mark.parametrize("ends", [DeliveryState.FAILED, DeliveryState.UNKNOWN])
async def test_what_did_not_arrive_goes_on_to_each_channel_once_and_ends_in_the_inbox(
    zone: Zone, clock_moves: Callable[..., None], ends: DeliveryState
) -> None:
    await owe(zone, await reachable(zone))
    taken = await channels_tried(zone, clock_moves, ends)
    assert taken == [Channel.SUBSCRIBE, Channel.TEMPLATE, Channel.WECOM, Channel.SMS, Channel.IN_APP]
    assert await states() == {ends.value: 4, "sent": 1}
    last = await Delivery.get(channel=Channel.IN_APP)
    assert last.reason is None
    assert {row.openid for row in await Delivery.all()} == {"o-0", "s-0", None}, "a number or userid is not copied"


async def test_the_zone_says_in_which_order(zone: Zone, admin: Scope, clock_moves: Callable[..., None]) -> None:
    await organization.change_settings(by=admin, changes={"channels": ["wecom", "subscribe", "sms"]})
    await owe(zone, await reachable(zone))
    taken = await channels_tried(zone, clock_moves, DeliveryState.FAILED)
    assert taken == [Channel.WECOM, Channel.SUBSCRIBE, Channel.SMS, Channel.IN_APP]


@pytest.mark.parametrize("channels", [["sms", "sms"], ["fax"], ["in_app"]])
async def test_a_wrong_order_is_refused(admin: Scope, channels: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        await organization.change_settings(by=admin, changes={"channels": channels})
    assert refused.value.faults[0].pointer.startswith("/channels")


async def test_a_channel_that_is_not_configured_is_passed_by(zone: Zone, clock_moves: Callable[..., None]) -> None:
    await owe(zone, await reachable(zone, consents=0, bound=True))
    clock_moves(seconds=2)
    (push,) = await deliveries.begin(zone.id, TEMPLATE, configured={Channel.SMS})
    assert (push.way.channel, push.way.address) == (Channel.SMS, "15400000000")


async def test_nobody_who_has_left_is_written_to(zone: Zone, clock_moves: Callable[..., None]) -> None:
    person = await reachable(zone)
    await Person.filter(id=person.id).update(active=False)
    await owe(zone, person)
    (begun,) = await end(await begin(zone, clock_moves), DeliveryState.SENT)
    assert begun.channel is Channel.IN_APP


async def test_what_is_new_goes_the_first_way_and_takes_along_what_failed(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await reachable(zone, consents=5)
    await owe(zone, person)
    await end(await begin(zone, clock_moves), DeliveryState.UNKNOWN)
    await owe(zone, person)
    (begun,) = await end(await begin(zone, clock_moves), DeliveryState.SENT)
    assert (begun.channel, begun.count) == (Channel.SUBSCRIBE, 2)
    assert await states() == {"unknown": 1, "sent": 1, "merged": 1}


async def test_a_repeat_is_the_same_message_and_rings_even_at_night(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    """What joins meanwhile was not in the first one, so it may not be taken to have been told."""
    person = await reachable(zone, consents=0)
    await owe(zone, person)
    clock_moves(seconds=(clock.at(clock.today(), 19, 59) - clock.now()).total_seconds())
    (first,) = await deliveries.begin(zone.id, TEMPLATE)
    await owe(zone, person)
    clock_moves(minutes=2)  # quiet hours
    await deliveries.recover(zone.id)
    (again,) = await end(await deliveries.begin(zone.id, TEMPLATE), DeliveryState.SENT)
    assert (again.repeats, again.channel, again.told) == (True, first.channel, first.told)
    assert await states() == {"sent": 1, "queued": 1}
    assert await deliveries.begin(zone.id, TEMPLATE) == []


async def test_a_repeat_waits_for_its_own_channel_and_is_unknown_when_its_key_is_forgotten(
    zone: Zone, admin: Scope, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await reachable(zone, consents=0))
    await begin(zone, clock_moves)
    await deliveries.pause(Channel.TEMPLATE, "服务号在整改", by=admin)
    assert await begin(zone, clock_moves, minutes=5) == []
    assert await deliveries.recover(zone.id) == []
    clock_moves(minutes=5)
    assert await deliveries.recover(zone.id) == [Channel.TEMPLATE]
    (begun,) = await end(await begin(zone, clock_moves, minutes=11), DeliveryState.SENT)
    assert begun.channel is Channel.WECOM


async def test_whoever_is_being_sent_something_gets_nothing_else_meanwhile(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await reachable(zone)
    await owe(zone, person)
    pushes = await begin(zone, clock_moves)
    await owe(zone, person, urgent=True)
    clock_moves(seconds=5)
    assert await deliveries.begin(zone.id, TEMPLATE, configured=EVERY) == []
    await end(pushes, DeliveryState.SENT)
    assert len(await deliveries.begin(zone.id, TEMPLATE, configured=EVERY)) == 1


async def test_a_slow_worker_cannot_queue_again_what_was_given_up_as_unknown(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await owe(zone, await reachable(zone))
    pushes = await begin(zone, clock_moves)
    clock_moves(minutes=1)
    await deliveries.recover(zone.id)
    await end(pushes, DeliveryState.QUEUED, again_at=clock.now())
    assert await states() == {"failed": 1, "queued": 1}, "its consent is given back, its follower has it"
    assert await remaining("o-0") == 2


async def test_while_more_keeps_coming_one_message_waits_for_all_of_it(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = await reachable(zone)
    for _ in range(20):
        await owe(zone, person, escalation=True)
        assert await begin(zone, clock_moves, seconds=1) == []
    (begun,) = await end(await begin(zone, clock_moves), DeliveryState.SENT)
    assert begun.count == 20


async def test_it_waits_for_a_minute_at_most(zone: Zone, clock_moves: Callable[..., None]) -> None:
    person = await reachable(zone)
    told = 0
    for _ in range(65):
        await owe(zone, person, escalation=True)
        told += sum(begun.count for begun in await end(await begin(zone, clock_moves, seconds=1), DeliveryState.SENT))
    assert told >= 60


async def test_a_paused_channel_is_passed_by(zone: Zone, admin: Scope, clock_moves: Callable[..., None]) -> None:
    await deliveries.pause(Channel.SUBSCRIBE, "模板在审核", by=admin)
    await owe(zone, await reachable(zone))
    (begun,) = await end(await begin(zone, clock_moves), DeliveryState.SENT)
    assert begun.channel is Channel.TEMPLATE
    assert await remaining("o-0") == 2


async def test_whom_only_a_paused_channel_reaches_waits_for_it_and_hears_once(
    zone: Zone, admin: Scope, clock_moves: Callable[..., None]
) -> None:
    await deliveries.pause(Channel.TEMPLATE, "服务号在整改", by=admin)
    person = await person_of(zone, follows=True)
    for _ in range(3):
        await owe(zone, person)
        clock_moves(minutes=1)
        assert await deliveries.begin(zone.id, TEMPLATE) == []
    assert {row.reason for row in await Delivery.all()} == {"channel_paused"}
    await deliveries.resume(Channel.TEMPLATE, by=admin)
    (begun,) = await end(await deliveries.begin(zone.id, TEMPLATE), DeliveryState.SENT)
    assert (begun.channel, begun.count) == (Channel.TEMPLATE, 3)
    assert await states() == {"sent": 1, "merged": 2}


async def test_pausing_is_for_admins_with_a_reason_and_leaves_its_trace(zone: Zone, admin: Scope) -> None:
    with pytest.raises(Forbidden):
        await deliveries.pause(Channel.SMS, "停", by=Scope(zone.id, "person"))
    for channel, reason in ((Channel.SMS, " "), (Channel.IN_APP, "停")):
        with pytest.raises(Invalid):
            await deliveries.pause(channel, reason, by=admin)
    first = await deliveries.pause(Channel.SMS, "欠费", by=admin)
    assert (await deliveries.pause(Channel.SMS, "又停", by=admin)).id == first.id
    assert [(pause.channel, pause.reason) for pause in await deliveries.pauses(by=admin)] == [(Channel.SMS, "欠费")]
    await deliveries.resume(Channel.SMS, by=admin)
    with pytest.raises(NotFound):
        await deliveries.resume(Channel.SMS, by=admin)
    log = await AuditRow.filter(action__startswith="channel.").order_by("tx").values_list("action", flat=True)
    assert log == ["channel.paused", "channel.resumed"]
    other = await Zone.create(code="other", name="邻区", created_at=clock.now())
    await deliveries.pause(Channel.SMS, "欠费", by=admin)
    assert await deliveries.paused_channels(other.id) == frozenset()
