"""The tables of escalations."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations.constraints import UniqueConstraint

from models.base.database import Row


class Condition(StrEnum):
    """What a step waits for; its amount counts working hours, working days, working days, times (docs/formats.md)."""

    UNACKNOWLEDGED = "unacknowledged"
    DAYS_TO_DUE = "days_to_due"
    OVERDUE = "overdue"
    RETURNED = "returned"


class Audience(StrEnum):
    """Who is told, taken from the item's chain as it was snapshotted at issue."""

    OWNER = "owner"
    UNIT_LEADER = "unit_leader"
    ONE_LEVEL_UP = "one_level_up"
    OVERSIGHT = "oversight"


class Action(StrEnum):
    """The machine reminds and urges; all else it only drafts, for a person to decide (domain.md §4)."""

    REMIND = "remind"
    URGE = "urge"
    REMINDER_LETTER = "reminder_letter"
    INTERVIEW = "interview"
    CONSULTATION = "consultation"
    CIRCULAR = "circular"


class TimerState(StrEnum):
    """`merged`: its time was over before it could say anything of its own (armed late, or caught up in one go)."""

    WAITING = "waiting"
    FIRED = "fired"
    DISARMED = "disarmed"
    MERGED = "merged"


class DraftState(StrEnum):
    """A draft waits until a person approves or declines it."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


class Policy(Row):
    """One version of a zone's policy; a changed policy is a new version; items keep the one they were armed with."""

    code = fields.CharField(max_length=32)
    name = fields.CharField(max_length=64)
    version = fields.IntField()
    steps: list[dict[str, Any]] = fields.JSONField()
    active = fields.BooleanField(default=True)
    made_at = fields.DatetimeField()

    class Meta:
        table = "escalation_policy"
        constraints = [UniqueConstraint(fields=("zone_id", "code", "version"), name="escalation_policy_version_once")]


class Watch(Row):
    """What the timers of one cycle of an item need to know when they fire.

    Nothing of it comes due before `held_until`; `issued_at` is when its receipt was (last) asked for.
    """

    item_id = fields.UUIDField()
    cycle = fields.IntField()
    chain: dict[str, Any] = fields.JSONField()
    summary = fields.CharField(max_length=200)
    urgent = fields.BooleanField(default=False)
    policy_codes: list[str] = fields.JSONField()
    issued_at = fields.DatetimeField()
    due_on = fields.DateField()
    urged_at = fields.DatetimeField(null=True)
    held_until = fields.DatetimeField(null=True)
    held_why = fields.CharField(max_length=500, default="")

    class Meta:
        table = "escalation_watch"
        constraints = [UniqueConstraint(fields=("zone_id", "item_id", "cycle"), name="escalation_watch_once")]


class Timer(Row):
    """One step of a policy on one cycle of an item, once for every deadline that it is counted from (`counted_on`)."""

    watch_id = fields.UUIDField()
    item_id = fields.UUIDField()
    policy_code = fields.CharField(max_length=32)
    policy_version = fields.IntField()
    step = fields.SmallIntField()
    condition = fields.CharEnumField(Condition, max_length=16)
    amount = fields.IntField()
    level = fields.SmallIntField()
    tell: list[str] = fields.JSONField()
    action = fields.CharEnumField(Action, max_length=20)
    counted_on = fields.DateField()
    due_at = fields.DatetimeField(null=True)
    state = fields.CharEnumField(TimerState, max_length=16, default=TimerState.WAITING)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "escalation_timer"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "watch_id", "policy_code", "step", "counted_on"), name="escalation_timer_once"
            )
        ]
        indexes = [
            PartialIndex(fields=("zone_id", "due_at"), name="escalation_timer_due", condition={"state": "waiting"}),
            Index(fields=("zone_id", "item_id"), name="escalation_timer_of_item"),
        ]


class Draft(Row):
    """A letter, talk, consultation or circular that a step proposes: nothing leaves before a person has approved it."""

    item_id = fields.UUIDField()
    cycle = fields.IntField()
    timer_id = fields.UUIDField()
    action = fields.CharEnumField(Action, max_length=20)
    addressee_id = fields.UUIDField()
    level = fields.SmallIntField()
    reason = fields.CharField(max_length=300)
    state = fields.CharEnumField(DraftState, max_length=16, default=DraftState.WAITING)
    drafted_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    decided_by = fields.CharField(max_length=80, null=True)
    decision = fields.CharField(max_length=500, null=True)

    class Meta:
        table = "escalation_draft"
        constraints = [UniqueConstraint(fields=("zone_id", "timer_id", "addressee_id"), name="escalation_draft_once")]
        indexes = [Index(fields=("zone_id", "state", "id"), name="escalation_draft_by_state")]
