"""Look-backs, as inspectors have them in the hand: in the field, without a network, two of them, late."""

from typing import Any

from playwright.async_api import Geolocation, ViewportSize, expect

from deploy.story.world import SAMPLE, Json
from miniprogram_mock.phones import Phone
from models.base import clock
from tests.e2e.conftest import SMALL, Opens
from tests.e2e.phone import BrowserPhone
from tests.e2e.zone import IssuedZone

PHOTOS = [SAMPLE / "photos" / name for name in ("service_hall.jpg", "notice_board.jpg")]
PLACE: Geolocation = {"latitude": 30.591234, "longitude": 114.312789}


async def detail(phone: Phone, visit: Json) -> Json:
    found: Json = await phone.read(f"/lookbacks/visits/{visit['id']}")
    return found


async def fill_in(phone: BrowserPhone, seen: str = "学位已落实，家长已收到通知。") -> None:
    await phone.chooses("到位")
    await phone.chooses("整改到位")
    await phone.fills("看到的情况", seen)


async def test_a_visit_without_a_network_arrives_whole_and_once(phone: Opens, zone: IssuedZone) -> None:
    inspector = zone.inspector()
    visit = await zone.visit(inspector)
    theirs = await phone(inspector.phone, permissions=["geolocation"], geolocation=PLACE)
    await theirs.enter()
    await theirs.tab("回头看").click()
    await theirs.sees(visit["title"])
    await theirs.shot("lookbacks-visits")
    await theirs.press("出发前存到手机")
    await theirs.sees("1 件已存到这部手机")
    await theirs.shot("lookbacks-taken_along")
    await theirs.leaves_network()
    await theirs.tab("待办").click()
    await theirs.press("知道了")
    await theirs.tab("回头看").click()
    await theirs.text(visit["title"]).click()
    await theirs.shot("lookbacks-visit")
    await fill_in(theirs)
    await theirs.press("只附大致位置")
    await theirs.sees("北纬 30.59°，东经 114.31°")
    await theirs.adds_photos(*PHOTOS)
    await theirs.shot("lookbacks-filled_in")
    await theirs.press("保存记录")
    await theirs.sees("记录已存在这部手机")
    await theirs.page.reload()
    await theirs.sees("记录已存在这部手机")
    await theirs.sees("4 条等待发送")
    await theirs.shot("lookbacks-offline")
    await theirs.finds_network()
    await theirs.sees(f"已送到 {len(PHOTOS)} 份")
    await expect(theirs.text("条等待发送")).to_have_count(0)
    await theirs.shot("lookbacks-recorded")
    same = await zone.simulated(inspector)
    found = await detail(same, visit)
    (record,) = found["records"]
    assert record["place"] == {"latitude": 30.59, "longitude": 114.31, "coarse": True}
    assert len(found["evidence"]) == len(PHOTOS)
    assert "visit_assigned" not in {one["kind"] for one in await same.inbox()}


async def test_a_refused_location_stops_no_record(phone: Opens, zone: IssuedZone) -> None:
    inspector = zone.inspector()
    visit = await zone.visit(inspector)
    theirs = await phone(inspector.phone, viewport=SMALL)
    await theirs.enter("pages/me/me")
    await theirs.chooses("大字")
    await theirs.shot("me-small-large")
    await theirs.open(f"pages/lookbacks/visit?id={visit['id']}")
    await theirs.sees(visit["title"])
    await theirs.shot("lookbacks-visit-small-large")
    await theirs.press("保存记录")
    await theirs.sees("请选一个结论")
    await theirs.press("附上位置")
    await theirs.sees("没有取到位置，不影响记录")
    await theirs.shot("lookbacks-place_refused-small-large")
    assert await theirs.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await fill_in(theirs)
    await theirs.press("保存记录")
    await theirs.sees("检查记录")
    (record,) = (await detail(await zone.simulated(inspector), visit))["records"]
    assert (record["place"], record["verdict"]) == (None, "effective")


async def test_a_draft_outlives_a_restart(phone: Opens, zone: IssuedZone) -> None:
    inspector = zone.inspector()
    visit = await zone.visit(inspector)
    theirs = await phone(inspector.phone)
    await theirs.enter("pages/lookbacks/visits")
    await theirs.text(visit["title"]).click()
    await theirs.chooses("基本到位")
    await theirs.fills("后续要做的事", "补发书面答复")
    await theirs.leaves_network()
    await theirs.open("pages/lookbacks/visits")
    await theirs.sees("填了一半")
    await theirs.page.reload()
    await theirs.text(visit["title"]).click()
    await expect(theirs.page.locator("[aria-label='后续要做的事'] textarea")).to_have_value("补发书面答复")
    await theirs.shot("lookbacks-draft")


