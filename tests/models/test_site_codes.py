"""Site codes: issued once for a site, opaque, revocable; they open a visit and prove nothing."""

import asyncio

import pytest

from models import lookbacks
from models.base.errors import Conflict, NotFound
from models.lookbacks import SiteCode
from models.organization import Zone
from tests.lookback_zone import Office, acts, furnish

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await furnish(zone)


async def issued(office: Office, name: str = "长河路工地", unit: str = "A", by: str = "oversight") -> SiteCode:
    return await lookbacks.issue_site_code(office.units[unit].id, name, by=await office.scope(by))


async def test_a_scene_is_opaque_and_fits_the_platforms_bound(office: Office) -> None:
    one, other = await issued(office), await issued(office, "二号站")
    assert one.scene != other.scene
    assert {len(site.scene) for site in (one, other)} == {32}
    assert office.units["A"].id.hex not in one.scene and one.id.hex != one.scene


async def test_a_site_asked_for_again_has_the_code_that_it_has(office: Office) -> None:
    sites = await asyncio.gather(*(issued(office, f"{space}长河路工地") for space in ("", " ")))
    assert len({site.id for site in sites}) == 1
    assert await acts(sites[0].id) == ["site_code.issued"]


async def test_a_revoked_code_makes_room_for_a_new_one(office: Office) -> None:
    first, by = await issued(office), await office.scope("oversight")
    for _ in range(2):
        assert (await lookbacks.revoke_site_code(first.id, by=by)).revoked_at is not None
    assert await acts(first.id) == ["site_code.issued", "site_code.revoked"]
    second = await issued(office)
    assert second.scene != first.scene
    assert await lookbacks.scenes_of(office.zone.id, [office.units["A"].id]) == {office.units["A"].id: [second.scene]}
    with pytest.raises(Conflict, match="site_code_revoked"):
        await lookbacks.signs([first.id], by=by)


async def test_oversight_issues_and_sees_codes_of_its_own_units_only(office: Office) -> None:
    site, elsewhere = await issued(office), await office.scope("other oversight")
    with pytest.raises(NotFound, match="unit_not_found"):
        await issued(office, by="other oversight")
    assert await lookbacks.site_codes(by=elsewhere) == []
    with pytest.raises(NotFound):
        await lookbacks.revoke_site_code(site.id, by=elsewhere)
    with pytest.raises(NotFound):
        await lookbacks.signs([site.id], by=elsewhere)
