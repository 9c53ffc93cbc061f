"""The tables of the look-backs, and the words their columns may hold."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models.base.database import Row
from models.evidence.tables import Nonce
from models.ledger import ListKind


class Strata(StrEnum):
    """By what a draw is shared out: the items' units, the kinds of these, the list they stand in, their risk."""

    UNIT = "unit"
    KIND = "kind"
    LIST = "list"
    RISK = "risk"


class Verdict(StrEnum):
    """What a visit found (domain.md §7)."""

    EFFECTIVE = "effective"
    MOSTLY_EFFECTIVE = "mostly_effective"
    INEFFECTIVE = "ineffective"
    RELAPSE = "relapse"

    @property
    def label(self) -> str:
        """As the office says it."""
        return {
            "effective": "整改到位",
            "mostly_effective": "基本到位",
            "ineffective": "未到位",
            "relapse": "反弹",
        }[self.value]


class Finding(StrEnum):
    """What was found at one line of the checklist."""

    MET = "met"
    PARTLY = "partly"
    UNMET = "unmet"
    NOT_CHECKED = "not_checked"


class Source(StrEnum):
    """Where a record comes from: the inspector's own phone, or a paper form typed in on the console."""

    PHONE = "phone"
    PAPER = "paper"


class Effect(StrEnum):
    """What a record did to its item: left it closed, filed what remains as a small task, or opened it again.

    `none`: the item had moved on, or a correction left the verdict as it was.
    """

    CONFIRMED = "confirmed"
    FOLLOW_UP = "follow_up"
    SENT_BACK = "sent_back"
    REOPENED = "reopened"
    NONE = "none"


class LookbackPlan(Row):
    """A plan. `population` is a `Population`, `unit_path` the root below which it lies.

    Either `count` items are drawn or `percent` of the population; `inspectors` are person ids, none meaning everybody
    who holds the role; `team` inspect together, where `joint` all of a unit's items in one visit; `visit_days` are
    working days from the draw. `although_visited` says why items are visited again that were visited lately.
    `period_from` is the first day of the period for which `series_id` made it.
    """

    name = fields.CharField(max_length=120)
    population: dict[str, Any] = fields.JSONField()
    unit_path = fields.CharField(max_length=400)
    count = fields.IntField(null=True)
    percent = fields.SmallIntField(null=True)
    strata = fields.CharEnumField(Strata, max_length=8, null=True)
    inspectors: Any = fields.JSONField()
    team = fields.SmallIntField()
    joint = fields.BooleanField(default=False)
    visit_days = fields.SmallIntField()
    although_visited = fields.CharField(max_length=200, default="")
    series_id = fields.UUIDField(null=True)
    period_from = fields.DateField(null=True)
    made_by = fields.CharField(max_length=80)
    made_at = fields.DatetimeField()
    drawn_at = fields.DatetimeField(null=True)

    class Meta:
        table = "lookback_plan"
        constraints = [
            UniqueConstraint(fields=("zone_id", "name"), name="lookback_plan_name_once"),
            UniqueConstraint(fields=("zone_id", "series_id", "period_from"), name="lookback_plan_once_a_period"),
        ]
        indexes = [Index(fields=("zone_id", "id"), name="lookback_plan_of_zone")]


class LookbackDraw(Row):
    """The one draw of a plan: `record` is a `DrawRecord`. It cannot be drawn again until the outcome pleases."""

    plan: fields.ForeignKeyRelation[LookbackPlan] = fields.ForeignKeyField(
        "models.LookbackPlan", on_delete=fields.RESTRICT
    )
    plan_id: Any
    seed = fields.CharField(max_length=64)
    population_hash = fields.CharField(max_length=64)
    population_size = fields.IntField()
    set_aside = fields.IntField()
    record: dict[str, Any] = fields.JSONField()
    drawn_by = fields.CharField(max_length=80)
    drawn_at = fields.DatetimeField()

    class Meta:
        table = "lookback_draw"
        constraints = [UniqueConstraint(fields=("zone_id", "plan_id"), name="lookback_drawn_once")]


class Visit(Row):
    """One drawn item to be visited in the cycle that was closed, by one inspector or two."""

    plan: fields.ForeignKeyRelation[LookbackPlan] = fields.ForeignKeyField(
        "models.LookbackPlan", on_delete=fields.RESTRICT
    )
    plan_id: Any
    item: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField("models.Item", on_delete=fields.RESTRICT)
    item_id: Any
    cycle = fields.IntField()
    unit_path = fields.CharField(max_length=400)
    inspector_id = fields.UUIDField()
    second_inspector_id = fields.UUIDField(null=True)
    due_on = fields.DateField()
    recorded_at = fields.DatetimeField(null=True)

    class Meta:
        table = "visit"
        constraints = [UniqueConstraint(fields=("zone_id", "plan_id", "item_id"), name="visit_once_a_plan")]
        indexes = [
            Index(fields=("zone_id", "inspector_id", "id"), name="visit_of_inspector"),
            Index(fields=("zone_id", "second_inspector_id", "id"), name="visit_of_second_inspector"),
            Index(fields=("zone_id", "item_id"), name="visit_of_item"),
            Index(fields=("zone_id", "recorded_at"), name="visit_recorded_lately"),
        ]

    @property
    def team(self) -> tuple[Any, ...]:
        """Who visits: one person's id or two."""
        return (self.inspector_id, self.second_inspector_id) if self.second_inspector_id else (self.inspector_id,)


