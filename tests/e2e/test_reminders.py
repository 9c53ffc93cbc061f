"""The inbox, as an owner has it in the hand."""

from playwright.async_api import expect

from tests.e2e.conftest import SMALL, Opens
from tests.e2e.zone import IssuedZone


async def test_somebody_binds_and_acknowledges_with_one_tap(phone: Opens, zone: IssuedZone) -> None:
    owner = zone.owner()
    item = await zone.urge(owner)
    theirs = await phone(owner.phone)
    await theirs.open()
    await theirs.shot("sign_in-privacy")
    await theirs.press("同意并登录")
    await theirs.sees("用手机号和名册核对")
    await theirs.shot("sign_in-to_bind")
    await theirs.press("授权手机号")
    await theirs.sees(owner.name)
    await theirs.shot("sign_in-confirm")
    await theirs.press("信息无误，进入")
    await theirs.sees("催办和提级 1")
    await theirs.shot("reminders-inbox")
    await theirs.press(f"知道了：{item['title']}"[:12])
    await theirs.sees("已确认", exact=True)
    await theirs.shot("reminders-acknowledged")
    same = await zone.simulated(owner)
    assert "urge" not in {one["kind"] for one in await same.inbox()}


async def test_an_acknowledgement_without_a_network_arrives_later_and_once(phone: Opens, zone: IssuedZone) -> None:
    owner = zone.owner()
    await zone.urge(owner)
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.sees("催办和提级 1")
    await theirs.leaves_network()
    await theirs.press("知道了")
    await theirs.sees("已确认，有网络后自动发送")
    await theirs.page.reload()
    await theirs.sees("1 条等待发送")
    await theirs.shot("reminders-offline")
    await theirs.finds_network()
    await expect(theirs.text("条等待发送")).to_have_count(0)
    same = await zone.simulated(owner)
    assert "urge" not in {one["kind"] for one in await same.inbox()}


async def test_a_number_outside_the_roster_is_told_what_to_do(phone: Opens, zone: IssuedZone) -> None:
    strange = await phone("15400009998")
    await strange.open()
    await strange.press("同意并登录")
    await strange.press("授权手机号")
    await strange.sees("名册中没有这个手机号")
    await strange.sees("换过手机号的，请管理员在名册中更新")
    await strange.shot("sign_in-not_in_roster")


async def test_a_small_phone_with_large_text_needs_no_sideways_scrolling(phone: Opens, zone: IssuedZone) -> None:
    owner = zone.owner()
    theirs = await phone(owner.phone, viewport=SMALL)
    await theirs.bind()
    await theirs.sees("待签收")
    await theirs.tab("我的").click()
    await theirs.chooses("大字")
    await theirs.shot("me-small-large")
    await theirs.tab("待办").click()
    await theirs.sees("待签收")
    await theirs.shot("reminders-small-large")
    assert await theirs.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_note_may_go_with_the_acknowledgement(phone: Opens, zone: IssuedZone) -> None:
    owner = zone.owner()
    await zone.urge(owner)
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.press("附一句说明")
    await theirs.page.get_by_role("dialog").locator("textarea").fill("已安排本周办理")
    await theirs.shot("reminders-note")
    await theirs.page.get_by_role("dialog").get_by_role("button", name="确认").click()
    await theirs.sees("已确认", exact=True)


async def test_the_inbox_opens_the_item_which_is_received_there(phone: Opens, zone: IssuedZone) -> None:
    owner = zone.owner()
    (item, *_) = zone.items_of(owner)
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.press(f"查看并签收：请签收「{item['title']}")
    await theirs.sees(item["title"])
    await theirs.shot("ledger-item")
    await theirs.press("签收")
    await theirs.sees("已签收", exact=True)
    await theirs.shot("ledger-received")
    same = await zone.simulated(owner)
    assert (await same.item(item["id"]))["state"] == "received"