async def test_the_second_inspector_cosigns_on_their_own_phone(phone: Opens, zone: IssuedZone) -> None:
    first, second = zone.inspector(), zone.inspector()
    visit = await zone.visit(first, second)
    theirs, other = await phone(first.phone), await phone(second.phone)
    page = f"pages/lookbacks/visit?id={visit['id']}"
    await theirs.enter(page)
    await fill_in(theirs)
    await theirs.press("保存记录")
    await theirs.sees("等会签")
    await other.enter("pages/lookbacks/visits")
    await other.sees("等您会签")
    await other.text(visit["title"]).click()
    await other.sees("会签表示您当时在场")
    await other.shot("lookbacks-to_cosign")
    await other.press("会签")
    await other.sees("已会签", exact=True)
    await other.shot("lookbacks-cosigned")
    (record,) = (await detail(await zone.simulated(first), visit))["records"]
    assert record["cosigned"]


async def test_a_visit_recorded_from_paper_meanwhile_is_explained_and_corrected(phone: Opens, zone: IssuedZone) -> None:
    inspector = zone.inspector()
    visit = await zone.visit(inspector)
    theirs = await phone(inspector.phone)
    await theirs.enter(f"pages/lookbacks/visit?id={visit['id']}")
    await theirs.sees(visit["title"])
    await theirs.leaves_network()
    await fill_in(theirs, "学位已落实，有一户还没收到通知。")
    await theirs.press("保存记录")
    said: dict[str, Any] = {"verdict": "effective", "seen": "已到位。", "visited_at": clock.now().isoformat()}
    office = await zone.office("oversight")
    await office.write(f"/lookbacks/visits/{visit['id']}/records", {**said, "paper": "回头看记录簿第7页"})
    await theirs.finds_network()
    await theirs.sees("在您发送之前，这次检查已有记录")
    await theirs.sees("纸质补录：回头看记录簿第7页")
    await theirs.shot("lookbacks-conflict")
    await theirs.press("作为更正提交")
    await theirs.press("提交更正")
    await theirs.sees("请写为什么更正")
    await theirs.fills("更正理由", "补充一户没有收到通知")
    await theirs.shot("lookbacks-correcting")
    await theirs.press("提交更正")
    await theirs.sees("补充一户没有收到通知", exact=True)
    _, correction = (await detail(await zone.simulated(inspector), visit))["records"]
    assert correction["seen"] == "学位已落实，有一户还没收到通知。"


async def test_the_day_is_a_list_of_stops_and_opens_without_a_network(phone: Opens, zone: IssuedZone) -> None:
    inspector = zone.inspector()
    visit = await zone.visit(inspector)
    theirs = await phone(inspector.phone, viewport=ViewportSize(width=360, height=640))
    await theirs.enter("pages/lookbacks/visits")
    await theirs.press("今天的走访")
    await theirs.sees("第 1 站")
    await theirs.shot("lookbacks-itinerary-small")
    await theirs.page.set_viewport_size(ViewportSize(width=390, height=844))
    await theirs.shot("lookbacks-itinerary")
    await theirs.leaves_network()
    await theirs.page.reload()
    await theirs.sees("第 1 站")
    await theirs.shot("lookbacks-itinerary-offline")
    await theirs.text(visit["title"]).click()
    await theirs.sees("没有读到这次检查")  # its head was read, the visit itself was not taken along
    await theirs.finds_network()
    await theirs.press("再试一次")
    await fill_in(theirs)
    await theirs.press("保存记录")
    await theirs.sees("检查记录", exact=True)
    await theirs.open("pages/lookbacks/itinerary")
    await theirs.sees("（1 件，已记录 1 件）")
    await theirs.shot("lookbacks-itinerary-recorded")


async def test_the_day_without_a_visit_says_so(phone: Opens, zone: IssuedZone) -> None:
    theirs = await phone(zone.inspector().phone, viewport=ViewportSize(width=360, height=640))
    await theirs.bind()
    await theirs.open("pages/lookbacks/itinerary")
    await theirs.sees("今天没有要走访的单位")
    await theirs.shot("lookbacks-itinerary-empty")


async def test_a_site_code_opens_the_visit(phone: Opens, zone: IssuedZone) -> None:
    inspector = zone.inspector()
    visit = await zone.visit(inspector)
    theirs = await phone(inspector.phone)
    await theirs.enter(f"pages/lookbacks/visits?scene={visit['item_id'].replace('-', '')}")
    await theirs.sees("逐条核查")
    await theirs.open(f"pages/lookbacks/visits?scene={'0' * 32}")
    await theirs.page.reload()  # as WeChat, which starts anew for a code that was scanned
    await theirs.page.get_by_text("没有找到检查").wait_for()
    await theirs.shot("lookbacks-strange_site_code")
