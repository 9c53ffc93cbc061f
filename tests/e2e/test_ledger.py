"""An item's page: what each may do with it, from the receipt to the close-out."""

import asyncio

from playwright.async_api import Route, expect

from miniprogram_mock.phones import Phone
from tests.e2e.conftest import SMALL, Opens
from tests.e2e.phone import BrowserPhone
from tests.e2e.zone import IssuedZone, Json


def page_of(item: Json) -> str:
    return f"pages/ledger/item?id={item['id']}"


async def proved(zone: IssuedZone, item: Json) -> Phone:
    """The owner has received the item and shown what was done."""
    owner = await zone.simulated(zone.named(item["owner"]))
    await owner.receive(item["id"])
    await owner.state("已完成整改，见会议纪要。", item_id=item["id"])
    return owner


async def test_a_tap_on_the_message_leads_to_receiving_reporting_and_asking_for_the_close_out(
    phone: Opens, zone: IssuedZone
) -> None:
    owner, item = zone.matter()
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.press(f"查看并签收：请签收「{item['title']}")
    await theirs.sees("请先签收。")
    await theirs.shot("ledger-to_receive")
    await theirs.press("签收")
    await theirs.sees("已签收。有进展时反馈一次即可")
    await theirs.press("反馈进展")
    await theirs.press("提交进展")
    await theirs.sees("请填写进展情况。")
    await theirs.shot("ledger-report-empty")
    await theirs.fills("进展情况", "已完成现场核对，下周出书面说明。")
    await theirs.press("提交进展")
    await theirs.sees("办结后请添加佐证材料")
    await theirs.shot("ledger-in_progress")
    await (await zone.simulated(owner)).refer_to_paper("会议纪要〔2026〕8号，存档案室", item_id=item["id"])
    await theirs.page.reload()
    await theirs.press("申请销号")
    await theirs.shot("ledger-close_out-form")
    await theirs.press("申请销号")
    await theirs.sees("等待单位负责人初审。现在不用做别的。")
    await theirs.shot("ledger-waits_for_review")
    await expect(theirs.button("申请销号")).to_have_count(0)


async def test_what_was_done_is_not_offered_again_while_the_page_reads_anew(phone: Opens, zone: IssuedZone) -> None:
    owner, item = zone.matter()
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.open(page_of(item))
    await theirs.sees("请先签收。")
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await may_answer.wait()
        await route.continue_()

    await theirs.context.route(f"**/items/{item['id']}", hold)
    await theirs.press("签收")
    await asked.wait()
    await expect(theirs.button("签收")).to_have_count(0)
    await theirs.press("反馈进展")
    await theirs.sees("进展情况")
    may_answer.set()


async def test_a_leader_returns_with_a_reason_the_cadre_sees_why_and_the_second_time_it_closes(
    phone: Opens, zone: IssuedZone
) -> None:
    owner, item = zone.matter()
    await (await proved(zone, item)).request_close_out(item["id"])
    leader = await phone((await zone.responsible(item, "单位负责人")).phone)
    await leader.bind()
    await leader.press("等我审核")
    await leader.sees(item["title"])
    await leader.shot("ledger-to_review")
    await leader.page.get_by_role("link", name=f"打开：{item['title']}").last.click()
    await review(leader, "初审", passed=False)
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.sees("退回补正")
    await theirs.open(page_of(item))
    await theirs.sees("已退回，请补正")
    await theirs.sees("还缺：验收单原件的存放处")
    await theirs.shot("ledger-returned")
    await theirs.press("添加佐证材料")
    await theirs.chooses("纸质材料编号", exact=True)
    await theirs.fills("纸质材料编号", "竣工验收单第3号，存档案室")
    await theirs.press("提交材料")
    await theirs.sees("佐证材料 2 件")
    await theirs.press("申请销号")
    await theirs.press("申请销号")
    await theirs.sees("等待单位负责人初审")
    await leader.open(page_of(item))
    await review(leader, "初审", passed=True)
    overseer = await phone((await zone.responsible(item, "监督机构")).phone)
    await overseer.bind()
    await overseer.open(page_of(item))
    await review(overseer, "复核", passed=True)
    await overseer.sees("已经销号")
    await theirs.page.reload()
    await theirs.sees("已经销号，不用再做什么。")
    await theirs.shot("ledger-closed", whole=True)


