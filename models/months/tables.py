"""The tables of the months' figures, and what the figures are."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models.base.database import Row

FIGURES: dict[str, tuple[str, str]] = {
    "opened": ("交办", "cycles that began in the month, the first ones and those that a look-back opened"),
    "received": ("签收", "receipts in the month"),
    "received_in_time": ("按时签收", "of these, by the end of the next working day"),
    "closed": ("销号", "cycles closed in the month"),
    "closed_in_time": ("按期办结", "of these, those whose close-out was asked for by the due date"),
    "first_pass": ("一次通过", "of these, those never returned"),
    "relapsed": ("销号后反弹", "of these, those that a look-back found relapsed, whenever it did"),
    "looked_back": ("回头看", "visits recorded in the month"),
    "sent_back": ("回头看退回", "cycles that a look-back in the month opened as unsettled"),
    "relapses": ("回头看反弹", "cycles that a look-back in the month opened as relapsed"),
}
"""Each figure's name in Chinese, and what it counts."""
RATES: dict[str, tuple[str, str, str]] = {
    "received_in_time_rate": ("按时签收率", "received_in_time", "received"),
    "closed_in_time_rate": ("按期办结率", "closed_in_time", "closed"),
    "first_pass_rate": ("一次通过率", "first_pass", "closed"),
    "relapse_rate": ("反弹率", "relapsed", "closed"),
}
"""Of each rate its name in Chinese, and which figure it is of which."""


class MonthFigure(Row):
    """What one unit's figures for one month were when they were frozen. `month` is its first day."""

    month = fields.DateField()
    unit_id = fields.UUIDField()
    unit_path = fields.CharField(max_length=400)
    opened = fields.IntField()
    received = fields.IntField()
    received_in_time = fields.IntField()
    closed = fields.IntField()
    closed_in_time = fields.IntField()
    first_pass = fields.IntField()
    relapsed = fields.IntField()
    looked_back = fields.IntField()
    sent_back = fields.IntField()
    relapses = fields.IntField()
    frozen_at = fields.DatetimeField()

    class Meta:
        table = "month_figure"
        constraints = [UniqueConstraint(fields=("zone_id", "month", "unit_id"), name="month_frozen_once")]
        indexes = [Index(fields=("zone_id", "month", "unit_path"), name="month_figure_of_subtree")]


class MonthRestatement(Row):
    """A figure of a frozen month that a later fact made another one: from `was` to `became`, and why."""

    month = fields.DateField()
    unit_id = fields.UUIDField()
    unit_path = fields.CharField(max_length=400)
    figure = fields.CharField(max_length=24)
    was = fields.IntField()
    became = fields.IntField()
    why = fields.CharField(max_length=500)
    stated_at = fields.DatetimeField()

    class Meta:
        table = "month_restatement"
        indexes = [Index(fields=("zone_id", "month", "unit_id", "id"), name="month_restatement_of_unit")]
