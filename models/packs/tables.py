"""The table of packs: what was asked for, how far it is, where it lies."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations.constraints import UniqueConstraint

from models.base.database import Row


class PackSubject(StrEnum):
    """Whose file a pack is."""

    ITEM = "item"
    CAMPAIGN = "campaign"


class PackState(StrEnum):
    """Where a pack stands; the last four are its ends."""

    WAITING = "waiting"
    BUILDING = "building"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        """As the office reads it."""
        return {
            "waiting": "排队中",
            "building": "制作中",
            "done": "可下载",
            "failed": "未能制作",
            "cancelled": "已取消",
            "expired": "已过期",
        }[self.value]


UNDER_WAY = (PackState.WAITING, PackState.BUILDING)


class Pack(Row):
    """One pack. `unit_path` is the subtree that holds all its items: whoever oversees it may see the pack.

    `files_total` is counted when it is asked for, `files_done` grows while it is built. `lease` is the builder's, until
    `leased_until`; one that is lost is taken up again from the beginning. `size` in bytes, `sha256` of the whole ZIP,
    `manifest_sha256` of its manifest, which the log names too.
    """

    subject_type = fields.CharEnumField(PackSubject, max_length=16)
    subject_id = fields.UUIDField()
    name = fields.CharField(max_length=120)
    unit_path = fields.CharField(max_length=400)
    asked_by = fields.CharField(max_length=80)
    asked_at = fields.DatetimeField()
    state = fields.CharEnumField(PackState, max_length=16, default=PackState.WAITING)
    files_total = fields.IntField()
    files_done = fields.IntField(default=0)
    attempts = fields.IntField(default=0)
    lease = fields.UUIDField(null=True)
    leased_until = fields.DatetimeField(null=True)
    size = fields.BigIntField(null=True)
    sha256 = fields.CharField(max_length=64, null=True)
    manifest_sha256 = fields.CharField(max_length=64, null=True)
    reason = fields.CharField(max_length=200, default="")
    ended_at: Any = fields.DatetimeField(null=True)
    expires_at: Any = fields.DatetimeField(null=True)

    class Meta:
        table = "pack"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "subject_id", "asked_by"),
                name="pack_one_under_way",
                condition="state IN ('waiting', 'building')",
            )
        ]
        indexes = [
            Index(fields=("zone_id", "id"), name="pack_of_zone"),
            PartialIndex(fields=("zone_id", "expires_at"), name="pack_to_expire", condition={"state": "done"}),
        ]
