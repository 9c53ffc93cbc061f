"""The roster workbook: every fault told at once, nothing changed by a bad file, nobody dropped silently."""

import io
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from models import organization
from models.base import database as postgres
from models.base.errors import Conflict, Forbidden, Invalid, Refused, TooLarge
from models.base.scope import Grant, Role, Scope
from models.organization import Appointment, Person, RoleGrant, RosterImport, UnbindingProposal, Unit, Zone

pytestmark = pytest.mark.usefixtures("database")
SAMPLE = Path(__file__).parents[2] / "deploy" / "sample"
Sheets = dict[str, list[list[Any]]]


def roster() -> Sheets:
    return {
        "单位": [
            ["单位编码", "单位名称", "单位类型", "上级单位编码"],
            ["CUN", "临河村", "村（社区）", "CYJ"],
            ["CYJ", "产业发展局", "部门", "KFQ"],
            ["KFQ", "示范开发区", "党工委/管委会", None],
        ],
        "人员": [
            ["人员编号", "姓名", "手机号"],
            ["1001", "王静", "15400000001"],
            [1002, "李明", 15400000002],
            ["1003", "王静", "15400000003"],
        ],
        "任职": [
            ["人员编号", "单位编码", "职务", "类别", "任职起始", "任职截止", "代理"],
            ["1001", "CYJ", "局长", "主要负责人", "2024-01-01", None, "否"],
            ["1002", "CYJ", "科员", "成员", "2024年3月1日", "2027/12/31", None],
            ["1003", "KFQ", "书记", "主要负责人", "2024-01-01", None, "是"],
        ],
        "角色": [
            ["人员编号", "角色", "单位编码"],
            ["1001", "单位负责人", "CYJ"],
            ["1003", "管理员", "KFQ"],
        ],
    }


def written(sheets: Sheets, touch: Callable[[xlsxwriter.Workbook], None] | None = None) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
        if touch:
            touch(book)
    return file.getvalue()


@pytest.fixture
def admin(zone: Zone) -> Scope:
    return Scope(zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))


async def take(sheets: Sheets, by: Scope, **how: bool) -> RosterImport:
    return await organization.import_roster(written(sheets), by=by, **how)


def counts(done: RosterImport) -> dict[str, tuple[int, int, int]]:
    return {sheet: (made.added, made.changed, made.ended) for sheet, made in done.changes.items()}


NOTHING = {"单位": (0, 0, 0), "人员": (0, 0, 0), "任职": (0, 0, 0), "角色": (0, 0, 0)}


async def test_a_roster_is_stored_and_the_same_again_changes_nothing(zone: Zone, admin: Scope) -> None:
    first = await take(roster(), admin)
    assert counts(first) == {"单位": (3, 0, 0), "人员": (3, 0, 0), "任职": (3, 0, 0), "角色": (2, 0, 0)}
    assert (await Unit.get(code="CUN")).path == "/KFQ/CYJ/CUN/"
    assert (await Unit.get(code="CUN").prefetch_related("parent")).parent.code == "CYJ"  # type: ignore[union-attr]
    assert (await Appointment.get(post__title="科员")).until_on == date(2027, 12, 31)
    assert (await organization.person_by_phone(zone.id, "15400000002")).staff_no == "1002"
    assert counts(await take(roster(), admin)) == NOTHING


async def test_a_wecom_account_may_stand_in_the_roster_and_comes_back_in_its_export(zone: Zone, admin: Scope) -> None:
    await take(roster(), admin)
    named = roster()
    named["人员"][0].append("企业微信账号")
    named["人员"][1].append("wang.jing")
    assert counts(await take(named, admin)) == {**NOTHING, "人员": (0, 1, 0)}
    assert (await Person.get(staff_no="1001")).wecom == "wang.jing"
    again = await organization.import_roster(await organization.export_roster(by=admin), by=admin)
    assert counts(again) == NOTHING
    await take(roster(), admin)
    assert (await Person.get(staff_no="1001")).wecom is None


async def test_a_wecom_account_is_well_formed_and_of_one_person_only(admin: Scope) -> None:
    bad = roster()
    bad["人员"][0].append("企业微信账号")
    for row, userid in zip(bad["人员"][1:], ("WangJing", "wangjing", "王静"), strict=True):
        row.append(userid)
    with pytest.raises(Invalid) as refused:
        await take(bad, admin)
    found = {(fault.row, fault.column, fault.code) for fault in refused.value.faults}  # type: ignore[attr-defined]
    assert found == {(3, "企业微信账号", "duplicate_wecom"), (4, "企业微信账号", "bad_wecom")}


