"""From a message in the phone's list of service notifications to the matter that it is about."""

from playwright.async_api import expect

from tests.e2e.conftest import Opens
from tests.e2e.phone import BrowserPhone
from tests.e2e.zone import IssuedZone


async def test_a_message_that_was_consented_to_leads_to_the_inbox_the_item_and_its_receipt(
    phone: Opens, zone: IssuedZone
) -> None:
    owner = zone.owner()
    theirs = await phone(owner.phone)
    await theirs.bind()
    await theirs.open("pages/me/messages")
    theirs.page.once("dialog", lambda dialog: dialog.accept())
    await theirs.press("再允许一条")
    await theirs.sees("还可以收到 1 条")
    item = await zone.urge(owner)
    await tapped(theirs, f"{zone.world.stack.wechat_url}/")
    await theirs.sees("催办")
    await theirs.press(f"查看并签收：请签收「{item['title']}")
    await theirs.press("签收")
    await theirs.sees("已签收。有进展时反馈一次即可")


async def tapped(theirs: BrowserPhone, notifications: str) -> None:
    """Tap on the newest notification of this phone, as it stands in the platform's list; the phone goes there."""
    shown = await theirs.context.new_page()
    await shown.goto(notifications)
    await shown.get_by_label("按姓名或手机号查找").fill(theirs.number)
    message = shown.locator("section", has_text=f"尾号 {theirs.number[-4:]}").locator("a").first
    await expect(message).to_contain_text("请进入小程序查看")
    await expect(message).not_to_contain_text("ZL-")
    async with theirs.context.expect_page() as opened:
        await message.click()
    theirs.page = await opened.value
