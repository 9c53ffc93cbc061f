"""The consent ledger against the simplest model of it, for any events in any order, and under concurrent sends."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import callbacks, deliveries
from models.base import clock
from models.base.ids import new_id
from models.callbacks import Callback
from models.deliveries import Channel, Conclusion, Consent, DeliveryState
from models.organization import Binding, Person, Zone
from tests.models.test_deliveries import TEMPLATE, owe, person_of

pytestmark = pytest.mark.usefixtures("database")
OTHER = "ZL_OTHER"
ENOUGH = 20
some = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

answers = st.dictionaries(st.sampled_from([TEMPLATE, OTHER]), st.sampled_from(["accept", "reject"]), min_size=1)
popups = st.tuples(st.just("popup"), st.integers(1_000, 1_006), answers)
changes = st.tuples(
    st.just("change"), st.integers(1_000, 1_006), st.sampled_from([TEMPLATE, OTHER]).map(lambda one: {one: "reject"})
)
Happened = tuple[str, int, dict[str, str]]


def truth(happened: list[Happened], template: str) -> int:
    """Accepts count until the settings refuse the template; of one second, the refusal is the later one."""
    off = max((at for kind, at, told in happened if kind == "change" and template in told), default=0)
    return min(
        ENOUGH, sum(told.get(template) == "accept" and at > off for kind, at, told in happened if kind == "popup")
    )


def pushed(openid: str, event: Happened, *, bare: bool, text: bool) -> dict[str, Any]:
    """As the platform spells it: one entry bare or in an array, the time a number or text."""
    kind, at, told = event
    entries = [{"TemplateId": template, "SubscribeStatusString": answer} for template, answer in told.items()]
    return {
        "FromUserName": openid,
        "Event": f"subscribe_msg_{kind}_event",
        "CreateTime": str(at) if text else at,
        "List": entries[0] if bare and len(entries) == 1 else entries,
    }


async def bind(zone: Zone) -> str:
    openid = f"o-{new_id().hex[-24:]}"
    number = f"1540{await Person.all().count():07d}"
    person = await Person.create(zone_id=zone.id, staff_no=openid, name="某某", phone=number)
    await Binding.create(zone_id=zone.id, person_id=person.id, openid=openid, bound_at=clock.now())
    return openid


@some
@given(
    st.lists(st.one_of(popups, changes), min_size=1, max_size=8).flatmap(
        lambda happened: st.tuples(st.just(happened), st.permutations(list(range(len(happened))) * 2))
    ),
    st.booleans(),
    st.booleans(),
)
async def test_events_repeated_and_in_any_order_leave_the_count_that_is_true(
    zone: Zone, story: tuple[list[Happened], list[int]], bare: bool, text: bool
) -> None:
    happened, arrivals = story
    openid = await bind(zone)
    for number in arrivals:  # each event twice
        event = pushed(openid, happened[number], bare=bare, text=text)
        await callbacks.store(f"{openid}:{number}", event)
        for callback in await Callback.filter(key=f"{openid}:{number}"):
            await callbacks.apply(callback)
    for template in (TEMPLATE, OTHER):
        left = await Consent.get_or_none(openid=openid, template=template)
        assert (left.remaining if left else 0) == truth(happened, template)


ends = st.sampled_from([
    (DeliveryState.SENT, None),
    (DeliveryState.UNKNOWN, None),
    (DeliveryState.FAILED, 43107),
    (DeliveryState.FAILED, 43101),
    (DeliveryState.QUEUED, -1),
])  # fmt: skip


@some
@given(st.lists(st.tuples(st.one_of(popups, changes), ends), min_size=1, max_size=6))
async def test_no_more_is_taken_than_was_given_however_messages_end_and_workers_collide(
    zone: Zone, clock_moves: Callable[..., None], story: list[tuple[Happened, tuple[DeliveryState, int | None]]]
) -> None:
    person = await person_of(zone)
    openid, taken, happened = (await Binding.get(person_id=person.id)).openid, 0, list[Happened]()
    for event, (state, errcode) in story:
        happened.append(event)
        await callbacks.store(str(key := new_id()), pushed(openid, event, bare=True, text=False))
        await callbacks.apply(await Callback.get(key=str(key)))
        await owe(zone, person, escalation=True, urgent=True)
        clock_moves(minutes=12)
        workers = await asyncio.gather(*(deliveries.begin(zone.id, TEMPLATE) for _ in range(3)))
        (push,) = [push for begun in workers for push in begun if push.person_id == person.id]
        over_phone = push.channel is Channel.SUBSCRIBE
        ending = (state, errcode) if over_phone else (DeliveryState.SENT, None)
        await deliveries.conclude([Conclusion(push, ending[0], errcode=ending[1])], TEMPLATE)
        taken += over_phone and ending[0] in (DeliveryState.SENT, DeliveryState.UNKNOWN)
        consent = await Consent.get_or_none(openid=openid, template=TEMPLATE)
        assert 0 <= (consent.remaining if consent else 0) <= truth(happened, TEMPLATE)
    accepted = sum(kind == "popup" and told.get(TEMPLATE) == "accept" for kind, _, told in happened)
    assert taken <= accepted
