"""Evidence of every kind, taken on a phone, seen and judged on another."""

import re

from playwright.async_api import FilePayload, Route, expect

from tests import photos
from tests.e2e.conftest import Opens
from tests.e2e.zone import IssuedZone


def photo(name: str, colour: str = "teal", width: int = 640) -> FilePayload:
    return {"name": name, "mimeType": "image/jpeg", "buffer": photos.jpeg(width, width * 3 // 4, colour)}


async def test_a_photo_words_and_a_paper_reference_stand_side_by_side_and_are_judged(
    phone: Opens, zone: IssuedZone
) -> None:
    owner, item = zone.matter()
    await (await zone.simulated(owner)).receive(item["id"])
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.open(f"pages/ledger/item?id={item['id']}")
    await theirs.press("添加佐证材料")
    await theirs.sees("四种都可以，照片不是必需的。")
    await theirs.fills("文字说明", "已按要求完成核对，结果另附。")
    await theirs.shot("evidence-words")
    await theirs.press("提交材料")
    await theirs.sees("佐证材料 1 件")
    await theirs.press("添加佐证材料")
    await theirs.chooses("照片", exact=True)
    await theirs.press("提交材料")
    await theirs.sees("请先选择照片。")
    await theirs.picks("从相册选", photo("排水口.jpg", width=4000), photo("井盖.jpg", "olive"))
    await theirs.sees("排水口.jpg")
    await theirs.shot("evidence-photos")
    await theirs.press("提交材料")
    await theirs.sees("佐证材料 3 件")
    await theirs.press("添加佐证材料")
    await theirs.chooses("文件", exact=True)
    await theirs.picks("选择文件", {"name": "说明.pdf", "mimeType": "application/pdf", "buffer": photos.pdf()})
    await theirs.sees("说明.pdf")
    await theirs.press("提交材料")
    await theirs.sees("佐证材料 4 件")
    await theirs.shot("evidence-listed", whole=True)
    listed = (await (await zone.simulated(owner)).read("/evidence", item_id=item["id"]))["items"]
    assert listed[1]["size"] < len(photo("排水口.jpg", width=4000)["buffer"])  # made smaller on the phone

    leader = await phone((await zone.responsible(item, "单位负责人")).phone)
    await leader.bind()
    await leader.open(f"pages/ledger/item?id={item['id']}")
    await leader.page.get_by_role("link", name="看材料：照片").first.click()
    await leader.sees("提交审核意见")
    await leader.page.get_by_role("img", name="照片，点开可放大").wait_for()
    await leader.chooses("需要补充", exact=True)
    await leader.fills("理由", "请补一张整改后的近照")
    await leader.shot("evidence-review")
    await leader.press("提交审核意见")
    await leader.sees("审核意见：请补一张整改后的近照")
    await theirs.page.reload()
    await theirs.sees("需要补充", exact=True)
    await theirs.page.get_by_role("link", name="看材料：照片").first.click()
    await theirs.sees("请补一张整改后的近照")
    await theirs.shot("evidence-judged")


async def test_photos_taken_without_a_network_survive_a_reload_and_arrive_once(phone: Opens, zone: IssuedZone) -> None:
    owner, item = zone.matter()
    same = await zone.simulated(owner)
    await same.receive(item["id"])
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.open(f"pages/evidence/add?item={item['id']}")
    await theirs.chooses("照片", exact=True)
    await theirs.leaves_network()
    await theirs.chooses("传原图", exact=True)
    await theirs.picks("拍照", photo("一.jpg"))
    await theirs.picks("从相册选", photo("二.jpg", "olive"))
    await theirs.press("提交材料")
    await theirs.sees("2 条等待发送")
    await theirs.page.reload()
    await theirs.sees("2 条等待发送")
    broken: list[str] = []

    async def break_once(route: Route) -> None:
        """The connection is lost after the server has it all: the phone cannot know."""
        if broken:
            await route.continue_()
        else:
            broken.append(route.request.headers["idempotency-key"])
            await route.fetch()
            await route.abort("connectionreset")

    await theirs.context.route("**/evidence/upload*", break_once)
    await theirs.finds_network()
    await theirs.open(f"pages/ledger/item?id={item['id']}")
    await theirs.sees("佐证材料 2 件")
    listed = (await same.read("/evidence", item_id=item["id"]))["items"]
    assert [piece["size"] for piece in listed] == [len(photo(name, colour)["buffer"]) for name, colour in CHOSEN]
    assert len(broken) == 1


CHOSEN = (("一.jpg", "teal"), ("二.jpg", "olive"))


async def test_a_slow_upload_shows_how_far_it_is(phone: Opens, zone: IssuedZone) -> None:
    owner, item = zone.matter()
    await (await zone.simulated(owner)).receive(item["id"])
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.open(f"pages/ledger/item?id={item['id']}")
    await theirs.press("添加佐证材料")
    await theirs.chooses("照片", exact=True)
    await theirs.chooses("传原图", exact=True)
    await theirs.picks("拍照", photo("全景.jpg", width=4000))
    await theirs.slows_network(60_000)
    await theirs.press("提交材料")
    await expect(theirs.text(HALFWAY).first).to_be_visible()
    await theirs.shot("evidence-uploading")
    await theirs.sees("佐证材料 1 件")


HALFWAY = re.compile(r"正在上传 [1-9]\d?%")


async def test_the_same_photo_used_again_is_told_to_the_reviewer_and_not_to_the_cadre(
    phone: Opens, zone: IssuedZone
) -> None:
    owner, item = zone.matter()
    same = await zone.simulated(owner)
    await same.receive(item["id"])
    for _ in range(2):
        await same.upload(photos.jpeg(320, 240, "maroon"), item_id=item["id"])
    leader = await phone((await zone.responsible(item, "单位负责人")).phone)
    await leader.bind()
    await leader.open(f"pages/ledger/item?id={item['id']}")
    await leader.sees("条提示，供审核参考")
    await leader.page.get_by_role("link", name="看材料：照片").first.click()
    await leader.sees("供审核参考，不是结论")
    await leader.sees("本事项的另一份材料")
    await leader.shot("evidence-used_again")
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.open(f"pages/ledger/item?id={item['id']}")
    await theirs.sees("佐证材料 2 件")
    assert await theirs.text("供审核参考").count() == 0