async def test_a_dry_run_tells_the_same_and_stores_nothing(admin: Scope) -> None:
    told = await take(roster(), admin, dry_run=True)
    assert not told.stored and not await Unit.all().count() and not await Person.all().count()
    assert counts(told) == counts(await take(roster(), admin))


async def test_every_bad_row_is_told_at_once_and_nothing_is_changed(admin: Scope) -> None:
    bad = roster()
    bad["单位"] += [
        ["CUN", "又一村", "村", "KFQ"],
        ["X1", "", "公司", "无"],
        ["A", "甲", "部门", "B"],
        ["B", "乙", "部门", "A"],
    ]
    bad["人员"] += [["1001", "张三", "12345"], ["1 5", "赵六", "15400000003"], [None, "名" * 33, None]]
    bad["任职"] += [
        ["9999", "XXX", "科员", "临时", "明天", None, "也许"],
        ["1001", "CYJ", "副局长", "分管负责人", "2024-05-01", "2024-04-30", None],
        ["1001", "CYJ", "局长", "主要负责人", "2024-01-01", None, None],
    ]
    bad["角色"] += [["1003", "审计员", "KFQ"], ["1001", "单位负责人", "CYJ"], ["1001", "领导", "KFQ"]]
    with pytest.raises(Invalid) as refused:
        await take(bad, admin)
    found = {(fault.sheet, fault.row, fault.column, fault.code) for fault in refused.value.faults}  # type: ignore[attr-defined]
    assert found == {
        ("单位", 5, "单位编码", "duplicate_unit"),
        ("单位", 6, "单位名称", "required"),
        ("单位", 6, "单位类型", "unknown_unit_type"),
        ("单位", 6, "上级单位编码", "unknown_parent"),
        ("单位", 7, "上级单位编码", "unit_cycle"),
        ("单位", 8, "上级单位编码", "unit_cycle"),
        ("人员", 5, "手机号", "bad_phone"),
        ("人员", 5, "人员编号", "duplicate_person"),
        ("人员", 6, "人员编号", "bad_code"),
        ("人员", 6, "手机号", "duplicate_phone"),
        ("人员", 7, "人员编号", "required"),
        ("人员", 7, "姓名", "too_long"),
        ("人员", 7, "手机号", "required"),
        ("任职", 5, "人员编号", "unknown_person"),
        ("任职", 5, "单位编码", "unknown_unit"),
        ("任职", 5, "类别", "unknown_post_kind"),
        ("任职", 5, "任职起始", "bad_date"),
        ("任职", 5, "代理", "bad_flag"),
        ("任职", 6, "任职截止", "bad_period"),
        ("任职", 7, "人员编号", "duplicate_appointment"),
        ("角色", 4, "角色", "conflicting_roles"),
        ("角色", 5, "人员编号", "duplicate_role"),
        ("角色", 6, "角色", "unknown_role"),
    }
    assert not await Person.all().count() and not await Unit.all().count()


async def test_the_sample_is_taken_and_its_spoilt_copy_refused_with_all_five(zone: Zone, admin: Scope) -> None:
    with pytest.raises(Invalid) as refused:
        await organization.import_roster((SAMPLE / "roster_bad.xlsx").read_bytes(), by=admin)
    assert sorted(fault.code for fault in refused.value.faults) == [
        "bad_period",
        "bad_phone",
        "duplicate_person",
        "unknown_role",
        "unknown_unit",
    ]
    await organization.import_roster((SAMPLE / "roster.xlsx").read_bytes(), by=admin)
    assert await Person.filter(zone_id=zone.id).count() > 300


async def test_good_rows_are_taken_when_asked_and_then_nothing_ends(admin: Scope) -> None:
    await take(roster(), admin)
    bad = roster()
    bad["人员"][1][2] = "1"
    del bad["任职"][2], bad["角色"][2]
    bad["人员"].append(["1004", "周佳", "15400000004"])
    bad["任职"].append(["1001", "CYJ", "党组书记", "主要负责人", "2024-01-01", None, None])
    done = await take(bad, admin, take_good_rows=True)
    assert counts(done) == {**NOTHING, "人员": (1, 0, 0)}
    assert (done.left_out, done.proposed, [fault.code for fault in done.faults]) == (1, 0, ["bad_phone"])


async def test_what_the_roster_no_longer_says_is_ended(admin: Scope) -> None:
    await take(roster(), admin)
    later = roster()
    del later["单位"][1], later["任职"][2], later["角色"][1]
    later["人员"][2][1] = "李鸣"
    done = await take(later, admin)
    assert counts(done) == {"单位": (0, 0, 1), "人员": (0, 1, 0), "任职": (0, 0, 1), "角色": (0, 0, 1)}
    assert done.changes["任职"].ended_samples == ["1002"]
    assert not (await Unit.get(code="CUN")).active
    assert counts(await take(later, admin)) == NOTHING
    assert counts(await take(roster(), admin)) == {
        "单位": (0, 1, 0),
        "人员": (0, 1, 0),
        "任职": (0, 1, 0),
        "角色": (1, 0, 0),
    }


