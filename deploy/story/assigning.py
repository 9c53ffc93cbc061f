"""Chapter 2: a campaign's items are imported and issued, in the evening, when no phone may ring."""

from collections import Counter, defaultdict

from deploy.story.world import FIRST_EVENING, World

NUMBER_OF = {"task": "RW", "responsibility": "ZR", "problem": "WT"}


async def assign(world: World) -> None:
    """Import, issue, decide on the similar ones; numbers have no gaps."""
    tell, office = world.tell, world.office
    tell.chapter("Items are imported and issued")
    await world.move_to(FIRST_EVENING, 20, 30)
    world.campaign = (await office.write("/campaigns", {"name": "2026年政治监督台账"}))["id"]
    rows = world.imported = await _import(world)
    issued = await office.write(f"/campaigns/{world.campaign}/issue", {"although_similar": False})
    left = {like["item_id"] for like in issued["similar"]}
    for like in issued["similar"]:
        tell.fact(f"left as a draft, {like['percent']} % like an open one: {like['title']}")
    tell.expect("issued at first", len(issued["numbers"]), rows - len(left))
    for item_id in sorted(left):
        await office.write(f"/items/{item_id}/issue", {"although_similar": True})
    tell.fact(f"issued after a look, although similar: {len(left)}")
    await _check_numbers(world, rows)
    await _urgent_at_once(world)


async def _import(world: World) -> int:
    """How many drafts the workbook gave; a dry run before, the same file again after."""
    tell, address = world.tell, f"/campaigns/{world.campaign}/items/import"
    data = world.workbook.read_bytes()
    dry = await world.office.upload(address, data, dry_run="true")
    done = await world.office.upload(address, data)
    tell.expect("drafts, as the dry run said", done["created"], int(dry["created"]))
    tell.fact(f"rows like another of the same owner, told as a warning: {len(done['similar'])}")
    again = await world.office.upload(address, data)
    tell.expect("the same workbook again creates", again["created"] + again["updated"], 0)
    return int(done["created"])


async def _check_numbers(world: World, rows: int) -> None:
    items = await world.office.all("/items")
    world.tell.expect("items by state", dict(Counter(item["state"] for item in items)), {"issued": rows})
    numbers: dict[str, list[int]] = defaultdict(list)
    for item in items:
        prefix, _, number = item["number"].rpartition("-")
        numbers[prefix].append(int(number))
    for prefix, taken in sorted(numbers.items()):
        wanted = list(range(1, len(taken) + 1))
        world.tell.require(f"{prefix}-0001 to {len(taken):04}, no gap", sorted(taken) == wanted, True, wanted)


async def _urgent_at_once(world: World) -> None:
    """What is urgent does not wait for the morning; nobody's phone is bound yet, so the inbox has it alone."""
    owners = {item["owner_id"] for item in await world.office.all("/items") if item["urgent"]}

    async def told() -> dict[str, int]:
        return dict(Counter(row["reason"] for row in await world.office.all("/deliveries", state="sent")))

    wanted = {"not_bound": len(owners)}
    await world.tell.until("owners of urgent items told at once", told, wanted.__eq__, expected=wanted)
