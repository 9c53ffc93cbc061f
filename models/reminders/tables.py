"""The table of reminders."""

from enum import StrEnum

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations.constraints import UniqueConstraint

from models.base.database import Row


class ReminderKind(StrEnum):
    """What a reminder asks of its person."""

    TO_RECEIVE = "to_receive"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    RETURNED = "returned"
    REVIEW_WAITING = "review_waiting"
    VISIT_ASSIGNED = "visit_assigned"
    URGE = "urge"
    ESCALATED = "escalated"
    EXTENSION_WAITING = "extension_waiting"
    MEASURE_TO_REPLY = "measure_to_reply"
    ALERT_TO_CHECK = "alert_to_check"
    INFORMED = "informed"


class ReminderState(StrEnum):
    """`expired`: it was acknowledged, the matter did not move, and another reminder has taken its place."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SETTLED = "settled"
    EXPIRED = "expired"


class Reminder(Row):
    """One thing for one person. It is shown as acknowledged or not; whether and when it was read is not recorded."""

    person_id = fields.UUIDField()
    kind = fields.CharEnumField(ReminderKind, max_length=20)
    subject_type = fields.CharField(max_length=32)
    subject_id = fields.UUIDField()
    summary = fields.CharField(max_length=300)
    due_on = fields.DateField(null=True)
    urgent = fields.BooleanField(default=False)
    escalation = fields.BooleanField(default=False)
    key = fields.CharField(max_length=140)
    alerts = fields.SmallIntField(default=1)
    state = fields.CharEnumField(ReminderState, max_length=16, default=ReminderState.OPEN)
    made_at = fields.DatetimeField()
    acknowledged_at = fields.DatetimeField(null=True)
    note = fields.CharField(max_length=500, null=True)
    expires_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "reminder"
        constraints = [UniqueConstraint(fields=("zone_id", "key", "alerts"), name="reminder_once")]
        indexes = [
            PartialIndex(fields=("zone_id", "person_id", "id"), name="reminder_inbox", condition={"state": "open"}),
            Index(fields=("zone_id", "subject_id"), name="reminder_of_subject"),
        ]
