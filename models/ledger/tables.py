"""The tables of the ledger, and the words their columns may hold."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models.base.database import Row


class ListKind(StrEnum):
    """The three lists of a campaign: 任务清单, 责任清单, 问题清单."""

    TASK = "task"
    RESPONSIBILITY = "responsibility"
    PROBLEM = "problem"

    @property
    def code(self) -> str:
        """The list's part of an item's number: the initials of 任务, 责任, 问题 in pinyin."""
        return {"task": "RW", "responsibility": "ZR", "problem": "WT"}[self.value]

    @property
    def label(self) -> str:
        """As the office writes it."""
        return {"task": "任务", "responsibility": "责任", "problem": "问题"}[self.value]


class Classification(StrEnum):
    """What may reach a phone; anything marked higher never enters (domain.md §5.10)."""

    PUBLIC = "public"
    INTERNAL = "internal"


class State(StrEnum):
    """Where an item stands (domain.md §3)."""

    DRAFT = "draft"
    ISSUED = "issued"
    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    UNIT_REVIEW = "unit_review"
    OVERSIGHT_REVIEW = "oversight_review"
    CLOSED = "closed"
    LONG_TERM = "long_term"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        """As a cadre reads it."""
        return _STATE_LABELS[self]


_STATE_LABELS = {
    State.DRAFT: "草稿",
    State.ISSUED: "待签收",
    State.RECEIVED: "已签收",
    State.IN_PROGRESS: "办理中",
    State.UNIT_REVIEW: "待初审",
    State.OVERSIGHT_REVIEW: "待复核",
    State.CLOSED: "已销号",
    State.LONG_TERM: "持续整改",
    State.SUSPENDED: "挂账",
    State.CANCELLED: "已撤销",
}
RUNNING = frozenset({State.ISSUED, State.RECEIVED, State.IN_PROGRESS, State.LONG_TERM})
REVIEWED = frozenset({State.UNIT_REVIEW, State.OVERSIGHT_REVIEW})
OPEN = RUNNING | REVIEWED | {State.SUSPENDED}


class Campaign(Row):
    """One round of supervision, with its three lists. `default_policies`: list → codes for items that name none."""

    name = fields.CharField(max_length=120)
    purpose = fields.TextField(default="")
    default_policies: dict[str, Any] = fields.JSONField(default=dict)
    created_by = fields.CharField(max_length=80)
    created_at = fields.DatetimeField()

    class Meta:
        table = "campaign"
        constraints = [UniqueConstraint(fields=("zone_id", "name"), name="campaign_name_once")]


class Item(Row):
    """One matter with one owner. `number`, `chain` and `unit_path` are those of its (last) issue.

    `due_days` is a deadline in working days from the cycle's opening, kept so that a calendar change can recompute
    `due_on`; it is null where the deadline is a date. `last_step` is a digest of the last step, its actor and
    its words, so that the same step repeated is answered alike. `version` grows with every change. `follows` is the
    closed item of which this one is what remained; `filed_for` is what it was filed for, which is done once.
    """

    campaign: fields.ForeignKeyRelation[Campaign] = fields.ForeignKeyField("models.Campaign", on_delete=fields.RESTRICT)
    campaign_id: Any
    number = fields.CharField(max_length=24, null=True)
    list = fields.CharEnumField(ListKind, max_length=16)
    title = fields.CharField(max_length=100)
    requirement = fields.TextField()
    basis = fields.CharField(max_length=500, default="")
    area = fields.CharField(max_length=32, default="")
    classification = fields.CharEnumField(Classification, max_length=16)
    owner: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "models.Person", on_delete=fields.RESTRICT, related_name="items"
    )
    owner_id: Any
    unit: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField(
        "models.Unit", on_delete=fields.RESTRICT, related_name="items"
    )
    unit_id: Any
    unit_path = fields.CharField(max_length=400)
    chain: dict[str, Any] = fields.JSONField(default=dict)
    state = fields.CharEnumField(State, max_length=16, default=State.DRAFT)
    cycle = fields.IntField(default=0)
    due_on = fields.DateField(null=True)
    due_days = fields.IntField(null=True)
    due_provisional = fields.BooleanField(default=False)
    immediate_fix = fields.BooleanField(default=False)
    urgent = fields.BooleanField(default=False)
    policy_codes: Any = fields.JSONField()
    stage_goal = fields.TextField(default="")
    next_review_on = fields.DateField(null=True)
    suspended_from: State | None = fields.CharEnumField(  # type: ignore[assignment]
        State, max_length=16, null=True
    )
    suspended_on = fields.DateField(null=True)
    suspended_until = fields.DateField(null=True)
    follows = fields.UUIDField(null=True)
    filed_for = fields.CharField(max_length=80, null=True)
    last_step = fields.CharField(max_length=64, default="")
    drafted_at = fields.DatetimeField()
    issued_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "item"
        constraints = [
            UniqueConstraint(fields=("zone_id", "number"), name="item_number_once"),
            UniqueConstraint(fields=("zone_id", "filed_for"), name="item_filed_once"),
        ]
        indexes = [
            Index(fields=("zone_id", "id"), name="item_of_zone"),
            Index(fields=("zone_id", "owner_id", "id"), name="item_of_owner"),
            Index(fields=("zone_id", "campaign_id", "id"), name="item_of_campaign"),
            Index(fields=("zone_id", "state", "id"), name="item_of_state"),
            Index(fields=("zone_id", "follows"), name="item_that_follows"),
        ]


class Opening(StrEnum):
    """Why a round began: the item was issued, or a look-back found it unsettled, or found it relapsed."""

    ISSUE = "issue"
    SENT_BACK = "sent_back"
    RELAPSE = "relapse"


class Cycle(Row):
    """One round of one item. After `closed_at` a row is never rewritten (a trigger keeps it): figures stay.

    `requested_by`, `unit_reviewed_by` and `overseen_by` are whoever acted last, by person or account id: three
    different people. `first_pass`: closed without ever having been returned. `returned_times` counts in this cycle.
    """

    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField("models.Item", on_delete=fields.RESTRICT)
    item_id: Any
    number = fields.IntField()
    opening = fields.CharEnumField(Opening, max_length=12, default=Opening.ISSUE)
    opened_at = fields.DatetimeField()
    reason = fields.TextField(default="")
    basis = fields.CharField(max_length=500, default="")
    due_on = fields.DateField()
    owner_id = fields.UUIDField()
    received_at = fields.DatetimeField(null=True)
    requested_at = fields.DatetimeField(null=True)
    evidence_count = fields.IntField(default=0)
    returned_times = fields.IntField(default=0)
    requested_by = fields.UUIDField(null=True)
    unit_reviewed_by = fields.UUIDField(null=True)
    overseen_by = fields.UUIDField(null=True)
    closed_at = fields.DatetimeField(null=True)
    first_pass = fields.BooleanField(null=True)

    class Meta:
        table = "cycle"
        constraints = [UniqueConstraint(fields=("zone_id", "item_id", "number"), name="cycle_number_once")]
        indexes = [
            Index(fields=("zone_id", "closed_at"), name="cycle_of_month"),
            Index(fields=("zone_id", "opening", "opened_at"), name="cycle_by_opening"),
        ]


class ExtensionState(StrEnum):
    """Where a request for more time stands; `lapsed` when the item moved on before it was decided."""

    UNIT_WAITING = "unit_waiting"
    OVERSIGHT_WAITING = "oversight_waiting"
    GRANTED = "granted"
    REFUSED = "refused"
    LAPSED = "lapsed"

    @property
    def label(self) -> str:
        """As a cadre reads it."""
        labels = {
            "unit_waiting": "待单位负责人同意",
            "oversight_waiting": "待监督机构同意",
            "granted": "已同意",
            "refused": "未同意",
            "lapsed": "已失效",
        }
        return labels[self.value]


class Extension(Row):
    """A request for a later deadline: decided by the unit leader, then by oversight."""

    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField("models.Item", on_delete=fields.RESTRICT)
    item_id: Any
    cycle = fields.IntField()
    asked_by = fields.UUIDField()
    asked_at = fields.DatetimeField()
    reason = fields.TextField()
    old_due_on = fields.DateField()
    new_due_on = fields.DateField()
    state = fields.CharEnumField(ExtensionState, max_length=24, default=ExtensionState.UNIT_WAITING)
    unit_decided_by = fields.UUIDField(null=True)
    oversight_decided_by = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        table = "extension"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "item_id"),
                name="extension_one_waiting",
                condition="state IN ('unit_waiting', 'oversight_waiting')",
            )
        ]
        indexes = [Index(fields=("zone_id", "item_id", "id"), name="extension_of_item")]


class Report(Row):
    """The words said at a step: progress, a reason, what is missing. The audit log holds their hash, never them."""

    item: fields.ForeignKeyRelation[Item] = fields.ForeignKeyField("models.Item", on_delete=fields.RESTRICT)
    item_id: Any
    cycle = fields.IntField()
    action = fields.CharField(max_length=32)
    said_by = fields.CharField(max_length=80)
    said_at = fields.DatetimeField()
    text = fields.TextField()
    missing = fields.TextField(default="")

    class Meta:
        table = "report"
        indexes = [Index(fields=("zone_id", "item_id", "id"), name="report_of_item")]


class NumberSeries(Row):
    """The last number given in one list and year; its row is locked last in the issuing transaction."""

    list = fields.CharEnumField(ListKind, max_length=16)
    year = fields.IntField()
    given = fields.IntField(default=0)

    class Meta:
        table = "item_number_series"
        constraints = [UniqueConstraint(fields=("zone_id", "list", "year"), name="number_series_once")]
