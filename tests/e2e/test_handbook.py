"""The desk book, read and searched."""

from playwright.async_api import expect

from tests.e2e.conftest import Opens
from tests.e2e.zone import IssuedZone


async def test_a_leader_reads_and_searches_the_desk_book(phone: Opens, zone: IssuedZone) -> None:
    leader = next(player for player in zone.world.cast.values() if player.posts.get("LC04") == "主要负责人")
    await zone.simulated(leader)
    theirs = await phone(leader.phone)
    await theirs.enter("pages/handbook/book")
    await theirs.sees("我的职责")
    await theirs.sees("本单位及下级没有办结的事项")
    await theirs.shot("handbook-leader")
    owner = zone.owner()
    (item, *_) = zone.items_of(owner)
    await zone.simulated(owner)
    others = await phone(owner.phone)
    await others.enter("pages/handbook/book")
    await others.sees(item["title"])
    await others.shot("handbook-owner")
    await others.fills("在案头册中查找", item["number"][-4:])
    await others.sees(item["title"])
    await others.fills("在案头册中查找", "没有这个词")
    await others.sees("案头册中没有找到")
    await expect(others.text(item["title"])).to_have_count(0)
    await others.shot("handbook-nothing_found")
