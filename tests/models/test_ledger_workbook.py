"""`items.xlsx`, in and out: every bad cell at once, nothing by halves, again without effect."""

import io
from datetime import timedelta

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from models import escalations, ledger
from models.base import clock
from models.base.errors import Forbidden, Invalid
from models.ledger import Filters, Item, State
from models.organization import Zone
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")
HEADERS = (
    "清单",
    "标题",
    "要求",
    "依据",
    "领域",
    "责任人编号",
    "责任单位编码",
    "密级",
    "期限",
    "立行立改",
    "紧急",
    "策略编码",
)
POLICY_HEADERS = ("策略编码", "策略名称", "步骤", "条件", "数值", "级别", "通知对象", "动作")
GOOD = {
    "清单": "任务",
    "标题": "核对长河路雨污分流工程款",
    "要求": "逐笔核对，形成书面说明。",
    "责任人编号": "P000",
    "责任单位编码": "cz",
    "密级": "内部",
    "期限": "10个工作日",
}
POLICY = ("near", "临期提醒", 1, "距期限", 3, 0, "责任人", "提醒")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


def workbook(*rows: dict[str, str], policies: tuple[tuple[object, ...], ...] = ()) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("事项")
        sheet.write_row(0, 0, HEADERS)
        for number, row in enumerate(rows, 1):
            sheet.write_row(number, 0, [row.get(header, "") for header in HEADERS])
        if policies:
            sheet = book.add_worksheet("策略")
            sheet.write_row(0, 0, POLICY_HEADERS)
            for number, row_ in enumerate(policies, 1):
                sheet.write_row(number, 0, row_)
    return file.getvalue()


async def bring(office: Office, data: bytes, *, dry_run: bool = False) -> ledger.Imported:
    return await ledger.import_items(data, campaign_id=office.campaign.id, by=office.overseer, dry_run=dry_run)


async def test_rows_become_drafts(office: Office) -> None:
    day = (clock.today() + timedelta(days=20)).isoformat()
    rows = [GOOD, {**GOOD, "清单": "问题", "标题": "清理积压", "期限": day, "立行立改": "是", "密级": "公开"}]
    imported = await bring(office, workbook(*rows))
    assert (imported.created, imported.updated, imported.unchanged) == (2, 0, 0)
    task, problem = await Item.all().order_by("id")
    assert (task.state, task.due_days, task.due_on, task.unit_path) == (State.DRAFT, 10, None, "/kfq/cz/")
    assert (problem.immediate_fix, problem.due_on.isoformat(), problem.classification.value) == (True, day, "public")


async def test_every_bad_cell_is_named_at_once_and_nothing_is_stored(office: Office) -> None:
    wrong = {
        "清单": ("其他", "unknown_list"),
        "标题": ("", "required"),
        "责任人编号": ("P999", "unknown_person"),
        "责任单位编码": ("nowhere", "unknown_unit"),
        "密级": ("机密", "classified"),
        "期限": ("尽快", "bad_due"),
        "立行立改": ("也许", "bad_flag"),
        "策略编码": ("nowhere", "unknown_policy"),
    }
    rows = [GOOD, *({**GOOD, column: text} for column, (text, _) in wrong.items())]
    rows += [{**GOOD, "期限": "2020-01-01"}, {**GOOD, "期限": "9999-12-31"}, {**GOOD, "责任人编号": "P007"}]
    with pytest.raises(Invalid) as refused:
        await bring(office, workbook(*rows))
    found = {(fault.row, fault.column, fault.code) for fault in refused.value.faults}
    expected = {(row, column, code) for row, (column, (_, code)) in enumerate(wrong.items(), 3)}
    assert found == expected | {
        (11, "期限", "due_in_past"),
        (12, "期限", "too_far"),
        (13, "责任人编号", "owner_not_in_unit"),
    }
    assert not await Item.exists()


async def test_a_dry_run_tells_and_stores_nothing(office: Office) -> None:
    imported = await bring(office, workbook(GOOD, policies=(POLICY,)), dry_run=True)
    assert (imported.dry_run, imported.created) == (True, 1)
    assert not await Item.exists()
    assert not await escalations.Policy.exists()


async def test_the_same_file_again_changes_nothing(office: Office) -> None:
    data = workbook(GOOD, GOOD, {**GOOD, "标题": "另一件"}, policies=(POLICY,))
    assert (await bring(office, data)).created == 3
    again = await bring(office, data)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    changed = await bring(office, workbook({**GOOD, "要求": "改为抽查核对。"}, GOOD, policies=(POLICY,)))
    assert (changed.updated, changed.unchanged) == (1, 1)
    await ledger.issue_campaign(office.campaign.id, by=office.overseer, although_similar=True)
    assert (await bring(office, data)).settled == 3


async def test_a_resembling_row_is_a_warning_and_is_taken(office: Office) -> None:
    await office.issued(title="长河路雨污分流工程款核对", requirement=GOOD["要求"])
    imported = await bring(office, workbook({**GOOD, "标题": "盘点出租合同", "要求": "列出清单。"}, GOOD))
    assert imported.created == 2
    ((row, number),) = [(like.row, like.number) for like in imported.similar]
    assert (row, number) == (3, f"ZL-RW-{clock.today().year}-0001")


async def test_policies_of_the_file_are_stored_and_serve_rows_that_name_none(office: Office) -> None:
    await bring(office, workbook(GOOD, policies=(POLICY,)))
    (item,) = await Item.all()
    assert item.policy_codes == ["near"]
    assert [policy.code for policy in await escalations.policies_of(office.zone.id)] == ["near", "important"]


async def test_faults_of_both_sheets_are_told_together(office: Office) -> None:
    bad = (*POLICY[:3], "看情况", *POLICY[4:])
    with pytest.raises(Invalid) as refused:
        await bring(office, workbook({**GOOD, "密级": "绝密"}, policies=(bad,)))
    assert {fault.code for fault in refused.value.faults} == {"classified", "unknown_condition"}


async def test_only_the_office_imports(office: Office) -> None:
    with pytest.raises(Forbidden):
        await ledger.import_items(workbook(GOOD), campaign_id=office.campaign.id, by=office.leader)


async def test_an_export_shows_states_and_comes_back_in_without_a_change(office: Office) -> None:
    await bring(office, workbook(GOOD, {**GOOD, "标题": "=HYPERLINK(1)"}))
    data = await ledger.export_items(by=office.overseer, filters=Filters(states=[State.DRAFT]))
    again = await bring(office, data)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    await ledger.issue_campaign(office.campaign.id, by=office.overseer, although_similar=True)
    data = await ledger.export_items(by=office.overseer, filters=Filters())
    head, first, _ = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name("事项").to_python()
    shown = dict(zip(head, first, strict=True))
    assert (shown["编号"], shown["状态"]) == (f"ZL-RW-{clock.today().year}-0001", "待签收")
