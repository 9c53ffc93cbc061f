"""The log over HTTP: the auditor reads it, page by page, and nobody else does."""

from typing import Any

import pytest

from models.base.scope import Role
from models.organization import Unit, Zone
from tests.api.conftest import Desk, Phone, person

LOG = "/api/console/audit"


@pytest.fixture
async def auditor(desk_of: Any, zone: Zone, bureau: Unit) -> Desk:
    desk: Desk = await desk_of((await person(zone, bureau, "郑审", Role.AUDITOR)).id)
    return desk


async def test_the_auditor_reads_every_act_of_the_zone_page_by_page(auditor: Desk, phone: Phone, zone: Zone) -> None:
    await phone.write("/api/mini/feedback", {"kind": "suggestion", "text": "字大一些"})
    whole = (await auditor.get(LOG)).content["items"]
    assert whole[0]["action"] == "feedback.submitted"
    assert {"zone.created", "binding.bound", "sign_in.began"} <= {act["action"] for act in whole}
    pages: list[Any] = []
    after = ""
    while after is not None:
        part = (await auditor.get(f"{LOG}?limit=2&after={after}" if after else f"{LOG}?limit=2")).content
        pages, after = pages + part["items"], part["next"]
    assert pages == whole
    subject = whole[0]["subject_id"]
    assert [act["id"] for act in (await auditor.get(f"{LOG}?subject_id={subject}")).content["items"]] == [
        whole[0]["id"]
    ]
    assert "字大一些" not in str(whole) and "王静" not in str(whole)


async def test_nobody_else_reads_it(desk_of: Any, zone: Zone, bureau: Unit) -> None:
    others = [Role.ADMIN, Role.OVERSIGHT, Role.UNIT_LEADER, Role.INSPECTOR, Role.CADRE]
    desk: Desk = await desk_of((await person(zone, bureau, "何平", *others)).id)
    assert (await desk.get(LOG)).code == "role_missing"
