"""A site code's picture is fetched from the platform after it was issued; posters are made of it."""

import pypdfium2
import pytest

from models import lookbacks
from models.base import clock
from models.base.errors import Conflict
from models.base.outbox import Promise, PromiseState
from models.lookbacks import DRAW_SITE_CODE, SITE_PAGE, RelapsePattern, SiteCode, Verdict
from models.organization import Zone
from tests.lookback_zone import Office, drawn, furnish, recorded, says
from tests.workers.conftest import Platform
from workers.relay import Context, Relay

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await furnish(zone)


async def issued(office: Office, name: str = "长河路工地", unit: str = "A") -> SiteCode:
    return await lookbacks.issue_site_code(office.units[unit].id, name, by=await office.scope("oversight"))


async def codes(platform: Platform) -> list[tuple[str, str]]:
    links = (await platform.ask("GET", "/_control/links"))["items"]
    return [(link["scene"], link["page"]) for link in links if link["kind"] == "wxacode"]


async def test_the_picture_of_an_issued_code_opens_the_list_of_visits(
    office: Office, platform: Platform, context: Context, relay: Relay
) -> None:
    site = await issued(office)
    await relay.drain()
    assert await codes(platform) == [(site.scene, SITE_PAGE)]
    assert (await SiteCode.get(id=site.id)).drawn_at is not None
    assert (await context.store.read(lookbacks.picture_key(site.zone_id, site.id)))[:2] == b"\xff\xd8"


async def test_a_code_revoked_before_it_was_drawn_is_never_asked_for(
    office: Office, platform: Platform, relay: Relay
) -> None:
    site = await issued(office)
    await lookbacks.revoke_site_code(site.id, by=await office.scope("oversight"))
    await relay.drain()
    assert await codes(platform) == []


async def test_a_platform_that_is_away_is_asked_again_later(office: Office, platform: Platform, relay: Relay) -> None:
    site = await issued(office)
    await platform.fault("/wxa/getwxacodeunlimit", "errcode", errcode=-1)
    await relay.drain()
    assert (await SiteCode.get(id=site.id)).drawn_at is None
    (promise,) = await Promise.filter(job=DRAW_SITE_CODE)
    assert promise.state is PromiseState.WAITING
    await platform.heal()
    await Promise.filter(id=promise.id).update(next_at=clock.now())
    await relay.drain()
    assert (await SiteCode.get(id=site.id)).drawn_at is not None


async def test_a_poster_waits_for_its_picture_and_says_in_chinese_what_it_is_for(
    office: Office, platform: Platform, context: Context, relay: Relay
) -> None:
    by, sites = await office.scope("oversight"), [await issued(office, f"第{number}工地 #let") for number in range(3)]
    ids = [site.id for site in sites]
    with pytest.raises(Conflict, match="site_code_not_drawn"):
        await lookbacks.signs(ids, by=by)
    await relay.drain()
    pdf = await lookbacks.posters(await lookbacks.signs(ids, by=by), context.store.get)
    with pypdfium2.PdfDocument(pdf) as document:
        assert [tuple(round(side) for side in document[page].get_size()) for page in range(len(document))] == [
            (595, 842)
        ] * 3
        words = [document[page].get_textpage().get_text_bounded().replace(" ", "") for page in range(3)]
        pictures = list(document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))
    assert len(pictures) == 1
    for number, said in enumerate(words):
        assert f"第{number}工地#let" in said  # data, never markup
        assert "不证明谁来过" in said and "也可以用纸记录" in said
        assert not any(name in said for name in office.people)


async def test_a_relapse_that_an_inspector_records_is_looked_at_for_its_kind(office: Office, relay: Relay) -> None:
    for _ in range(3):
        await office.closed_item("A")
    for visit in await drawn(office):
        await recorded(office, visit, says(Verdict.RELAPSE))
    assert await RelapsePattern.all().count() == 0
    await relay.drain()
    (pattern,) = await RelapsePattern.all()
    assert pattern.relapses == 3