async def review(reviewer: BrowserPhone, name: str, *, passed: bool) -> None:
    """From the item's page through the form and back."""
    await reviewer.press(name)
    if passed:
        await reviewer.chooses("通过", exact=True)
    else:
        await reviewer.chooses("退回", exact=True)
        await reviewer.press(f"提交{name}结果")
        await reviewer.sees("请填写还缺什么。")
        await reviewer.shot("ledger-review-form")
        await reviewer.fills("退回的理由", "只有说明，没有验收单。")
        await reviewer.fills("还缺什么", "验收单原件的存放处")
    await reviewer.press(f"提交{name}结果")
    await reviewer.sees(
        f"{name}通过" if passed and name == "初审" else "复核销号" if passed else f"{name}退回", exact=True
    )


async def test_without_a_network_the_steps_follow_each_other_and_arrive_in_order(
    phone: Opens, zone: IssuedZone
) -> None:
    owner, item = zone.matter()
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.open(page_of(item))
    await theirs.sees("请先签收。")
    await theirs.leaves_network()
    await theirs.press("签收")
    await theirs.press("反馈进展")
    await theirs.fills("进展情况", "已到现场，网络不通。")
    await theirs.press("提交进展")
    await theirs.sees(f"反馈进展：{item['title']}")
    await theirs.page.reload()
    await theirs.sees("2 条等待发送")
    await theirs.shot("ledger-offline")
    await theirs.finds_network()
    await theirs.sees("办理中", exact=True)
    same = await zone.simulated(owner)
    story = (await same.read(f"/items/{item['id']}/timeline"))["items"]
    assert [moment["label"] for moment in story[:2]] == ["反馈进展", "签收"]


async def test_what_is_refused_says_why_and_is_mended(phone: Opens, zone: IssuedZone) -> None:
    owner, item = zone.matter()
    same = await zone.simulated(owner)
    await same.receive(item["id"])
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.open(page_of(item))
    await theirs.press("申请延期")
    await theirs.leaves_network()
    await theirs.page.locator("uni-picker:visible").last.click()
    await theirs.page.locator(".uni-picker-action-confirm:visible").click()
    await theirs.fills("延期的理由", "汛期停工")
    await theirs.shot("ledger-extension-form")
    await theirs.press("提交延期申请")
    await theirs.sees("有网络后自动发送")
    await same.write(f"/items/{item['id']}/extension", {"reason": "停工", "new_due_on": "2027-06-30"})
    for part in ("单位负责人", "监督机构"):
        decider = await zone.simulated(await zone.responsible(item, part))
        await decider.write(f"/items/{item['id']}/extension/decision", {"granted": True})
    await theirs.finds_network()
    await theirs.sees("新的期限应晚于现在的期限2027年6月30日。")
    await theirs.shot("ledger-refused")
    await theirs.press("修改后再发")
    await theirs.page.locator("uni-picker:visible").last.click()
    await theirs.page.locator(".uni-picker-action-confirm:visible").click()
    await theirs.press("提交延期申请")
    await theirs.sees("延期申请：待单位负责人同意")
    assert (await same.item(item["id"]))["extension"]["new_due_on"] == "2027-07-01"


async def test_an_item_needs_no_sideways_scrolling_on_a_small_phone_with_large_text(
    phone: Opens, zone: IssuedZone
) -> None:
    owner, item = zone.matter()
    await proved(zone, item)
    theirs = await phone(owner.phone, viewport=SMALL)
    await theirs.bind()
    await theirs.tab("我的").click()
    await theirs.chooses("大字")
    for name, address in (
        ("item", page_of(item)),
        ("items", "pages/ledger/items?list=mine"),
        ("review", f"pages/ledger/step?step=unit_review&item={item['id']}"),
        ("evidence", f"pages/evidence/add?item={item['id']}"),
    ):
        await theirs.open(address)
        await theirs.sees("材料种类" if name == "evidence" else item["title"])
        await theirs.shot(f"ledger-{name}-small-large")
        assert await theirs.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
