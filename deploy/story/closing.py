"""Chapter 5: progress and evidence of every kind; close-out, one returned; two reviews by two people."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

from deploy.story.world import FIRST_EVENING, SAMPLE, Json, World
from miniprogram_mock.phones import Phone

MOST_WORKED = 14
AT_LEAST_CLOSED = 6
Attach = Callable[[Phone, str], Awaitable[Json]]


def photo(phone: Phone, item_id: str) -> Awaitable[Json]:
    """A photograph as the raw body."""
    return phone.upload((SAMPLE / "photos" / "road.jpg").read_bytes(), item_id=item_id)


def photo_in_a_form(phone: Phone, item_id: str) -> Awaitable[Json]:
    """A photograph as wx.uploadFile sends it."""
    return phone.upload((SAMPLE / "photos" / "bins.jpg").read_bytes(), as_form=True, item_id=item_id)


def document(phone: Phone, item_id: str) -> Awaitable[Json]:
    """A PDF."""
    content = (SAMPLE / "documents" / "statement.pdf").read_bytes()
    return phone.upload(content, kind="document", item_id=item_id)


def text(phone: Phone, item_id: str) -> Awaitable[Json]:
    """A written statement."""
    return phone.state("已按要求逐项核对，台账与现场一致。", item_id=item_id)


def paper(phone: Phone, item_id: str) -> Awaitable[Json]:
    """Where a paper file is kept."""
    return phone.refer_to_paper("会议纪要〔2026〕18号，存档案室3-12", item_id=item_id)


KINDS: tuple[Attach, ...] = (photo, photo_in_a_form, document, text, paper)


async def work(world: World) -> None:
    """Owners report, and prove; what proves nothing, or comes from somebody else, is refused."""
    tell = world.tell
    tell.chapter("Progress and evidence")
    await world.move_to(FIRST_EVENING + timedelta(days=4), 14)
    worked = await _to_be_worked(world)
    owner, item_id = next((phone, item_id) for item_id, phone in worked.items())
    await _refusals(world, owner, item_id)
    key = uuid4()
    for _ in range(2):
        await owner.report(item_id, "已完成现场核对，正在补充资料。", key=key)
    reports = [
        row for row in (await owner.read(f"/items/{item_id}/timeline"))["items"] if row["event"] == "item.reported"
    ]
    tell.expect("a report sent twice by an offline queue stands", len(reports), 1)
    proofs = [await KINDS[place % len(KINDS)](phone, item) for place, (item, phone) in enumerate(worked.items())]
    tell.fact(f"evidence: {dict(Counter(proof['kind'] for proof in proofs))}")
    await _await_pictures(world, worked, proofs)
    world.worked = worked


async def _to_be_worked(world: World) -> dict[str, Phone]:
    """Some received items with their owners, immediate fixes among them."""
    phones = list(world.fleet.phones.values())
    own = zip(phones, await world.fleet.all(Phone.items), strict=True)
    received = [(item, phone) for phone, items in own for item in items[:1] if item["state"] == "received"]
    received.sort(key=lambda pair: not pair[0]["immediate_fix"])
    few = [pair for pair in received if pair[0]["immediate_fix"]][:2]
    rest = [pair for pair in received if not pair[0]["immediate_fix"]][: MOST_WORKED - len(few)]
    return {item["id"]: phone for item, phone in (*rest, *few)}


async def _refusals(world: World, owner: Phone, item_id: str) -> None:
    tell = world.tell
    colleagues = [world.fleet.phones.get(player.phone) for player in world.cast.values() if player.is_plain_member]
    stranger = next(phone for phone in colleagues if phone is not None and phone is not owner)
    await tell.refused("a stranger reads the item", stranger.item(item_id), "not_found")
    await tell.refused("close-out without evidence", owner.request_close_out(item_id), "evidence_missing")
    await tell.refused("a photo that is none", owner.upload(b"not a photo at all", item_id=item_id), "not_a_photo")


async def _await_pictures(world: World, worked: dict[str, Phone], proofs: list[Json]) -> None:
    """Workers draw a view of each photo."""
    photos = [proof for proof in proofs if proof["kind"] == "photo"]

    async def views() -> Counter[str]:
        shown = [await worked[proof["item_id"]].read(f"/evidence/{proof['id']}") for proof in photos]
        return Counter(proof["view"] for proof in shown)

    done = Counter({"done": len(photos)})
    await world.tell.until("views drawn of photos", views, done.__eq__, expected=done)


async def close(world: World) -> None:
    """Every close-out is reviewed by two other people; one is sent back first, and told what is missing."""
    tell = world.tell
    tell.chapter("Close-out and reviews")
    for item_id, phone in world.worked.items():
        await phone.request_close_out(item_id, "已办结，请审核。")
    asked = await world.reminded("review_waiting")
    told = {item_id: len(asked[item_id]) for item_id in world.worked}
    tell.expect("each close-out asks exactly one reviewer", set(told.values()), {1})
    states = await _states(world)
    tell.fact(f"after the requests: {dict(Counter(states.values()))} (immediate fixes skip the unit's review)")
    at_unit = [item_id for item_id, state in states.items() if state == "unit_review"]
    await _refuse_own_review(world, at_unit[0])
    for item_id in at_unit[1:]:
        await asked[item_id][0].review(item_id, "unit")
    await _return_once(world, at_unit[0], asked[at_unit[0]][0])
    await _oversee(world, at_unit[1])


async def _states(world: World) -> dict[str, str]:
    return {item_id: (await phone.item(item_id))["state"] for item_id, phone in world.worked.items()}


async def _refuse_own_review(world: World, item_id: str) -> None:
    owner = world.worked[item_id]
    await world.tell.refused("an owner reviews their own item", owner.review(item_id, "unit"), "same_person")


async def _return_once(world: World, item_id: str, reviewer: Phone) -> None:
    """Returned with a reason; the owner adds what is missing and asks again."""
    tell, owner = world.tell, world.worked[item_id]
    await reviewer.review(item_id, "unit", reason="现场情况不清楚", missing="整改后的照片或文字说明")
    returned = (await world.reminded("returned"))[item_id]
    tell.require(
        "returned with a reason, the owner is told", returned == [owner], "整改后的照片或文字说明", "the owner"
    )
    await owner.state("补充：整改后现场已复核，见纸质记录。", item_id=item_id)
    await owner.request_close_out(item_id, "已补充。")
    await (await world.reminded("review_waiting"))[item_id][0].review(item_id, "unit")
    (cycle,) = (await owner.item(item_id))["cycles"]
    tell.expect("times returned, in the cycle's figures", cycle["returned_times"], 1)


async def _office_may_close(world: World, item_id: str) -> bool:
    """Not where the same person has reviewed it for the unit."""
    steps = (await world.office.read(f"/items/{item_id}"))["next_actions"]
    return any(step["action"] == "close_out" for step in steps)


async def _oversee(world: World, sample: str) -> None:
    """Oversight closes: some on the console, some on the phone that was asked; never who reviewed before."""
    tell, asked = world.tell, await world.reminded("review_waiting")
    reviewer = (await world.office.read(f"/items/{sample}/timeline"))["items"][0]["actor"]
    for place, item_id in enumerate(world.worked):
        if place % 2 or not await _office_may_close(world, item_id):
            await asked[item_id][0].review(item_id, "oversight")
        else:
            await world.office.write(f"/items/{item_id}/oversight-review", {"passed": True})
    items = [await phone.item(item_id) for item_id, phone in world.worked.items()]
    tell.expect("closed", Counter(item["state"] for item in items), Counter({"closed": len(items)}))
    tell.require("enough closed for a look-back", len(items) >= AT_LEAST_CLOSED, len(items), AT_LEAST_CLOSED)
    passes = Counter(item["cycles"][0]["first_pass"] for item in items)
    tell.expect("passed at first, and not", (passes[True], passes[False]), (len(items) - 1, 1))
    moments = (await world.office.read(f"/items/{sample}/timeline"))["items"]
    by = {row["event"]: row["actor"] for row in moments}
    three = {by["item.close_out_requested"], reviewer, by["item.closed"]}
    tell.require("owner, unit reviewer, oversight are three people", len(three) == 3, "、".join(sorted(three)), 3)
