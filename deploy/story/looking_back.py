"""Chapter 6: closed items are looked at again: a draw that can be repeated, visits, and a relapse."""

from collections import Counter
from uuid import uuid4

from deploy.story.world import SAMPLE, Json, World
from miniprogram_mock.phones import Phone
from models.base import clock

SEED = "20261113"
DRAWN = 5


async def look_back(world: World) -> None:
    """Drawn twice with one seed, the draw is the same; every way of recording a visit counts."""
    tell = world.tell
    tell.chapter("Look-back")
    first = await _plan(world, "年末回头看")
    record = await _draw(world, first)
    twice = _plan(world, "年末回头看（复核抽取）")
    await tell.refused("a plan that would visit the same again, unasked", twice, "visited_lately")
    second = await _plan(world, "年末回头看（复核抽取）", although_visited="复核抽取结果")
    same = _items(record) == _items(await _draw(world, second))
    tell.require("same seed, same population, same items", same, record["population_hash"][:16], "the same")
    again = world.office.write(f"/lookbacks/{first}/draw", {"seed": "another"})
    await tell.refused("drawing again with another seed", again, "already_drawn")
    visits = await world.office.all(f"/lookbacks/{first}/visits")
    tell.expect("visits drawn, nobody inspects their own unit", len(visits), DRAWN)
    await _record(world, visits)


def _items(record: Json) -> list[str]:
    return [drawn["item"] for drawn in record["drawing"]["assigned"]]


async def _plan(world: World, name: str, **said: str) -> str:
    facts = {"name": name, "population": {"campaign_id": world.campaign}, "count": DRAWN, **said}
    made: Json = await world.office.write("/lookbacks", facts)
    return str(made["id"])


async def _draw(world: World, plan: str) -> Json:
    drawn = await world.office.write(f"/lookbacks/{plan}/draw", {"seed": SEED})
    world.tell.expect(
        "drawn, and drawn again from its record alike", (drawn["drawn"], drawn["verified"]), (DRAWN, True)
    )
    record: Json = await world.office.read(f"/lookbacks/{plan}/draw/record")
    return record


async def _record(world: World, visits: list[Json]) -> None:
    by_visit = await _inspectors(world, visits)
    full, bare, paper, relapse, follow = (visit["id"] for visit in visits)
    await _replayed(world, by_visit[full], full)
    plain = await by_visit[bare].record_visit(bare, "effective", "现场与台账一致。", visited_at=clock.now())
    world.tell.expect("recorded without place and photo", (plain["place"], plain["evidence"]), (None, []))
    said = {"verdict": "effective", "seen": "已到位，见纸质记录。", "visited_at": clock.now().isoformat()}
    typed = await world.office.write(f"/lookbacks/visits/{paper}/records", {**said, "paper": "回头看记录簿第7页"})
    world.tell.expect("typed from paper on the console", (typed["source"], typed["effect"]), ("paper", "confirmed"))
    mostly = await by_visit[follow].record_visit(
        follow, "mostly_effective", "基本到位。", visited_at=clock.now(), follow_up="补挂公示牌"
    )
    world.tell.expect("mostly effective", mostly["effect"], "follow_up")
    world.followed += 1
    task = await world.office.read(f"/items/{mostly['follow_up_item']}")
    world.tell.expect("what remains, a small task", (task["requirement"], task["state"]), ("补挂公示牌", "issued"))
    await _relapse(world, by_visit[relapse], next(visit for visit in visits if visit["id"] == relapse))


async def _inspectors(world: World, visits: list[Json]) -> dict[str, Phone]:
    """Who leads each visit: the phones of inspectors list their own."""
    inspecting = [player.phone for player in world.cast.values() if "检查人员" in player.roles]
    phones = [world.fleet.phones[number] for number in inspecting if number in world.fleet.phones]
    lists = await world.fleet.all(Phone.visits, phones)
    found = {visit["id"]: phone for phone, own in zip(phones, lists, strict=True) for visit in own}
    return {visit["id"]: found[visit["id"]] for visit in visits}


async def _replayed(world: World, inspector: Phone, visit: str) -> None:
    """With place and photo; recorded without a network, then sent twice."""
    photo = await inspector.upload((SAMPLE / "photos" / "river_bank.jpg").read_bytes(), visit_id=visit)
    key, visited_at = uuid4(), clock.now()
    facts = {"place": {"latitude": 30.5912, "longitude": 114.3127, "coarse": True}, "evidence": [photo["id"]]}
    records = [
        await inspector.record_visit(visit, "effective", "河岸整洁。", visited_at=visited_at, key=key, **facts)
        for _ in range(2)
    ]
    world.tell.expect("sent twice by an offline queue, records", len({record["id"] for record in records}), 1)
    world.tell.expect("a coarse place is kept coarse", records[0]["place"]["latitude"], 30.59)


async def _relapse(world: World, inspector: Phone, visit: Json) -> None:
    """The item is opened again as cycle 2; the first cycle's figures stay."""
    tell, item_id = world.tell, visit["item_id"]
    before = (await world.office.read(f"/items/{item_id}"))["cycles"][0]
    record = await inspector.record_visit(visit["id"], "relapse", "占道堆放再次出现。", visited_at=clock.now())
    tell.expect("relapse", record["effect"], "reopened")
    item = await world.office.read(f"/items/{item_id}")
    now = (item["state"], item["cycle"], item["number"] == visit["number"])
    tell.expect("state, cycle, same number", now, ("issued", 2, True))
    tell.require("the first cycle's figures stay", item["cycles"][1] == before, before["closed_at"], before)
    asked = await world.reminded("to_receive")
    owner = world.worked[item_id]
    tell.require("the owner is asked to receive it again", asked[item_id] == [owner], owner.number, asked[item_id])
    await owner.receive(item_id)
    items = [await phone.item(item) for item, phone in world.worked.items()]
    tell.expect(
        "of those closed",
        dict(Counter(item["state"] for item in items)),
        {"closed": len(world.worked) - 1, "received": 1},
    )
