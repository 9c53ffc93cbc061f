"""Chapter 4: most receive; the silent are urged, then their leader, then one level up hears of it, once each."""

from collections import Counter
from datetime import date, timedelta

from deploy.story.world import FIRST_EVENING, Json, World
from miniprogram_mock.phones import Phone

MOST_SILENT = 12
QUIET_UNTIL = date(2026, 12, 5)
"""No step of the deadline speaks in this week for an item that is due later."""
POLICY = "CL-QS"
RUNGS = ((2, 10, 5), (3, 11, 5), (4, 13, 35))
"""8, 16 and 24 working hours after the issue: days after the first evening, hour, minute."""


async def receive(world: World) -> None:
    """Everybody but a few receives on the first morning."""
    tell = world.tell
    tell.chapter("Most receive")
    await world.move_to(FIRST_EVENING + timedelta(days=1), 9, 30)
    phones = list(world.fleet.phones.values())
    own = dict(zip(phones, await world.fleet.all(Phone.items), strict=True))
    candidates = [(phone, items[0]) for phone, items in own.items() if _may_stay_silent(world, phone, items)]
    step = max(1, len(candidates) // MOST_SILENT)
    world.silent = {item["id"]: phone for phone, item in candidates[::step][:MOST_SILENT]}
    counts = await world.fleet.all(lambda phone: _receive_all(world, phone, own[phone]))
    states = Counter(item["state"] for item in await world.office.all("/items"))
    expected = {"received": sum(counts), "issued": len(world.silent)}
    tell.expect("items by state", dict(states), expected)


def _may_stay_silent(world: World, phone: Phone, items: list[Json]) -> bool:
    """Somebody with leaders above, whose one item has nothing else to say this week."""
    player = next(player for player in world.cast.values() if player.phone == phone.number)
    if not player.is_plain_member or len(items) != 1:
        return False
    (item,) = items
    return not item["urgent"] and not item["immediate_fix"] and date.fromisoformat(item["due_on"]) > QUIET_UNTIL


async def _receive_all(world: World, phone: Phone, items: list[Json]) -> int:
    theirs = [item["id"] for item in items if item["id"] not in world.silent]
    for item_id in theirs:
        await phone.receive(item_id)
    return len(theirs)


async def climb(world: World) -> None:
    """Rung by rung, exactly once each, and nobody hears of it before their turn."""
    tell = world.tell
    tell.chapter("The silent are urged, then their leaders, then one level up")
    for told_above, (days, hour, minute) in enumerate(RUNGS):
        before = (await world.sent())[-1]["seq"]
        await world.move_to(FIRST_EVENING + timedelta(days=days), hour, minute)
        await _rung(world, told_above)
        await _messages(world, before, urged=told_above == 0)
    await _late(world)


async def _rung(world: World, told_above: int) -> None:
    """Every silent item: one urge at its owner, and so many others who were told."""
    now = f"{(told_above + 1) * 8} working hours"
    await world.tell.until(
        f"{now}: owners urged once, {told_above} above each of them told",
        lambda: _told(world),
        lambda told: told == dict.fromkeys(world.silent, (1, told_above)),
        expected=f"(1, {told_above}) for each of {len(world.silent)}",
    )


async def _told(world: World) -> "Told":
    urged, escalated = await world.reminded("urge"), await world.reminded("escalated")
    told = Told()
    for item, owner in world.silent.items():
        above = [phone for phone in escalated.get(item, []) if phone is not owner]
        told[item] = (urged.get(item, []).count(owner), len(set(above)) if len(set(above)) == len(above) else -1)
    return told


class Told(dict[str, tuple[int, int]]):
    """By silent item: open urges at the owner, other people who were told; -1 where somebody was told twice."""

    def __str__(self) -> str:
        return ", ".join(f"{count} items, urged {at[0]}, told {at[1]}" for at, count in Counter(self.values()).items())


async def _messages(world: World, before: int, *, urged: bool) -> None:
    """The owner's phone rings for the urge, and not for what others are told."""
    owners = {phone.number: phone for phone in world.silent.values()}
    others = world.fleet.phones.keys() - owners.keys()
    wanted = Counter(number for number, phone in owners.items() if urged and phone in world.accepting)
    await world.tell.until(
        "owners' phones that rang, once each" if urged else "owners' phones that rang",
        lambda: world.rings("subscribe", before, besides=others),
        lambda rings: rings == wanted,
        expected=wanted,
    )


async def _late(world: World) -> None:
    """Received at last: what was waiting for it ends everywhere."""
    for item, phone in world.silent.items():
        await phone.receive(item)
    for kind in ("to_receive", "urge", "escalated"):
        left = (await world.reminded(kind)).keys() & world.silent.keys()
        world.tell.expect(f"received at last; reminders of {kind} left", left, set[str]())
