"""Three escalation policies: matters not received, deadlines drawing near, deadlines passed.

Each goes one level further only when the level before it had time to act; letters and talks are only drafted.
"""

from deploy.sample.sheets import Cell

UNRECEIVED, NEAR_DUE, OVERDUE = "CL-QS", "CL-LQ", "CL-YQ"
NAMES = {UNRECEIVED: "未签收逐级提醒", NEAR_DUE: "临期提醒", OVERDUE: "逾期与退回升级"}

# Policy: condition, number, level, who is told, what happens.
STEPS: dict[str, list[tuple[str, int, int, str, str]]] = {
    UNRECEIVED: [
        ("未签收满", 8, 1, "责任人", "催办"),
        ("未签收满", 16, 2, "单位负责人", "提醒"),
        ("未签收满", 24, 3, "上一级", "提醒"),
    ],
    NEAR_DUE: [
        ("距期限", 5, 0, "责任人", "提醒"),
        ("距期限", 2, 1, "责任人", "催办"),
        ("距期限", 0, 2, "单位负责人", "提醒"),
    ],
    OVERDUE: [
        ("退回", 2, 1, "单位负责人", "提醒"),
        ("逾期", 1, 2, "责任人", "催办"),
        ("逾期", 3, 3, "单位负责人", "催办"),
        ("逾期", 5, 3, "上一级", "提醒"),
        ("逾期", 10, 4, "监督机构", "提示函草稿"),
        ("逾期", 15, 4, "监督机构", "约谈草稿"),
    ],
}


def policy_rows() -> list[list[Cell]]:
    """Rows of the sheet 「策略」, one a step."""
    return [
        [code, NAMES[code], place, *step] for code, steps in STEPS.items() for place, step in enumerate(steps, start=1)
    ]
