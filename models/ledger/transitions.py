"""The life of an item, once: which step, from where to where, by whom, with what said.

The rules read this table before they change anything, and `python -m models.ledger` writes docs/states.md from it.
Source: domain.md §3.
"""

from dataclasses import dataclass
from enum import StrEnum

from models.ledger.tables import OPEN, RUNNING, State


class Party(StrEnum):
    """Who may take a step. Whoever stands in for an absent person takes that person's steps."""

    OWNER = "owner"
    UNIT_REVIEWER = "unit_reviewer"
    OVERSIGHT = "oversight"
    INSPECTOR = "inspector"
    SYSTEM = "system"

    @property
    def label(self) -> str:
        """As the office says it."""
        return {
            "owner": "责任人",
            "unit_reviewer": "单位负责人",
            "oversight": "监督机构",
            "inspector": "检查人员",
            "system": "系统（按规则到期办理）",
        }[self.value]


class Action(StrEnum):
    """Every step there is."""

    ISSUE = "issue"
    RECEIVE = "receive"
    REPORT = "report"
    REQUEST_CLOSE_OUT = "request_close_out"
    UNIT_APPROVE = "unit_approve"
    UNIT_RETURN = "unit_return"
    CLOSE_OUT = "close_out"
    OVERSIGHT_RETURN = "oversight_return"
    ASK_EXTENSION = "ask_extension"
    UNIT_EXTENSION = "unit_extension"
    OVERSIGHT_EXTENSION = "oversight_extension"
    MAKE_LONG_TERM = "make_long_term"
    REVIEW_STAGE = "review_stage"
    SUSPEND = "suspend"
    RESUME = "resume"
    CANCEL = "cancel"
    CONFIRM = "confirm"
    SEND_BACK = "send_back"
    REOPEN = "reopen"


@dataclass(frozen=True)
class Transition:
    """One step. `after` None leaves the state as it is; `needs` maps each required field to its Chinese name.

    `event` is the audit log's name of the step, `label` how a timeline and a button name it.
    `immediate_after` is where an item to be fixed at once goes instead; `back`: to where a suspended item came from.
    """

    action: Action
    label: str
    before: frozenset[State]
    after: State | None
    who: frozenset[Party]
    event: str
    needs: tuple[tuple[str, str], ...] = ()
    immediate_after: State | None = None
    back: bool = False
    note: str = ""


REASON = ("reason", "理由")
MISSING = ("missing", "还缺什么")
BY_OWNER = frozenset({Party.OWNER})
BY_UNIT = frozenset({Party.UNIT_REVIEWER})
BY_OVERSIGHT = frozenset({Party.OVERSIGHT})
WORKING = frozenset({State.RECEIVED, State.IN_PROGRESS})

