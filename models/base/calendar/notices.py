"""The State Council's holiday notices, in versions per zone and year."""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

import chinese_calendar
import orjson
from chinese_calendar import constants
from tortoise import fields
from tortoise.migrations.constraints import UniqueConstraint

from models.base import audit, clock, database, outbox
from models.base.calendar.days import USUAL_HOURS, Calendar
from models.base.database import Row, atomic
from models.base.errors import Fault, Invalid
from models.base.scope import Role, Scope

CHANGED = outbox.job("calendar.changed")  # open deadlines given in working days are counted anew
SEED = f"chinesecalendar {chinese_calendar.__version__}"
SEEDED_YEARS = (2024, 2025, 2026)


class HolidayNotice(Row):
    """One version of one year's notice: `holidays` (all days off) and `workdays` (make-up days), as ISO dates."""

    year = fields.IntField()
    version = fields.IntField()
    source = fields.CharField(max_length=200)
    holidays: list[str] = fields.JSONField()
    workdays: list[str] = fields.JSONField()
    noticed_at = fields.DatetimeField()

    class Meta:
        table = "holiday_notice"
        constraints = [UniqueConstraint(fields=("zone_id", "year", "version"), name="holiday_notice_version_once")]


async def calendar_of(zone_id: UUID) -> Calendar:
    """The zone's calendar: the newest version of every year, and the zone's working hours. One statement."""
    rows = await database.fetch(
        "select distinct on (n.year) n.year, n.holidays, n.workdays, z.settings->'working_hours' as hours"
        " from zone z left join holiday_notice n on n.zone_id = z.id where z.id = $1"
        " order by n.year, n.version desc",
        zone_id,
    )
    holidays, workdays = set[date](), set[date]()
    for row in rows:  # by year: where a notice reaches into a neighbouring year, the later notice knows better
        off, on = _days(row["holidays"]), _days(row["workdays"])
        holidays, workdays = (holidays - on) | off, (workdays - off) | on
    years = frozenset(row["year"] for row in rows if row["year"])
    hours = tuple(orjson.loads(rows[0]["hours"])) if rows and rows[0]["hours"] else USUAL_HOURS
    return Calendar(frozenset(holidays), frozenset(workdays), years, hours)


def _days(listed: str | None) -> set[date]:
    return set(map(date.fromisoformat, orjson.loads(listed or "[]")))


async def notices_of(zone_id: UUID) -> list[HolidayNotice]:
    """Every version of every year, newest first."""
    return await HolidayNotice.filter(zone_id=zone_id).order_by("-year", "-version").limit(200)


async def seed_notices(zone_id: UUID) -> None:
    """The notices that the product ships with, for a new zone."""
    await HolidayNotice.bulk_create(
        HolidayNotice(
            zone_id=zone_id,
            year=year,
            version=1,
            source=SEED,
            holidays=[day.isoformat() for day in sorted(constants.holidays) if day.year == year],
            workdays=[day.isoformat() for day in sorted(constants.workdays) if day.year == year],
            noticed_at=clock.now(),
        )
        for year in SEEDED_YEARS
    )


@atomic()
async def import_notice(
    *, by: Scope, year: int, holidays: Collection[date], workdays: Collection[date], source: str
) -> HolidayNotice:
    """Take `year`'s notice (`source` names the document) as its newest version; open deadlines are counted anew.

    The same content again changes nothing. Raises Forbidden, Invalid.
    """
    by.require(Role.ADMIN)
    _check(year, holidays, workdays)
    await database.fetch("select id from zone where id = $1 for update", by.zone_id)  # one version after the other
    newest = await HolidayNotice.filter(zone_id=by.zone_id, year=year).order_by("-version").first()
    off, on = _iso(holidays), _iso(workdays)
    if newest and (newest.holidays, newest.workdays) == (off, on):
        return newest
    notice = await HolidayNotice.create(
        zone_id=by.zone_id,
        year=year,
        version=newest.version + 1 if newest else 1,
        source=source,
        noticed_at=clock.now(),
        holidays=off,
        workdays=on,
    )
    await audit.record(by, "calendar.changed", ("holiday_notice", notice.id), year=year, version=notice.version)
    await outbox.promise(by.zone_id, CHANGED, key=f"calendar:{year}:{notice.version}", year=str(year))
    return notice


def _iso(days: Collection[date]) -> list[str]:
    return [day.isoformat() for day in sorted(set(days))]


def _check(year: int, holidays: Collection[date], workdays: Collection[date]) -> None:
    faults = [*_wrong(year, "holidays", holidays, set()), *_wrong(year, "workdays", workdays, set(holidays))]
    if not holidays:
        faults.append(Fault("/holidays", "required", "放假日期不能为空。"))
    if faults:
        raise Invalid("bad_notice", f"{year}年放假安排有误，没有保存，请按所列各项更正后再导入。", faults=tuple(faults))


def _wrong(year: int, name: str, days: Collection[Any], taken: set[date]) -> list[Fault]:
    """A notice may reach a little over the year's ends (元旦); a make-up day is no holiday as well."""
    earliest, latest = date(year - 1, 12, 20), date(year + 1, 1, 10)
    faults = []
    for number, day in enumerate(days):
        if not earliest <= day <= latest:
            faults.append(Fault(f"/{name}/{number}", "other_year", f"{day} 不在{year}年内。"))
        elif day in taken:
            faults.append(Fault(f"/{name}/{number}", "both_off_and_on", f"{day} 不能既放假又上班。"))
    return faults
