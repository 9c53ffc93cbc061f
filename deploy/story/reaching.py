"""Chapter 3: phones bind and consent; in the morning each gets one neutral message, or the inbox alone."""

import re
from collections import Counter
from datetime import timedelta
from functools import partial

from deploy.story.world import FIRST_EVENING, Json, World
from miniprogram_mock.phones import Phone

NEUTRAL = re.compile(r"您有(\d+)项待办，请进入小程序查看")
CONSENTS = 4
REFUSES_EVERY, FOLLOWS_EVERY = 6, 12
"""Every sixth phone refuses subscribe messages; every second of those follows the service account instead."""


async def bind(world: World) -> None:
    """Everybody logs in and binds; some refuse messages, some of those follow the service account."""
    tell, phones = world.tell, list(world.fleet.phones.values())
    tell.chapter("Phones log in, bind, consent")
    await world.fleet.register()
    who = await world.fleet.all(Phone.sign_in)
    tell.expect("phones bound to people of their own", len({me["id"] for me in who}), len(phones))
    await _refuse_strangers(world)
    refusing, world.following = phones[::REFUSES_EVERY], set(phones[::FOLLOWS_EVERY])
    world.accepting = set(phones) - set(refusing)
    await world.fleet.all(lambda phone: phone.consent("reject"), refusing)
    await world.fleet.all(Phone.follow, world.following)
    for _ in range(CONSENTS):
        await world.fleet.all(Phone.consent, world.accepting)
        await world.move(5)  # nobody taps twice in a second, and the platform's events tell seconds only
    tell.fact(f"{len(world.accepting)} consent to {CONSENTS} messages each, {len(refusing)} refuse")
    tell.fact(f"{len(world.following)} of those who refuse follow the service account")
    wanted = len(world.accepting) * CONSENTS
    await tell.until(
        "consents in our own ledger, once the platform's events are in",
        lambda: _consents(world),
        lambda left: left == wanted,
        expected=wanted,
    )


async def _consents(world: World) -> int:
    return sum(await world.fleet.all(Phone.consents_left))


async def _refuse_strangers(world: World) -> None:
    stranger = world.fleet.newcomer("15400009999")
    await stranger.register()
    await world.tell.refused("a number that is not in the roster", stranger.sign_in(), "not_in_roster")


async def morning(world: World) -> None:
    """Nothing rang in the evening; in the morning there is one message for each owner who can be reached."""
    tell = world.tell
    tell.chapter("The morning after: messages")
    tell.expect("messages in quiet hours", len(await world.sent()), 0)
    await world.move_to(FIRST_EVENING + timedelta(days=1), 8, 5)
    owed, uncertain = await _owed(world)
    wanted = {
        "subscribe": Counter(phone.number for phone in owed if phone in world.accepting),
        "template": Counter(phone.number for phone in owed if phone in world.following),
    }
    for channel, numbers in wanted.items():
        await tell.until(
            f"{channel} messages, one for each owner who can be reached so",
            partial(world.rings, channel, besides=uncertain),
            numbers.__eq__,
            expected=numbers,
        )
    await _check_neutral(world, owed)
    await _check_inboxes(world)


async def _owed(world: World) -> tuple[dict[Phone, int], set[str]]:
    """Owners with how many items each; and numbers of those with an urgent one among others.

    The urgent were told in the evening, before their phones were bound: whether with them the others went is chance.
    """
    phones = list(world.fleet.phones.values())
    own = dict(zip(phones, await world.fleet.all(Phone.items), strict=True))
    urgent = {phone for phone, items in own.items() if any(item["urgent"] for item in items)}
    owed = {phone: len(items) for phone, items in own.items() if items and phone not in urgent}
    return owed, {phone.number for phone in urgent if len(own[phone]) > 1}


async def _check_neutral(world: World, owed: dict[Phone, int]) -> None:
    """Nothing but how many things wait, and where to look, leaves for the platform."""
    messages = await world.sent()
    texts = Counter(message["data"]["thing1"] for message in messages)
    odd = [text for text in texts if not NEUTRAL.fullmatch(text)]
    world.tell.require("neutral texts", not odd, "；".join(sorted(texts)), "您有N项待办，请进入小程序查看")
    world.tell.expect("fields filled", {name for message in messages for name in message["data"]}, {"thing1"})
    told = {phone.openid: f"您有{count}项待办，请进入小程序查看" for phone, count in owed.items()}
    wrong = [one for one in messages if one["openid"] in told and one["data"]["thing1"] != told[one["openid"]]]
    world.tell.expect("texts with a wrong count", wrong, list[Json]())


async def _check_inboxes(world: World) -> None:
    """Message or not, every item waits in its owner's inbox."""
    items = await world.office.all("/items", state="issued")
    reminded = await world.reminded("to_receive")
    once = all(len(phones) == 1 for phones in reminded.values())
    right = once and set(reminded) == {item["id"] for item in items}
    world.tell.require("items in exactly one inbox", right, len(reminded), len(items))