TABLE: tuple[Transition, ...] = (
    Transition(
        Action.ISSUE, "交办", frozenset({State.DRAFT}), State.ISSUED, BY_OVERSIGHT, "item.issued",
        note="gives the number, snapshots the chain, opens cycle 1; refused while a similar item of the owner is open",
    ),
    Transition(Action.RECEIVE, "签收", frozenset({State.ISSUED}), State.RECEIVED, BY_OWNER, "item.received"),
    Transition(
        Action.REPORT, "反馈进展", WORKING, State.IN_PROGRESS, BY_OWNER, "item.reported", (("text", "进展情况"),),
    ),
    Transition(
        Action.REQUEST_CLOSE_OUT, "申请销号", WORKING | {State.LONG_TERM}, State.UNIT_REVIEW, BY_OWNER,
        "item.close_out_requested", immediate_after=State.OVERSIGHT_REVIEW,
        note="at least one piece of evidence of any kind in this cycle; immediate fix goes straight to oversight",
    ),
    Transition(
        Action.UNIT_APPROVE, "初审通过", frozenset({State.UNIT_REVIEW}), State.OVERSIGHT_REVIEW, BY_UNIT,
        "item.unit_approved", note="not the owner, nor whoever asked for the close-out",
    ),
    Transition(
        Action.UNIT_RETURN, "初审退回", frozenset({State.UNIT_REVIEW}), State.IN_PROGRESS, BY_UNIT,
        "item.unit_returned", (REASON, MISSING), note="long-term rectification goes back to `long_term`",
    ),
    Transition(
        Action.CLOSE_OUT, "复核销号", frozenset({State.OVERSIGHT_REVIEW}), State.CLOSED, BY_OVERSIGHT,
        "item.closed", note="a third person: neither the owner's side nor the unit reviewer",
    ),
    Transition(
        Action.OVERSIGHT_RETURN, "复核退回", frozenset({State.OVERSIGHT_REVIEW}), State.IN_PROGRESS, BY_OVERSIGHT,
        "item.oversight_returned", (REASON, MISSING), note="long-term rectification goes back to `long_term`",
    ),
    Transition(
        Action.ASK_EXTENSION, "申请延期", WORKING, None, BY_OWNER, "item.extension_asked",
        (REASON, ("new_due_on", "新的期限")), note="not after the due date; one request at a time",
    ),
    Transition(
        Action.UNIT_EXTENSION, "单位审核延期", WORKING, None, BY_UNIT, "item.extension_unit_decided",
        note="a refusal needs a reason",
    ),
    Transition(
        Action.OVERSIGHT_EXTENSION, "监督机构审核延期", WORKING, None, BY_OVERSIGHT, "item.extension_decided",
        note="after the unit leader; granted: the due date moves and the timers with it",
    ),
    Transition(
        Action.MAKE_LONG_TERM, "转为持续整改", WORKING, State.LONG_TERM, BY_OVERSIGHT, "item.made_long_term",
        (REASON, ("stage_goal", "阶段目标"), ("next_review_on", "下次评估日期")),
    ),
    Transition(
        Action.REVIEW_STAGE, "阶段评估", frozenset({State.LONG_TERM}), None, BY_OVERSIGHT, "item.stage_reviewed",
        (("finding", "评估结论"), ("stage_goal", "下一阶段目标"), ("next_review_on", "下次评估日期")),
    ),
    Transition(
        Action.SUSPEND, "挂账", RUNNING, State.SUSPENDED, BY_OVERSIGHT, "item.suspended",
        (REASON, ("until", "挂账至")), note="timers stop",
    ),
    Transition(
        Action.RESUME, "恢复办理", frozenset({State.SUSPENDED}), None, BY_OVERSIGHT | {Party.SYSTEM}, "item.resumed",
        back=True, note="the due date moves by the working days suspended; by itself when the time ends",
    ),
    Transition(
        Action.CANCEL, "撤销", OPEN | {State.DRAFT}, State.CANCELLED, BY_OVERSIGHT | {Party.SYSTEM}, "item.cancelled",
        (REASON,), note="by itself: what was to follow, when the look-back's record is corrected",
    ),
    Transition(
        Action.CONFIRM, "回头看确认", frozenset({State.CLOSED}), None, frozenset({Party.INSPECTOR, Party.OVERSIGHT}),
        "item.confirmed", (("basis", "依据"),), note="a look-back found it still settled",
    ),
    Transition(
        Action.SEND_BACK, "回头看退回", frozenset({State.CLOSED}), State.ISSUED,
        frozenset({Party.INSPECTOR, Party.OVERSIGHT}), "item.sent_back", (REASON, ("basis", "依据")),
        note="found unsettled: a new cycle with a new deadline; the closed cycle stays as it was",
    ),
    Transition(
        Action.REOPEN, "反弹重开", frozenset({State.CLOSED}), State.ISSUED,
        frozenset({Party.INSPECTOR, Party.OVERSIGHT}), "item.reopened", (REASON, ("basis", "依据")),
        note="a new cycle of the same number, watched by the policy `important`; the closed cycle stays as it was",
    ),
)  # fmt: skip
OF: dict[Action, Transition] = {transition.action: transition for transition in TABLE}
LABEL_OF_EVENT: dict[str, str] = {transition.event: transition.label for transition in TABLE}
