"""The organization over HTTP: the roster goes in and out, people are found, absences are delegated."""

import io
import zipfile
from typing import Any

import pytest
import xlsxwriter

from models import organization
from models.base.scope import Role
from models.organization import Appointment, Person, Post, PostRank, RoleGrant, Unit, Zone
from tests.api.conftest import Client, Desk, Phone, person

FORM = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
async def office(desk: Desk, zone: Zone, bureau: Unit) -> Desk:
    """The console of somebody who is admin now."""
    await RoleGrant.filter(zone_id=zone.id, role=Role.SECURITY_ADMIN).update(role=Role.ADMIN)
    signed_in = await desk.sign_in()
    assert signed_in.status == 200, signed_in.text
    changed = {"current": desk.password, "new": "A-new-passphrase-2026"}
    assert (await desk.post("/api/console/password", changed)).status == 204
    return desk


def workbook(phone: str) -> bytes:
    file = io.BytesIO()
    sheets: dict[str, list[list[Any]]] = {
        "单位": [["单位编码", "单位名称", "单位类型", "上级单位编码"], ["cyj", "产业发展局", "部门", None]],
        "人员": [["人员编号", "姓名", "手机号"], ["T1", "周佳", phone]],
        "任职": [
            ["人员编号", "单位编码", "职务", "类别", "任职起始"],
            ["T1", "cyj", "局长", "主要负责人", "2024-01-01"],
        ],
        "角色": [["人员编号", "角色", "单位编码"], ["T1", "干部", "cyj"]],
    }
    with xlsxwriter.Workbook(file) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return file.getvalue()


async def upload(desk: Client, data: bytes, query: str = "") -> Any:
    return await desk.post(f"/api/console/organization/roster{query}", data=data, headers={"Content-Type": FORM})


async def test_a_phone_reads_its_own_entry(phone: Phone, wang: Person, bureau: Unit, zone: Zone) -> None:
    post = await Post.create(zone_id=zone.id, unit=bureau, title="科员", rank=PostRank.MEMBER)
    await Appointment.create(zone_id=zone.id, person=wang, post=post, from_on="2024-01-01")
    me = (await phone.get("/api/mini/me")).content
    assert me["name"] == "王静" and "****" in me["phone"]
    assert [held["title"] for held in me["posts"]] == ["科员"] and [held["role"] for held in me["roles"]] == ["cadre"]


async def test_an_absence_is_delegated_listed_and_ended_from_the_phone(phone: Phone, zone: Zone, bureau: Unit) -> None:
    colleague = await person(zone, bureau, "李明")
    body = {"delegate_id": str(colleague.id), "from_on": "2099-01-01", "until_on": "2099-01-05"}
    made = await phone.write("/api/mini/delegations", body)
    assert (made.status, made.content["delegate"]) == (201, "李明")
    listed = (await phone.get("/api/mini/delegations")).content["items"]
    assert [absence["id"] for absence in listed] == [made.content["id"]]
    ended = await phone.write(f"/api/mini/delegations/{made.content['id']}/end")
    assert ended.status == 200 and ended.content["ended_at"]


async def test_another_zones_colleague_is_no_delegate(phone: Phone) -> None:
    other = await organization.create_zone("other-zone", "另一开发区")
    unit = await Unit.create(zone_id=other.id, code="x", name="x", kind="department", path="/x/")
    stranger = await person(other, unit, "外人")
    body = {"delegate_id": str(stranger.id), "from_on": "2099-01-01", "until_on": "2099-01-05"}
    assert (await phone.write("/api/mini/delegations", body)).code == "not_found"


async def test_a_roster_is_tried_taken_and_exported_on_the_console(office: Desk, zone: Zone) -> None:
    tried = await upload(office, workbook("15400000001"), "?dry_run=true")
    assert (tried.status, tried.content["stored"]) == (200, False), tried.text
    assert tried.content["changes"]["人员"]["added"] == 1 and not await Person.exists(zone_id=zone.id, staff_no="T1")
    taken = await upload(office, workbook("15400000001"))
    assert taken.content["stored"] and taken.content["proposed"] == 1
    address = f"{office.url}/api/console/organization/roster"
    async with office.session.get(address, headers=office.headers) as exported:
        assert (exported.status, exported.content_type) == (200, FORM)
        with zipfile.ZipFile(io.BytesIO(await exported.read())) as archive:
            assert "xl/workbook.xml" in archive.namelist()


async def test_a_bad_roster_names_sheet_row_and_column(office: Desk) -> None:
    refused = await upload(office, workbook("12"))
    assert refused.status == 422 and refused.code == "bad_workbook"
    (fault,) = refused.content["faults"]
    assert (fault["sheet"], fault["row"], fault["column"], fault["code"]) == ("人员", 2, "手机号", "bad_phone")
    assert (await upload(office, b"not a workbook")).code == "not_a_workbook"


async def test_people_are_found_page_by_page_and_units_listed(office: Desk, zone: Zone, bureau: Unit) -> None:
    for name in ("张一", "张二", "张三"):
        await person(zone, bureau, name)
    first = (await office.get("/api/console/organization/people?text=张&limit=2")).content
    rest = (await office.get(f"/api/console/organization/people?text=张&limit=2&after={first['next']}")).content
    assert {row["name"] for row in first["items"] + rest["items"]} == {"张一", "张二", "张三"} and rest["next"] is None
    units = (await office.get("/api/console/organization/units")).content["items"]
    assert [unit["path"] for unit in units] == ["/kfq/cyj/"]


async def test_notices_and_settings_are_read_and_changed(office: Desk) -> None:
    body = {"year": 2027, "source": "国办发明电", "holidays": ["2027-10-01"], "workdays": ["2027-10-09"]}
    assert (await office.post("/api/console/organization/notices", body)).content["version"] == 1
    listed = (await office.get("/api/console/organization/notices")).content["items"]
    assert [notice["year"] for notice in listed] == [2027, 2026, 2025, 2024]
    changed = await office.call("PATCH", "/api/console/organization/settings", json={"daily_budget": 5})
    assert changed.content["daily_budget"] == 5
    order = ["wecom", "subscribe"]
    changed = await office.call("PATCH", "/api/console/organization/settings", json={"channels": order})
    assert changed.content["channels"] == order
    for wrong in ({"quiet_from": "99:99"}, {"channels": ["fax"]}, {"channels": ["sms", "sms"]}):
        refused = await office.call("PATCH", "/api/console/organization/settings", json=wrong)
        assert refused.code == "bad_settings"


async def test_a_phone_reads_whose_product_this_is_and_its_filing_number(phone: Phone, zone: Zone) -> None:
    zone.settings = {"filing_number": "苏ICP备26000001号-1X"}
    await zone.save()
    about = (await phone.get("/api/mini/about")).content
    assert (about["zone"], about["filing_number"]) == ("示范开发区", "苏ICP备26000001号-1X") and about["version"]


async def test_a_proposal_is_decided_on_the_console(office: Desk, wang: Person) -> None:
    await upload(office, workbook("15400000001"))
    proposals = (await office.get("/api/console/organization/proposals")).content["items"]
    mine = next(proposal for proposal in proposals if proposal["person_id"] == str(wang.id))
    decided = await office.post(f"/api/console/organization/proposals/{mine['id']}/decide", {"accept": True})
    assert decided.status == 204 and not (await Person.get(id=wang.id)).active
