"""What the platform pushes: kept once, applied once, waiting for a binding where there is none yet."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models import callbacks, deliveries
from models.base import clock
from models.base.ids import new_id
from models.base.outbox import Promise
from models.base.scope import Scope
from models.callbacks import Callback, CallbackState, Nobody
from models.deliveries import Channel, Consent, Delivery, DeliveryState
from models.organization import Binding, Person, Zone

TEMPLATE = "ZL_TODO"
pytestmark = pytest.mark.usefixtures("database")


def popup(openid: str, *answers: str, bare: bool = False, at: int | str = 1) -> dict[str, Any]:
    entries = [{"TemplateId": TEMPLATE, "SubscribeStatusString": answer, "PopupScene": "0"} for answer in answers]
    event = {"FromUserName": openid, "Event": "subscribe_msg_popup_event", "CreateTime": at}
    return {**event, "List": entries[0] if bare else entries}


async def bind(zone: Zone, openid: str) -> None:
    person = await Person.create(zone_id=zone.id, staff_no=openid, name="某某", phone=f"1540000{len(openid):04d}")
    await Binding.create(zone_id=zone.id, person_id=person.id, openid=openid, unionid="u", bound_at=clock.now())


async def take_one() -> Callback:
    (callback,) = await callbacks.take(10)
    return callback


async def test_the_platforms_repetition_is_kept_once() -> None:
    assert await callbacks.store("k", {"Event": "x"})
    assert not await callbacks.store("k", {"Event": "x"})
    assert await Callback.all().count() == 1


@pytest.mark.parametrize("bare", [True, False])
async def test_an_accept_is_credited_once_however_often_it_is_applied(zone: Zone, bare: bool) -> None:
    await bind(zone, "o1")
    await callbacks.store("k", popup("o1", "accept", bare=bare))
    callback = await take_one()
    for _ in range(3):
        await callbacks.apply(callback)
    assert (await Consent.get(openid="o1")).remaining == 1


async def test_a_reject_is_not_credited_and_turning_it_off_empties_the_ledger(zone: Zone) -> None:
    await bind(zone, "o1")
    await callbacks.store("a", popup("o1", "accept", "reject"))
    await callbacks.apply(await take_one())
    assert (await Consent.get(openid="o1")).remaining == 1
    await callbacks.store("b", {**popup("o1", "reject"), "Event": "subscribe_msg_change_event"})
    await callbacks.apply(await take_one())
    assert (await Consent.get(openid="o1")).remaining == 0


CHANGE = "subscribe_msg_change_event"


@pytest.mark.parametrize(
    ("told", "remaining"),
    [
        ([("accept", 10), ("refuse", 20)], 0),
        ([("refuse", 20), ("accept", 10)], 0),  # the accept comes late: it was before the refusal
        ([("refuse", 20), ("accept", "30")], 1),
        ([("accept", "30"), ("refuse", 20)], 1),  # the refusal comes late: the accept was after it
        ([("accept", 10), ("accept", 30), ("refuse", "20")], 1),
        ([("refuse", 20), ("accept", 10), ("accept", 30), ("refuse", 15)], 1),
        ([("accept", 30), ("refuse", 40), ("refuse", 20), ("accept", 35)], 0),
    ],
)
async def test_what_a_phone_takes_does_not_depend_on_the_order_in_which_its_events_come(
    zone: Zone, told: list[tuple[str, int | str]], remaining: int
) -> None:
    await bind(zone, "o1")
    for number, (answer, at) in enumerate(told):
        event = (
            popup("o1", "accept", at=at) if answer == "accept" else {**popup("o1", "reject", at=at), "Event": CHANGE}
        )
        for _ in range(2):
            await callbacks.store(f"{number}", event)
        await callbacks.apply(await take_one())
    assert (await Consent.get(openid="o1")).remaining == remaining


async def test_a_phones_own_word_of_before_a_refusal_counts_no_more(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await bind(zone, "o1")
    person = await Person.get(staff_no="o1")
    await deliveries.report(new_id(), TEMPLATE, by=Scope(zone.id, "person", person_id=person.id))
    clock_moves(seconds=30)
    await deliveries.revoke(zone.id, "o1", TEMPLATE)
    promise = await Promise.get(job=deliveries.CREDIT_REPORT)
    assert await deliveries.credit_report(zone.id, **promise.payload) is False
    assert (await Consent.get(openid="o1")).remaining == 0


async def test_an_event_before_the_binding_waits_for_it(zone: Zone, clock_moves: Callable[..., None]) -> None:
    await callbacks.store("k", popup("o1", "accept"))
    callback = await take_one()
    with pytest.raises(Nobody):
        await callbacks.apply(callback)
    await callbacks.postpone(callback)
    await bind(zone, "o1")
    clock_moves(minutes=1)
    await callbacks.apply(await take_one())
    assert (await Consent.get(openid="o1")).remaining == 1


async def test_an_event_of_nobody_is_dropped_after_a_week(clock_moves: Callable[..., None]) -> None:
    await callbacks.store("k", popup("o1", "accept"))
    clock_moves(days=8)
    await callbacks.postpone(await take_one())
    assert (await Callback.get()).state is CallbackState.DROPPED


async def test_what_a_dead_worker_took_comes_up_again(clock_moves: Callable[..., None]) -> None:
    await callbacks.store("k", {"Event": "x"})
    await callbacks.take(10)
    assert await callbacks.take(10) == []
    clock_moves(minutes=1)
    assert len(await callbacks.take(10)) == 1


async def test_an_event_that_the_product_does_not_use_is_dropped() -> None:
    await callbacks.store("k", {"Event": "user_enter_tempsession", "FromUserName": "o1"})
    await callbacks.apply(await take_one())
    assert (await Callback.get()).state is CallbackState.DROPPED


async def test_news_that_comes_a_day_late_settles_yesterdays_message_and_not_todays(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    await bind(zone, "o1")
    yesterdays = await unknown_message(zone, "o1")
    told = {"TemplateId": TEMPLATE, "MsgID": "1", "ErrorCode": "0", "ErrorStatus": "success"}
    event = {"FromUserName": "o1", "Event": "subscribe_msg_sent_event", "List": told}
    event["CreateTime"] = int(clock.now().timestamp())
    clock_moves(days=1)
    todays = await unknown_message(zone, "o1")
    await callbacks.store("k", event)
    await callbacks.apply(await take_one())
    states = {row.id: row.state for row in await Delivery.all()}
    assert states == {yesterdays: DeliveryState.SENT, todays: DeliveryState.UNKNOWN}


async def unknown_message(zone: Zone, openid: str) -> UUID:
    message = await Delivery.create(
        zone_id=zone.id,
        person_id=(await Binding.get(openid=openid)).person_id,  # type: ignore[attr-defined]
        reminder_id=new_id(),
        key=str(new_id()),
        state=DeliveryState.UNKNOWN,
        channel=Channel.SUBSCRIBE,
        openid=openid,
        not_before=clock.now(),
        made_at=clock.now(),
        begun_at=clock.now(),
    )
    return message.id


async def test_a_followers_phone_is_found_by_its_unionid(zone: Zone) -> None:
    await bind(zone, "o1")
    await callbacks.store("k", {"Event": "subscribe", "FromUserName": "s1"})
    callback = await take_one()
    with pytest.raises(Nobody):
        await callbacks.apply_following(callback, "somebody else")
    await callbacks.apply_following(callback, "u")
    assert (await deliveries.Follower.get(openid="s1")).following
    await callbacks.store(str(new_id()), {"Event": "unsubscribe", "FromUserName": "s1"})
    await callbacks.apply(await take_one())
    assert not (await deliveries.Follower.get(openid="s1")).following
