"""Unacknowledged or overdue matters climb the chain of responsibility, step by step (domain.md §4).

The machine takes the first two rungs only, reminder and urge. Letters, talks, consultations and circulars it drafts,
for a person to decide.
"""

from models.escalations.ahead import Ahead, Day, ahead, notice
from models.escalations.deciding import decide, drafts, urge
from models.escalations.firing import fire, late_by
from models.escalations.holding import hold, release
from models.escalations.policies import (
    IMPORTANT,
    SHIPPED,
    PolicyForm,
    Step,
    applying,
    named_policies,
    policies,
    policies_of,
    policy_form,
    put_policy,
    retire_policy,
    unsaved,
)
from models.escalations.sheets import POLICY_SHEET, import_policies, read_policies
from models.escalations.simulating import Foreseen, foresee, planned
from models.escalations.tables import (
    Action,
    Audience,
    Condition,
    Draft,
    DraftState,
    Policy,
    Timer,
    TimerState,
    Watch,
)
from models.escalations.timers import arm, await_receipt, disarm, rearm, recount, returned

__all__ = [
    "IMPORTANT",
    "POLICY_SHEET",
    "SHIPPED",
    "Action",
    "Ahead",
    "Audience",
    "Condition",
    "Day",
    "Draft",
    "DraftState",
    "Foreseen",
    "Policy",
    "PolicyForm",
    "Step",
    "Timer",
    "TimerState",
    "Watch",
    "ahead",
    "applying",
    "arm",
    "await_receipt",
    "decide",
    "disarm",
    "drafts",
    "fire",
    "foresee",
    "hold",
    "import_policies",
    "late_by",
    "named_policies",
    "notice",
    "planned",
    "policies",
    "policies_of",
    "policy_form",
    "put_policy",
    "read_policies",
    "rearm",
    "recount",
    "release",
    "retire_policy",
    "returned",
    "unsaved",
    "urge",
]
