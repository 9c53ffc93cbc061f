"""The sheet 「策略」 of the items workbook (docs/formats.md)."""

from collections import defaultdict
from pathlib import Path

from models.base.database import atomic
from models.base.scope import Scope
from models.base.spreadsheets import Faults, RowCells, Sheet, SheetForm, read_sheets
from models.escalations.policies import PolicyForm, Step, put_policy
from models.escalations.tables import Action, Audience, Condition

CONDITIONS = {
    "未签收满": Condition.UNACKNOWLEDGED,
    "距期限": Condition.DAYS_TO_DUE,
    "逾期": Condition.OVERDUE,
    "退回": Condition.RETURNED,
}
AUDIENCES = {
    "责任人": Audience.OWNER,
    "单位负责人": Audience.UNIT_LEADER,
    "上一级": Audience.ONE_LEVEL_UP,
    "监督机构": Audience.OVERSIGHT,
}
ACTIONS = {
    "提醒": Action.REMIND,
    "催办": Action.URGE,
    "提示函草稿": Action.REMINDER_LETTER,
    "约谈草稿": Action.INTERVIEW,
    "专题会商草稿": Action.CONSULTATION,
    "通报草稿": Action.CIRCULAR,
}
POLICY_SHEET = SheetForm(
    "策略", ("策略编码", "策略名称", "步骤", "条件", "数值", "级别", "通知对象", "动作"), may_be_absent=True
)


def read_policies(sheet: Sheet, faults: Faults) -> list[PolicyForm]:
    """The policies of the sheet, those with a fault left out. Faults gather in `faults`, the reader's own."""
    names: dict[str, str] = {}
    steps: dict[str, dict[int, Step]] = defaultdict(dict)
    spoilt: set[str] = set()
    for row in sheet:
        code = row.code("策略编码")
        name = row.text("策略名称", longest=64)
        if code and name and names.setdefault(code, name) != name:
            row.fault("策略名称", "inconsistent_name", f"策略 {code} 在前面的名称是“{names[code]}”。")
        number = row.whole_number("步骤", least=1, most=20, code="bad_step")
        if code and number and number in steps[code]:
            row.fault("步骤", "duplicate_step", f"策略 {code} 的第 {number} 步出现了两次。")
        step = _read_step(row)
        if row.bad:
            spoilt.add(code or "")
        elif code and number and step:
            steps[code][number] = step
    forms = (_form(code, names, numbered) for code, numbered in steps.items() if numbered and code not in spoilt)
    return list(forms)


def _form(code: str, names: dict[str, str], numbered: dict[int, Step]) -> PolicyForm:
    return PolicyForm(code=code, name=names[code], steps=[numbered[number] for number in sorted(numbered)])


def _read_step(row: RowCells) -> Step | None:
    condition = row.choice("条件", CONDITIONS, code="unknown_condition")
    least = 0 if condition is Condition.DAYS_TO_DUE else 1
    amount = row.whole_number("数值", least=least, most=250)
    level = row.whole_number("级别", least=0, most=4, code="bad_level")
    tell = row.choice("通知对象", AUDIENCES, code="unknown_audience")
    action = row.choice("动作", ACTIONS, code="unknown_action")
    if condition is None or amount is None or level is None or tell is None or action is None:
        return None
    return Step(condition=condition, amount=amount, level=level, tell=[tell], action=action)


@atomic()
async def import_policies(*, by: Scope, workbook: bytes | Path) -> list[str]:
    """Take every policy of the workbook's sheet 「策略」 as its newest version; their codes.

    Nothing is stored where one cell is wrong. Raises Forbidden, Invalid with every fault's place, TooLarge.
    """
    faults = Faults()
    sheets = read_sheets(workbook, POLICY_SHEET, faults=faults)
    forms = read_policies(sheets[POLICY_SHEET.name], faults)
    faults.refuse("预警策略有误，没有导入。请按所列各处更正后再试。")
    return [(await put_policy(form, by=by)).code for form in forms]
