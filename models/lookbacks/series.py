"""Plans that come again: each month or quarter a plan of its own, drawn by itself from terms that oversight set once.

It is drawn in the morning of a working day of the period, by a seed that nobody can choose (docs/adr/0021). A period
whose day passed while nothing ran, or was paused, is not made up for: only the latest one is drawn, once.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field, model_validator
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models import reminders
from models.base import audit, clock
from models.base.calendar import Calendar, calendar_of
from models.base.database import Row, atomic, locked
from models.base.errors import Conflict, Invalid, NotFound, Refused
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.base.stated import Day
from models.lookbacks.draws import freeze, may_freeze
from models.lookbacks.plans import Terms, unsaved
from models.lookbacks.populations import Population
from models.lookbacks.revisiting import rested
from models.lookbacks.tables import LookbackPlan
from models.reminders import ReminderKind

DRAWN_AT = (8, 30)
"""When, in Shanghai: as an office begins its day."""
MOST_OF_ZONE = 500
"""Series that one round looks at, those whose period began first before others."""


class Every(StrEnum):
    """How often a series draws."""

    MONTH = "month"
    QUARTER = "quarter"

    @property
    def months(self) -> int:
        """How many months a period has."""
        return {"month": 1, "quarter": 3}[self.value]


class SeriesState(StrEnum):
    """`ended` is for good: by a person, or because its last day has passed."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class LookbackSeries(Row):
    """A plan that comes again: `terms` are a plan's, each period makes a plan of its own from them.

    It is drawn on the `working_day`-th working day of every period; `next_from` is the first day of the next period
    that has not been drawn. `keeper_id` is told where a draw gives nothing.
    """

    name = fields.CharField(max_length=100)
    terms: dict[str, Any] = fields.JSONField()
    unit_path = fields.CharField(max_length=400)
    every = fields.CharEnumField(Every, max_length=8)
    working_day = fields.SmallIntField()
    next_from = fields.DateField()
    until_on = fields.DateField(null=True)
    state = fields.CharEnumField(SeriesState, max_length=8, default=SeriesState.ACTIVE)
    keeper_id = fields.UUIDField(null=True)
    made_by = fields.CharField(max_length=80)
    made_at = fields.DatetimeField()

    class Meta:
        table = "lookback_series"
        constraints = [UniqueConstraint(fields=("zone_id", "name"), name="lookback_series_name_once")]
        indexes = [Index(fields=("zone_id", "state", "next_from"), name="lookback_series_due")]


class SeriesFacts(Terms):
    """What a series says: its name, how it draws, how often, on which working day, until when."""

    name: str = Field(min_length=1, max_length=100, description="名称。", examples=["每月回头看"])
    every: Every = Field(description="每月或每季度。")
    working_day: int = Field(1, ge=1, le=15, description="在每期的第几个工作日抽取。", examples=[3])
    until_on: Day | None = Field(None, description="此日之后不再抽取；不填则不限。", examples=["2027-12-31"])

    @model_validator(mode="after")
    def _rolls(self) -> "SeriesFacts":
        if self.population and (self.population.closed_from or self.population.closed_until):
            raise ValueError("定期抽取请用“抽取前多少天内销号”，不用固定的销号日期。")
        return self


