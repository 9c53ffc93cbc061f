"""The tables of deliveries."""

from enum import StrEnum

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint

from models.base.database import Row


class DeliveryState(StrEnum):
    """`queued → sending`, then one outcome (the last five), for good.

    `unknown`: the request left and no answer came; it is never blindly sent again, and only news of it may settle it.
    `merged`: another delivery's message told of it too. `superseded`: the matter was settled before anything was sent.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPERSEDED = "superseded"
    MERGED = "merged"


OUTCOMES = (
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.UNKNOWN,
    DeliveryState.SUPERSEDED,
    DeliveryState.MERGED,
)


class Channel(StrEnum):
    """Ways to a person: the inbox always has the reminder; it is the whole delivery where no other way is open."""

    IN_APP = "in_app"
    SUBSCRIBE = "subscribe"
    TEMPLATE = "template"
    WECOM = "wecom"
    SMS = "sms"


class Delivery(Row):
    """One reminder's way to one phone. Deliveries of a person that are due together leave as one message.

    `lease` fences the worker that sends it; `after` is the delivery that did not arrive and that this one follows on
    the next channel; `carried_by` is the delivery whose message told of this one (merged). `openid` is WeChat's own;
    other channels' addresses (a number, a userid) are not repeated here. `reason` is a code.
    """

    person_id = fields.UUIDField()
    reminder_id = fields.UUIDField()
    key = fields.CharField(max_length=160)
    urgent = fields.BooleanField(default=False)
    escalation = fields.BooleanField(default=False)
    state = fields.CharEnumField(DeliveryState, max_length=16, default=DeliveryState.QUEUED)
    channel = fields.CharEnumField(Channel, max_length=16, null=True)
    openid = fields.CharField(max_length=64, null=True)
    after = fields.UUIDField(null=True)
    carried_by = fields.UUIDField(null=True)
    attempts = fields.SmallIntField(default=0)
    lease = fields.UUIDField(null=True)
    leased_until = fields.DatetimeField(null=True)
    not_before = fields.DatetimeField()
    made_at = fields.DatetimeField()
    begun_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)
    reason = fields.CharField(max_length=32, null=True)
    errcode = fields.IntField(null=True)
    msgid = fields.CharField(max_length=64, null=True)

    class Meta:
        table = "delivery"
        constraints = [UniqueConstraint(fields=("zone_id", "key"), name="delivery_owed_once")]
        indexes = [  # others have conditions that only a migration by hand can say (0003_postgres)
            PartialIndex(fields=("zone_id", "person_id"), name="delivery_queued_to", condition={"state": "queued"}),
            PartialIndex(fields=("zone_id", "person_id"), name="delivery_sending_to", condition={"state": "sending"}),
            Index(fields=("zone_id", "person_id", "begun_at"), name="delivery_burden"),
            PartialIndex(
                fields=("zone_id", "settled_at"), name="delivery_unknown_since", condition={"state": "unknown"}
            ),
            PartialIndex(
                fields=("zone_id", "id"), name="delivery_waits_for_channel", condition={"reason": "channel_paused"}
            ),
        ]


class Consent(Row):
    """How many messages of a template the phone still takes: one for every accept (one-time subscription).

    `accepted` (newest first, at most 20) and `revoked_at` are the platform's times of the accepts and of the last
    refusal: events that come in another order than they happened leave the same count. `credited_at` is our own time.
    """

    openid = fields.CharField(max_length=64)
    template = fields.CharField(max_length=64)
    remaining = fields.IntField(default=0)
    accepted = ArrayField(element_type="timestamptz", null=True)
    revoked_at = fields.DatetimeField(null=True)
    credited_at = fields.DatetimeField(null=True)

    class Meta:
        table = "consent"
        constraints = [
            UniqueConstraint(fields=("zone_id", "openid", "template"), name="consent_of_phone"),
            CheckConstraint(check="remaining >= 0", name="consent_never_below_zero"),
        ]


class Pause(Row):
    """A channel that an admin has stopped for a while; one at a time."""

    channel = fields.CharEnumField(Channel, max_length=16)
    reason = fields.CharField(max_length=200)
    paused_by = fields.CharField(max_length=80)
    paused_at = fields.DatetimeField()
    resumed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "channel_pause"
        constraints = [
            UniqueConstraint(fields=("zone_id", "channel"), name="channel_paused_once", condition="resumed_at IS NULL")
        ]


class Follower(Row):
    """A phone that follows the service account: `unionid` maps it to the mini-program's openid of the same person."""

    openid = fields.CharField(max_length=64)
    unionid = fields.CharField(max_length=64)
    following = fields.BooleanField(default=True)

    class Meta:
        table = "follower"
        constraints = [UniqueConstraint(fields=("zone_id", "openid"), name="follower_once")]
        indexes = [Index(fields=("zone_id", "unionid"), name="follower_by_unionid")]