async def test_two_people_may_swap_numbers_and_a_newcomer_may_get_one_of_who_vanished(admin: Scope) -> None:
    await take(roster(), admin)
    swapped = roster()
    swapped["人员"][1][2], swapped["人员"][3][2] = "15400000003", "15400000001"
    assert counts(await take(swapped, admin)) == {**NOTHING, "人员": (0, 2, 0)}
    replaced = without(roster(), 1002)
    replaced["人员"].append(["1009", "陈晨", "15400000002"])
    done = await take(replaced, admin)
    assert counts(done)["人员"] == (1, 2, 0)
    assert (await Person.get(staff_no="1002")).phone is None


def without(sheets: Sheets, staff_no: object) -> Sheets:
    return {name: [row for row in rows if str(row[0]) != str(staff_no)] for name, rows in sheets.items()}


async def test_who_vanished_is_proposed_and_leaves_only_when_an_admin_says_so(zone: Zone, admin: Scope) -> None:
    await take(roster(), admin)
    person = await Person.get(staff_no="1001")
    await organization.bind(zone.id, person.id, "wx", by=admin)
    for _ in range(2):
        assert (await take(without(roster(), 1001), admin)).proposed == 1
    assert await organization.binding_of(zone.id, person.id)
    (proposal,) = await organization.open_proposals(by=admin)
    for _ in range(2):
        await organization.decide_proposal(proposal.id, by=admin, accept=True)
    assert await organization.binding_of(zone.id, person.id) is None
    assert not (await Person.get(id=person.id)).active
    assert not await RoleGrant.filter(person_id=person.id).count()
    assert await organization.stand_in(zone.id, person.id, date(2026, 11, 23)) is None
    with pytest.raises(Conflict, match="already_decided"):
        await organization.decide_proposal(proposal.id, by=admin, accept=False)
    assert counts(await take(without(roster(), 1001), admin)) == NOTHING


async def test_who_is_back_in_the_roster_is_no_longer_proposed(admin: Scope) -> None:
    await take(roster(), admin)
    await take(without(roster(), 1001), admin)
    assert (await take(roster(), admin)).proposed == 0
    assert (await UnbindingProposal.get()).accepted is False


async def test_the_export_read_in_again_changes_nothing(admin: Scope) -> None:
    await organization.import_roster((SAMPLE / "roster.xlsx").read_bytes(), by=admin)
    exported = await organization.export_roster(by=admin)
    assert counts(await organization.import_roster(exported, by=admin)) == NOTHING


async def test_only_an_admin_of_the_whole_zone_imports(zone: Zone, admin: Scope) -> None:
    await take(roster(), admin)
    for grant in (Grant(Role.ADMIN, "/KFQ/CYJ/"), Grant(Role.OVERSIGHT, "/KFQ/")):
        with pytest.raises(Forbidden):
            await take(roster(), Scope(zone.id, "account:other", grants=(grant,)))


async def test_an_import_leaves_one_audit_row_and_one_for_each_thing_ended(zone: Zone, admin: Scope) -> None:
    await take(roster(), admin)
    await take(without(roster(), 1002), admin)
    later = without(roster(), 1002)
    del later["角色"][1]
    await take(later, admin)
    rows = await postgres.fetch("select action, count(*) as n from audit where zone_id = $1 group by action", zone.id)
    acts = {row["action"]: row["n"] for row in rows}
    assert (acts["roster.imported"], acts["unbinding.proposed"], acts["role.ended"]) == (3, 1, 1)


async def refusal(data: bytes, by: Scope) -> Refused:
    with pytest.raises(Refused) as refused:
        await organization.import_roster(data, by=by)
    assert not await Unit.all().count()
    return refused.value


async def codes(data: bytes, by: Scope) -> set[str]:
    refused = await refusal(data, by)
    return {fault.code for fault in refused.faults} or {refused.code}


async def test_what_is_no_workbook_is_refused(admin: Scope) -> None:
    good = written(roster())
    for data in (b"", b"name,phone", b"\xd0\xcf\x11\xe0" + bytes(600), good[:900], b"PK\x03\x04" + bytes(100)):
        assert await codes(data, admin) == {"not_a_workbook"}
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert await codes(other.getvalue(), admin) == {"not_a_workbook"}