@dataclass(frozen=True)
class Period:
    """A month or a quarter, by its first day."""

    first: date
    every: Every

    @classmethod
    def of(cls, day: date, every: Every) -> "Period":
        """The one that `day` lies in."""
        return cls(date(day.year, day.month - (day.month - 1) % every.months, 1), every)

    def next(self) -> "Period":
        """The one after."""
        months = self.first.year * 12 + self.first.month - 1 + self.every.months
        return Period(date(months // 12, months % 12 + 1, 1), self.every)

    def drawn_on(self, working_day: int, days: Calendar) -> date:
        """Its so many-th working day."""
        return days.add_working_days(self.first - timedelta(days=1), working_day)

    @property
    def label(self) -> str:
        """As the office says it."""
        if self.every is Every.MONTH:
            return f"{self.first.year}年{self.first.month}月"
        return f"{self.first.year}年第{(self.first.month + 2) // 3}季度"


@atomic()
async def begin_series(facts: SeriesFacts, *, by: Scope) -> LookbackSeries:
    """Set up a series; the same again answers the one that exists. Its first period is the first whose day is to come.

    What was visited lately is left out of its draws unless the filter says otherwise: nobody is there to be asked.
    Raises as `plan`, Conflict (`series_name_taken`).
    """
    first = await unsaved(facts, by=by, name=facts.name)
    population = Population.model_validate(first.population)
    if population.closed_from or population.closed_until:
        raise Invalid("dates_stand_still", "这个已保存的范围写有固定的销号日期，不能用于定期抽取。")
    terms = facts.model_dump(mode="json", include={*Terms.model_fields})
    made = LookbackSeries(
        id=new_id(),
        zone_id=by.zone_id,
        name=facts.name,
        terms={**terms, "saved": None, "population": await rested(first)},
        unit_path=first.unit_path,
        every=facts.every,
        working_day=facts.working_day,
        next_from=await _to_come(by.zone_id, facts.every, facts.working_day),
        until_on=facts.until_on,
        keeper_id=by.person_id,
        made_by=by.actor,
        made_at=clock.now(),
    )
    existing = await LookbackSeries.get_or_none(zone_id=by.zone_id, name=facts.name)
    if existing is not None:
        return _same(existing, made)
    await made.save(force_create=True)
    await audit.record(by, "lookback.series_begun", ("lookback_series", made.id), every=made.every.value)
    return made


def _same(existing: LookbackSeries, wanted: LookbackSeries) -> LookbackSeries:
    said = ("terms", "unit_path", "every", "working_day", "until_on", "made_by")
    if any(getattr(existing, name) != getattr(wanted, name) for name in said):
        raise Conflict("series_name_taken", f"已有名为「{existing.name}」的定期抽取，请换一个名称。")
    return existing


async def _to_come(zone_id: UUID, every: Every, working_day: int) -> date:
    """The first day of the first period whose draw is still to come."""
    period, days = Period.of(clock.today(), every), await calendar_of(zone_id)
    return (period.next() if _came(period, working_day, days) else period).first


def _came(period: Period, working_day: int, days: Calendar) -> bool:
    return clock.now() >= clock.at(period.drawn_on(working_day, days), *DRAWN_AT)


async def all_series(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[LookbackSeries]:
    """Newest first, after `after`; those within the caller's oversight."""
    mine = LookbackSeries.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
    return await (mine.filter(id__lt=after) if after else mine).order_by("-id").limit(limit)


def next_day_of(series: LookbackSeries, days: Calendar) -> date | None:
    """On which day it is drawn next, by the calendar as it is known now; None where it is not."""
    day = Period(series.next_from, series.every).drawn_on(series.working_day, days)
    ends = series.state is not SeriesState.ACTIVE or (series.until_on is not None and day > series.until_on)
    return None if ends else day


@atomic()
async def set_series(series_id: UUID, state: SeriesState, *, by: Scope) -> LookbackSeries:
    """Pause it, go on with the next period to come, or end it for good. Raises NotFound, Conflict (`series_ended`)."""
    series = await locked(LookbackSeries.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id), series_id)
    if series.state is state:
        return series
    if series.state is SeriesState.ENDED:
        raise Conflict("series_ended", "这项定期抽取已经结束。如需再抽，请新建。")
    if state is SeriesState.ACTIVE:
        series.next_from = max(series.next_from, await _to_come(by.zone_id, series.every, series.working_day))
    series.state = state
    await series.save(update_fields=["state", "next_from"])
    await audit.record(by, f"lookback.series_{_SAID[state]}", ("lookback_series", series.id))
    return series


_SAID = {SeriesState.ACTIVE: "resumed", SeriesState.PAUSED: "paused", SeriesState.ENDED: "ended"}


async def due_series(zone_id: UUID) -> list[UUID]:
    """Those in whose next period the day of the draw has come."""
    days = await calendar_of(zone_id)
    active = LookbackSeries.filter(zone_id=zone_id, state=SeriesState.ACTIVE, next_from__lte=clock.today())
    found = await active.order_by("next_from").limit(MOST_OF_ZONE)
    return [one.id for one in found if _came(Period(one.next_from, one.every), one.working_day, days)]


@atomic()
async def open_period(zone_id: UUID, series_id: UUID) -> LookbackPlan | None:
    """Make the latest due period's plan and freeze what it is drawn from.

    None where another worker did, where it ended, or while another draw of the zone awaits its seed: that one's visits
    count as load, and what it drew rests. Where a draw gives nothing the plan stays undrawn, for a person to see to;
    the keeper is told.
    """
    if not await may_freeze(zone_id):
        return None
    series = await locked(LookbackSeries.filter(zone_id=zone_id), series_id)
    days = await calendar_of(zone_id)
    period, missed = Period(series.next_from, series.every), 0
    if series.state is not SeriesState.ACTIVE or not _came(period, series.working_day, days):
        return None
    while _came(period.next(), series.working_day, days):
        period, missed = period.next(), missed + 1
    if series.until_on is not None and period.drawn_on(series.working_day, days) > series.until_on:
        await _end(series)
        return None
    made = await _plan_of(series, period)
    series.next_from = period.next().first
    await series.save(update_fields=["next_from"])
    by = Scope.system(zone_id)
    await audit.record(by, "lookback.planned", ("lookback", made.id), series=str(series.id), missed=missed)
    await _freeze(made, series, by)
    return made


async def _end(series: LookbackSeries) -> None:
    series.state = SeriesState.ENDED
    await series.save(update_fields=["state"])
    await audit.record(Scope.system(series.zone_id), "lookback.series_ended", ("lookback_series", series.id))


async def _plan_of(series: LookbackSeries, period: Period) -> LookbackPlan:
    name = f"{series.name}（{period.label}）"
    if await LookbackPlan.exists(zone_id=series.zone_id, name=name):
        name += f"·{series.id.hex[-6:]}"  # a person was first
    kept = {name: value for name, value in series.terms.items() if name != "saved"}
    return await LookbackPlan.create(
        id=new_id(),
        zone_id=series.zone_id,
        name=name,
        unit_path=series.unit_path,
        series_id=series.id,
        period_from=period.first,
        made_by=series.made_by,
        made_at=clock.now(),
        **kept,
    )


async def _freeze(made: LookbackPlan, series: LookbackSeries, by: Scope) -> None:
    try:
        await freeze(made, by=by)
    except Refused as refused:
        await audit.record(by, "lookback.not_drawn", ("lookback", made.id), why=refused.code)
        await _tell_keeper(made, series, refused)


async def _tell_keeper(made: LookbackPlan, series: LookbackSeries, refused: Refused) -> None:
    if series.keeper_id is not None:
        await reminders.remind(
            made.zone_id,
            series.keeper_id,
            ReminderKind.INFORMED,
            subject=("lookback", made.id),
            summary=f"「{made.name}」没有抽取：{refused.detail}",
            key=f"lookback:{made.id}:not_drawn",
        )


async def series_of(series_id: UUID, *, by: Scope) -> LookbackSeries:
    """Raises NotFound outside the caller's oversight."""
    mine = LookbackSeries.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
    found = await mine.get_or_none(id=series_id)
    if found is None:
        raise NotFound()
    return found
