"""Chapter 7: the worker is killed in the middle of a push and Redis is flushed; every message has one outcome."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from redis.asyncio import Redis

from deploy.story.world import FIRST_EVENING, Json, World
from miniprogram_mock.phones import Phone

SEND = "/cgi-bin/message/subscribe/send"
MOST_HIT = 60
LATENCY_MS = 8_000
"""Long enough that a message is certainly under way at the kill; the transport gives up after ten seconds."""
DUE = "2026-12-31"
QUIET_UNTIL = date(2026, 12, 5)
LEASES_LAPSE = timedelta(seconds=90)
UNKNOWN_WAITS = timedelta(minutes=11)
UNFINISHED = ("queued", "sending")


async def break_down(world: World) -> None:
    """A burst of messages, SIGKILL while they are on their way, an empty Redis, a restart."""
    tell = world.tell
    tell.chapter("The worker is killed in the middle of a push, Redis is flushed")
    await world.move_to(FIRST_EVENING + timedelta(days=7), 10)
    await _all_told(world)
    owners = await _who_can_be_reached(world)
    half = len(owners) // 2
    first, second = [await _drafted(world, part) for part in (owners[:half], owners[half:])]
    before, calls = (await world.sent())[-1]["seq"], await _calls(world)
    fault = await world.control("POST", "faults", path=SEND, kind="latency", ms=LATENCY_MS)
    await world.office.write(f"/campaigns/{first}/issue", {"although_similar": True})
    await tell.until("messages on their way", lambda: _calls(world, calls), half.__le__, expected=half)
    await world.office.write(f"/campaigns/{second}/issue", {"although_similar": True})
    await _cut(world)
    await world.control("DELETE", f"faults/{fault['id']}")
    await _recovered(world, before, Counter(phone.number for phone in owners))


async def _who_can_be_reached(world: World) -> list[Phone]:
    """People with a consent left whom nothing else tells anything today: plain members, nothing due soon."""
    members = {player.phone for player in world.cast.values() if player.is_plain_member}
    phones = [phone for phone in world.accepting if phone.number in members]
    left = await world.fleet.all(Phone.consents_left, phones)
    items = await world.fleet.all(Phone.items, phones)
    calm = [
        phone
        for phone, consents, own in zip(phones, left, items, strict=True)
        if consents and all(date.fromisoformat(item["due_on"]) > QUIET_UNTIL for item in own)
    ]
    return sorted(calm, key=lambda phone: phone.number)[:MOST_HIT]


async def _drafted(world: World, owners: Sequence[Phone]) -> str:
    """A campaign with one draft for each of them."""
    name = f"岁末专项核查（{owners[0].number[-4:]}）"
    campaign: Json = await world.office.write("/campaigns", {"name": name})
    for phone in owners:
        matter = {
            "list": "task",
            "title": name,
            "requirement": "逐项核查并说明情况。",
            "classification": "internal",
            "owner_id": phone.person_id,
            "unit_id": phone.me["posts"][0]["unit_id"],
            "due_on": DUE,
        }
        await world.office.write("/items", {"campaign_id": campaign["id"], "matter": matter})
    world.burst += len(owners)
    return str(campaign["id"])


async def _calls(world: World, before: int = 0) -> int:
    """How many sends have reached the platform, beyond `before`."""
    stats = await world.control("GET", "stats")
    return int(stats["calls"].get(SEND, 0)) - before


async def _cut(world: World) -> None:
    world.stack.kill("worker")
    async with Redis.from_url(world.stack.services.redis_url) as redis:
        await redis.flushall()
    world.tell.fact("worker killed with SIGKILL, Redis flushed; its supervisor starts another")


async def _recovered(world: World, before: int, wanted: Counter[str]) -> None:
    """Leases lapse, what was unsent leaves, what may have left is never sent again."""
    tell, others = world.tell, world.fleet.phones.keys() - wanted.keys()
    rings = partial(world.rings, "subscribe", before, besides=others)
    await world.move(LEASES_LAPSE.total_seconds())
    await tell.until(
        "phones that rang, exactly once each",
        rings,
        wanted.__eq__,
        expected=wanted,
        seconds=90,
    )
    await world.move(UNKNOWN_WAITS.total_seconds())
    await _all_told(world)
    tell.expect("phones that rang since, still once each", await rings(), wanted)


async def _all_told(world: World) -> None:
    async def unfinished() -> int:
        return sum([len(await world.office.all("/deliveries", state=state)) for state in UNFINISHED])

    await world.tell.until("deliveries without an outcome", unfinished, lambda left: left == 0, expected=0, every=1)
