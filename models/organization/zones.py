"""Zones: creating one, and the settings that it may override."""

import re
from itertools import pairwise
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from models.base import audit, calendar, clock, database, outbox
from models.base.database import atomic
from models.base.errors import Conflict, Fault, Invalid, NotFound
from models.base.scope import Role, Scope
from models.organization.tables import Zone

CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
Colour = Literal["grey", "green", "blue", "yellow", "orange", "red"]
PhoneChannel = Literal["subscribe", "template", "wecom", "sms"]


class ZoneSettings(BaseModel):
    """What a zone may set for itself; a key that it does not set keeps the default here.

    Clock times are `"HH:MM"` in Shanghai, `working_hours` ascending spans, `daily_budget` pushes per person and day,
    `level_colours` what the neutral levels 0–4 are called here: their meanings differ by place (domain.md §4).
    `channels` are the ways to a phone that the zone uses, the first choice first (none: the inbox alone); those that
    the installation has not configured are passed by. `revisit_days`: within how many days another look-back at
    an item is questioned (0: never). A unit whose matters of one kind relapse `pattern_relapses` times within
    `pattern_months` is proposed for a campaign. `filing_number` is the mini-program's (ICP备案号), shown on its
    page 关于.
    """

    model_config = ConfigDict(extra="allow")  # other concepts keep their own keys here (templates)

    quiet_from: str = Field("20:00", pattern=CLOCK)
    quiet_until: str = Field("08:00", pattern=CLOCK)
    daily_budget: int = Field(3, ge=1, le=20)
    working_hours: list[str] = Field(["09:00-12:00", "13:30-17:30"], min_length=1, max_length=4)
    urge_interval_hours: int = Field(24, ge=1, le=240)
    revisit_days: int = Field(90, ge=0, le=730)
    filing_number: str = Field("", max_length=60)
    upload_person_day_mb: int = Field(2_048, ge=50, le=102_400)
    upload_zone_day_mb: int = Field(204_800, ge=50, le=10_240_000)
    upload_person_open_mb: int = Field(1_024, ge=50, le=10_240)
    upload_zone_open_mb: int = Field(51_200, ge=50, le=1_024_000)
    pattern_relapses: int = Field(3, ge=2, le=50)
    pattern_months: int = Field(6, ge=1, le=24)
    level_colours: list[Colour] = Field(["grey", "blue", "yellow", "orange", "red"], min_length=5, max_length=5)
    channels: list[PhoneChannel] = ["subscribe", "template", "wecom", "sms"]

    @field_validator("working_hours")
    @classmethod
    def _ascending(cls, spans: list[str]) -> list[str]:
        edges = [edge for span in spans for edge in span.split("-")]
        times = all(re.match(CLOCK, edge) for edge in edges)
        if not times or len(edges) != 2 * len(spans) or any(a >= b for a, b in pairwise(edges)):
            raise ValueError("工作时段应为“09:00-12:00”的样式，从早到晚，互不重叠")
        return spans

    @field_validator("channels")
    @classmethod
    def _each_once(cls, channels: list[PhoneChannel]) -> list[PhoneChannel]:
        if len(set(channels)) < len(channels):
            raise ValueError("同一渠道只能列一次")
        return channels


@atomic()
async def create_zone(code: str, name: str) -> Zone:
    """A new tenant with the shipped holiday notices. Raises Conflict."""
    if await Zone.exists(code=code):
        raise Conflict("zone_exists", f"编码为 {code} 的开发区已经存在。")
    zone = await Zone.create(code=code, name=name, created_at=clock.now())
    await calendar.seed_notices(zone.id)
    await audit.record(Scope.system(zone.id), "zone.created", ("zone", zone.id), code=code)
    return zone


async def zone_of(zone_id: UUID) -> Zone:
    """Raises NotFound."""
    zone = await Zone.get_or_none(id=zone_id)
    if zone is None:
        raise NotFound()
    return zone


async def zone_ids() -> list[UUID]:
    """Every zone, oldest first; for what the product does by itself in each."""
    return [row["id"] for row in await database.fetch("select id from zone order by created_at, id")]


async def settings_of(zone_id: UUID) -> ZoneSettings:
    """The zone's settings, defaults filled in. Raises NotFound."""
    rows = await database.fetch("select settings from zone where id = $1", zone_id)
    if not rows:
        raise NotFound()
    return ZoneSettings.model_validate_json(rows[0]["settings"])


@atomic()
async def change_settings(*, by: Scope, changes: dict[str, Any]) -> ZoneSettings:
    """Override some settings; a null takes the default again. Other working hours count timers anew.

    Raises Forbidden, Invalid.
    """
    by.require(Role.ADMIN)
    zone = await Zone.filter(id=by.zone_id).select_for_update().first()
    if zone is None:
        raise NotFound()
    wanted = {key: value for key, value in {**zone.settings, **changes}.items() if value is not None}
    try:
        settings = ZoneSettings.model_validate(wanted)
    except ValidationError as wrong:
        raise Invalid("bad_settings", "设置有误，没有保存。", faults=_faults(wrong)) from wrong
    zone.settings = wanted
    await zone.save(update_fields=["settings"])
    if "working_hours" in changes:
        await outbox.promise(zone.id, calendar.CHANGED)
    await audit.record(by, "zone.settings_changed", ("zone", zone.id), keys=sorted(changes))
    return settings


def _faults(wrong: ValidationError) -> tuple[Fault, ...]:
    return tuple(
        Fault("/" + "/".join(map(str, error["loc"])), error["type"], error["msg"].removeprefix("Value error, "))
        for error in wrong.errors()
    )