class VisitRecord(Row):
    """What was found at a visit; never rewritten (a trigger keeps it). A correction is a record of its own.

    `client_id` and `digest` (SHA-256) tell a replay from another record. `visited_at` is claimed by whoever recorded,
    `received_at` is the server's. `checks`: one `{line, text, finding, note}` for each line of the requirement.
    `latitude`, `longitude` in degrees: one fix, if any was given; no track. `nonce`, `clock_skew`: as of Evidence.
    `written_by` is the inspector whose record it is, `recorded_by` whoever sent it or typed it in. `together`: the
    submission of which it is one of several. `follow_up_item` is the task that was filed for what remains.
    """

    visit: fields.ForeignKeyRelation[Visit] = fields.ForeignKeyField(
        "models.Visit", on_delete=fields.RESTRICT, related_name="records"
    )
    visit_id: Any
    client_id = fields.UUIDField()
    digest = fields.BinaryField()
    verdict = fields.CharEnumField(Verdict, max_length=16)
    seen = fields.TextField()
    interview = fields.TextField(default="")
    follow_up = fields.TextField(default="")
    checks: Any = fields.JSONField()
    latitude = fields.FloatField(null=True)
    longitude = fields.FloatField(null=True)
    coarse = fields.BooleanField(null=True)
    evidence: Any = fields.JSONField()
    visited_at = fields.DatetimeField()
    received_at = fields.DatetimeField()
    recorded_by = fields.CharField(max_length=80)
    written_by = fields.UUIDField()
    together = fields.UUIDField(null=True)
    source = fields.CharEnumField(Source, max_length=8)
    paper = fields.CharField(max_length=200, default="")
    corrects = fields.UUIDField(null=True)
    correction_reason = fields.CharField(max_length=500, default="")
    effect = fields.CharEnumField(Effect, max_length=16)
    nonce: Nonce | None = fields.CharEnumField(Nonce, max_length=8, null=True)  # type: ignore[assignment]
    clock_skew = fields.IntField(null=True)
    follow_up_item = fields.UUIDField(null=True)

    class Meta:
        table = "visit_record"
        constraints = [
            UniqueConstraint(fields=("zone_id", "client_id"), name="visit_record_sent_once"),
            UniqueConstraint(fields=("zone_id", "visit_id"), name="visit_first_record", condition="corrects IS NULL"),
            UniqueConstraint(fields=("zone_id", "corrects"), name="visit_record_corrected_once"),
        ]
        indexes = [
            Index(fields=("zone_id", "visit_id", "id"), name="visit_record_of_visit"),
            Index(fields=("zone_id", "recorded_by", "visited_at"), name="visit_record_beside_others"),
        ]


class Cosignature(Row):
    """The other inspector of the team was there and found the same."""

    record: fields.ForeignKeyRelation[VisitRecord] = fields.ForeignKeyField(
        "models.VisitRecord", on_delete=fields.RESTRICT
    )
    record_id: Any
    person_id = fields.UUIDField()
    signed_at = fields.DatetimeField()

    class Meta:
        table = "visit_cosignature"
        constraints = [UniqueConstraint(fields=("zone_id", "record_id"), name="visit_record_cosigned_once")]


class SiteCode(Row):
    """A printed code at a site of a unit. `scene` is what the code says: 32 hex digits that mean nothing elsewhere."""

    unit: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField("models.Unit", on_delete=fields.RESTRICT)
    unit_id: Any
    unit_path = fields.CharField(max_length=400)
    name = fields.CharField(max_length=60)
    scene = fields.CharField(max_length=32)
    made_by = fields.CharField(max_length=80)
    made_at = fields.DatetimeField()
    drawn_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "site_code"
        constraints = [
            UniqueConstraint(fields=("scene",), name="site_code_scene_once"),
            UniqueConstraint(
                fields=("zone_id", "unit_id", "name"), name="site_code_in_force_once", condition="revoked_at IS NULL"
            ),
        ]
        indexes = [
            Index(fields=("zone_id", "id"), name="site_code_of_zone"),
            Index(fields=("zone_id", "unit_id", "id"), name="site_code_of_unit"),
        ]


class PatternState(StrEnum):
    """Where a proposal stands; oversight decides it once."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"

    @property
    def label(self) -> str:
        """As the office says it."""
        return {"proposed": "待决定", "accepted": "已列入专项", "dismissed": "不列入"}[self.value]


class RelapsePattern(Row):
    """One unit's matters of one kind relapse again and again: a campaign is proposed, and a person decides.

    `items` are the ids of those that relapsed, `relapses` how often they did within `months`. `campaign_id` is the
    campaign that was made of it.
    """

    unit: fields.ForeignKeyRelation[Any] = fields.ForeignKeyField("models.Unit", on_delete=fields.RESTRICT)
    unit_id: Any
    unit_path = fields.CharField(max_length=400)
    list = fields.CharEnumField(ListKind, max_length=16)
    area = fields.CharField(max_length=32)
    items: Any = fields.JSONField()
    relapses = fields.IntField()
    months = fields.SmallIntField()
    first_at = fields.DatetimeField()
    last_at = fields.DatetimeField()
    proposed_at = fields.DatetimeField()
    state = fields.CharEnumField(PatternState, max_length=12, default=PatternState.PROPOSED)
    decided_by = fields.CharField(max_length=80, null=True)
    decided_at = fields.DatetimeField(null=True)
    reason = fields.CharField(max_length=500, default="")
    campaign_id = fields.UUIDField(null=True)

    class Meta:
        table = "relapse_pattern"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "unit_id", "list", "area"),
                name="relapse_pattern_proposed_once",
                condition="state = 'proposed'",
            )
        ]
        indexes = [
            Index(fields=("zone_id", "id"), name="relapse_pattern_of_zone"),
            Index(fields=("zone_id", "unit_id", "list", "area", "decided_at"), name="relapse_pattern_of_kind"),
        ]