async def test_a_missing_sheet_and_wrong_columns_are_all_named(admin: Scope) -> None:
    sheets = roster()
    del sheets["角色"]
    sheets["人员"][0] = ["人员编号", "姓名", "姓名"]
    assert await codes(written(sheets), admin) == {"missing_sheet", "missing_column", "duplicate_column"}


async def test_formulas_and_merged_cells_are_refused_by_place(admin: Scope) -> None:
    def touch(book: xlsxwriter.Workbook) -> None:
        book.get_worksheet_by_name("人员").write_formula(1, 1, "=1+1", None, "王静")
        book.get_worksheet_by_name("任职").merge_range(1, 2, 2, 2, "局长")

    refused = await refusal(written(roster(), touch), admin)
    assert {(fault.sheet, fault.row, fault.code) for fault in refused.faults} == {  # type: ignore[attr-defined]
        ("人员", 2, "formula"),
        ("任职", 2, "merged_cells"),
    }


async def test_a_row_past_the_hundred_thousandth_is_too_many(admin: Scope) -> None:
    def touch(book: xlsxwriter.Workbook) -> None:
        book.get_worksheet_by_name("人员").write(100_001, 0, "x")

    assert await codes(written(roster(), touch), admin) == {"too_many_rows"}


async def test_a_cell_far_to_the_right_is_refused_before_a_grid_is_made(admin: Scope) -> None:
    def touch(book: xlsxwriter.Workbook) -> None:
        book.get_worksheet_by_name("人员").write(5, 16_000, "x")

    assert await codes(written(roster(), touch), admin) == {"too_many_columns"}


async def test_one_long_text_shown_by_very_many_cells_is_too_large(admin: Scope) -> None:
    data = written({**roster(), "角色": [["短"]] * 12_000})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        shared = archive.read("xl/sharedStrings.xml").replace("短".encode(), ("长" * 32_000).encode())
    assert await codes(repacked(data, "xl/sharedStrings.xml", shared), admin) == {"workbook_too_large"}


def repacked(data: bytes, part: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return file.getvalue()


async def test_a_zip_bomb_is_refused_whether_or_not_it_declares_its_size(admin: Scope) -> None:
    bomb = repacked(written(roster()), "xl/theme/theme1.xml", b"<a>" * (90 << 20))
    assert isinstance(await refusal(bomb, admin), TooLarge)
    modest = bytearray(bomb)
    place = modest.rfind(b"xl/theme/theme1.xml") - 46 + 24  # the declared size in the central directory
    assert struct.unpack_from("<I", modest, place)[0] == 270 << 20
    struct.pack_into("<I", modest, place, 1_000)
    tracemalloc.start()
    assert isinstance(await refusal(bytes(modest), admin), TooLarge)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


@pytest.mark.parametrize(
    "trick",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet/>',
        b"<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>",
        b"<worksheet><sheetData><row><c r='XFD1048576'><v>1</v></c></row></sheetData></worksheet>",
        b'<worksheet><sheetData><row><c r="XFD1048576" x=" r="A1""><v>1</v></c></row></sheetData></worksheet>',
        b'<x:worksheet><x:sheetData><x:row><x:c s="1" ><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>',
        '<?xml version="1.0" encoding="utf-16"?><worksheet/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="iso-2022-jp"?><worksheet/>',
    ],
)
async def test_a_sheet_that_hides_its_size_is_refused(admin: Scope, trick: bytes) -> None:
    refused = await codes(repacked(written(roster()), "xl/worksheets/sheet1.xml", trick), admin)
    assert refused <= {"not_a_workbook", "too_many_columns", "too_many_rows"}


async def test_two_powers_cannot_be_united_by_two_imports(admin: Scope) -> None:
    await take(roster(), admin)
    second = roster()
    second["角色"][2] = ["1003", "审计员", "KFQ"]
    second["人员"].append(["1004", "周佳", "1"])
    with pytest.raises(Conflict, match="conflicting_roles"):
        await take(second, admin, take_good_rows=True)
    assert [grant.role async for grant in RoleGrant.filter(person__staff_no="1003")] == [Role.ADMIN]


async def test_twenty_thousand_people_are_stored_in_reasonable_time(admin: Scope) -> None:
    """A guard against a slow path, wide enough for a busy machine; tests/bench measures."""
    sheets = roster()
    people = range(2_000, 22_000)
    sheets["人员"] += [[str(n), "某人", f"1550{n:07}"] for n in people]
    sheets["任职"] += [[str(n), "CYJ", "科员", "成员", "2024-01-01", None, None] for n in people]
    data = written(sheets)
    begun = time.process_time()
    assert counts(await organization.import_roster(data, by=admin))["人员"] == (20_003, 0, 0)
    assert time.process_time() - begun < 10
