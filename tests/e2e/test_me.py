"""我的: consent, burden, standing in, a word to the makers, one's own data."""

from tests.e2e.conftest import SMALL, Opens
from tests.e2e.phone import BrowserPhone
from tests.e2e.zone import IssuedZone

MINE = {
    "messages": "我收到的提醒",
    "delegations": "从哪天到哪天",
    "feedback": "请直说",
    "personal_data": "注销账号",
    "about": "备案号",
}


async def somebody(phone: Opens, zone: IssuedZone, page: str, **options: object) -> BrowserPhone:
    """A new phone of somebody known, at this page."""
    player = zone.inspector()
    await zone.simulated(player)
    theirs = await phone(player.phone, **options)
    await theirs.enter(page)
    return theirs


async def test_consent_on_a_tap_is_credited(phone: Opens, zone: IssuedZone) -> None:
    theirs = await somebody(phone, zone, "pages/me/messages")
    await theirs.sees("还可以收到 0 条")
    theirs.page.once("dialog", lambda dialog: dialog.accept())
    await theirs.press("再允许一条")
    await theirs.sees("还可以收到 1 条")
    await theirs.shot("me-messages")
    theirs.page.once("dialog", lambda dialog: dialog.dismiss())
    await theirs.press("再允许一条")
    await theirs.sees("没有增加")
    await theirs.sees("还可以收到 1 条")


async def test_feedback_answered_on_the_console_is_seen_on_the_phone(phone: Opens, zone: IssuedZone) -> None:
    theirs = await somebody(phone, zone, "pages/me/feedback")
    words = "同一件事一天提醒了两次，请合并。"
    await theirs.leaves_network()
    await theirs.fills("内容", words)
    await theirs.press("提交")
    await theirs.sees("有网络后自动发送")
    await theirs.shot("me-feedback-offline")
    await theirs.finds_network()
    await theirs.sees("等待答复")
    await theirs.shot("me-feedback")
    office = await zone.office("oversight")
    said = next(one for one in await office.all("/feedback") if one["text"] == words)
    await office.write(f"/feedback/{said['id']}/answer", {"answer": "已合并同一事项的提醒。"})
    await theirs.page.reload()
    await theirs.sees("已合并同一事项的提醒。")
    await theirs.shot("me-feedback-answered")


async def test_a_colleague_stands_in_until_told_otherwise(phone: Opens, zone: IssuedZone) -> None:
    theirs = await somebody(phone, zone, "pages/me/delegations")
    await theirs.sees("外出期间，请同事代办")
    colleague = theirs.page.locator("uni-page:visible").last.get_by_role("radio").first
    name = (await colleague.get_attribute("aria-label") or "").split(" · ")[0]
    await colleague.click()
    await theirs.shot("me-delegations")
    await theirs.press(f"委托 {name} 代办")
    await theirs.sees("正在委托")
    await theirs.shot("me-delegations-going_on")
    await theirs.press(f"结束委托：{name}")
    await theirs.sees("已结束", exact=True)


async def test_my_data_is_handed_over_and_a_deletion_asked_for_and_withdrawn(phone: Opens, zone: IssuedZone) -> None:
    theirs = await somebody(phone, zone, "pages/me/personal_data")
    await theirs.sees("工作档案")
    await theirs.press("导出")
    async with theirs.page.expect_download() as download:
        await theirs.press("保存文件")
    assert (await download.value).suggested_filename.startswith("我的资料")
    await theirs.press("申请注销账号")
    await theirs.page.locator(".uni-modal__btn_primary").click()
    await theirs.sees("等管理员处理")
    await theirs.shot("me-deletion")
    await theirs.press("撤回申请")
    await theirs.sees("已撤回")
    await theirs.shot("me-personal_data")


async def test_every_page_of_mine_fits_a_small_phone_with_large_text(phone: Opens, zone: IssuedZone) -> None:
    theirs = await somebody(phone, zone, "pages/me/me", viewport=SMALL)
    await theirs.shot("me-small")
    await theirs.chooses("大字")
    for page, words in MINE.items():
        await theirs.open(f"pages/me/{page}")
        await theirs.sees(words)
        await theirs.shot(f"me-{page}-small-large")
        assert await theirs.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page
    await theirs.open("pages/handbook/book")
    await theirs.sees("我的职责")
    await theirs.shot("handbook-small-large")


async def test_signing_out_tells_what_still_waits(phone: Opens, zone: IssuedZone) -> None:
    theirs = await somebody(phone, zone, "pages/me/feedback")
    await theirs.leaves_network()
    await theirs.fills("内容", "还没有送到的一条。")
    await theirs.press("提交")
    await theirs.open("pages/me/me")
    await theirs.shot("me")
    await theirs.press("退出登录")
    await theirs.page.get_by_text("还有 1 条没有送到").wait_for()
    await theirs.shot("me-sign_out")
