"""What waits on a phone, where only a real browser can show it: two tabs of one person."""

from playwright.async_api import Request, expect

from tests.e2e.conftest import Opens
from tests.e2e.zone import IssuedZone


async def test_of_two_tabs_that_find_the_network_one_sends(phone: Opens, zone: IssuedZone) -> None:
    owner = zone.owner()
    await zone.urge(owner)
    theirs = await phone(owner.phone)
    await theirs.bind()
    other = await theirs.context.new_page()
    await other.goto(theirs.page.url)
    await expect(other.get_by_text("催办和提级 1")).to_be_visible()
    sent: list[str] = []

    def count(request: Request) -> None:
        if request.url.endswith("/acknowledge"):
            sent.append(request.headers["idempotency-key"])

    await theirs.leaves_network()
    await theirs.press("知道了")
    await theirs.sees("1 条等待发送")
    theirs.context.on("requestfinished", count)
    await theirs.finds_network()
    await theirs.sees("已确认", exact=True)
    assert len(sent) == 1
