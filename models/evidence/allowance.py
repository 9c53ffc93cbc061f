"""How much may be sent: bytes a day and bytes begun and not finished, of a person and of their whole zone.

The bounds are the zone's own settings, far above honest work: they keep a broken phone, or a stolen one, from filling
the store.
"""

import math
from datetime import date, datetime, timedelta
from uuid import UUID

from models.base import clock, database
from models.base.errors import TooMany
from models.base.ids import NO_ZONE, new_id
from models.base.scope import Scope
from models.evidence.contents import MEGABYTE
from models.evidence.tables import UploadDay
from models.ledger.people import who
from models.organization import ZoneSettings

DAYS_KEPT = timedelta(days=2)
KEPT, INSTEAD = "这一份没有保存，手机上的还在。", "；也可以改交文字说明或纸质材料编号。"
SPENT = """
with spent as (
  insert into upload_day (id, zone_id, person_id, day, bytes) values ($1, $2, $3, $4, $5), ($6, $2, $7, $4, $5)
  on conflict (zone_id, day, person_id) do update set bytes = upload_day.bytes + excluded.bytes
  returning person_id, bytes)
select z.settings, a.bytes as zone, m.bytes as person from zone z, spent a, spent m
where z.id = $2 and a.person_id = $3 and m.person_id = $7
"""
"""The zone's row before the person's, for everybody alike: whoever asks next waits, and nobody waits for two."""
UNSPENT = "update upload_day set bytes = bytes - $1 where zone_id = $2 and day = $3 and person_id in ($4, $5)"
OPEN = """
select coalesce(sum(length), 0)::bigint as zone, coalesce(sum(length) filter (where submitted_by = $2), 0)::bigint as
  person, min(ends_at) as zone_frees, min(ends_at) filter (where submitted_by = $2) as person_frees
from upload where zone_id = $1 and evidence_id is null and ends_at > $3
"""


async def spend(size: int, *, by: Scope) -> None:
    """Count `size` bytes to the day of the caller and of the zone. Raises TooMany; then they are not counted."""
    person = who(by)
    if person is None:
        return
    try:
        await _spend_day(by.zone_id, person, size)
    except TooMany:
        await database.execute(UNSPENT, [size, by.zone_id, clock.today(), NO_ZONE, person])
        raise


async def open_up(zone_id: UUID, person_id: UUID, size: int) -> None:
    """`spend`, for a file whose upload has begun: it takes room until it is finished, too.

    Within the transaction that began it, which a refusal ends. Raises TooMany.
    """
    settings = await _spend_day(zone_id, person_id, size)
    now = clock.now()
    (open_,) = await database.fetch(OPEN, zone_id, person_id, now)
    _refuse_open("您", open_["person"], settings.upload_person_open_mb, open_["person_frees"] or now)
    _refuse_open("本区", open_["zone"], settings.upload_zone_open_mb, open_["zone_frees"] or now)


async def _spend_day(zone_id: UUID, person_id: UUID, size: int) -> ZoneSettings:
    """The zone's settings, read on the way. Raises TooMany."""
    ids = (new_id(), zone_id, NO_ZONE, clock.today(), size, new_id(), person_id)
    (spent,) = await database.fetch(SPENT, *ids)
    settings = ZoneSettings.model_validate_json(spent["settings"])
    _refuse_day("您", spent["person"], settings.upload_person_day_mb)
    _refuse_day("本区", spent["zone"], settings.upload_zone_day_mb)
    return settings


def _refuse_day(whose: str, spent: int, most: int) -> None:
    if spent > most * MEGABYTE:
        frees = clock.at(clock.today() + timedelta(days=1))
        detail = f"{whose}今天上传的文件已达到 {most} MB 的上限，{KEPT}{_clock(frees)}起可以再传{INSTEAD}"
        raise TooMany("upload_day_spent", detail, retry_after=_seconds_to(frees))


def _refuse_open(whose: str, used: int, most: int, frees: datetime) -> None:
    if used > most * MEGABYTE:
        detail = (
            f"{whose}还没有传完的文件已达到 {most} MB 的上限，{KEPT}先传完已开始的，或{_clock(frees)}起再传{INSTEAD}"
        )
        raise TooMany("uploads_open", detail, retry_after=_seconds_to(frees))


def _clock(instant: datetime) -> str:
    local = clock.local(instant)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def _seconds_to(instant: datetime) -> int:
    return max(1, math.ceil((instant - clock.now()).total_seconds()))


async def forget_days(zone_id: UUID) -> None:
    """Remove the counts of days that are over."""
    before: date = clock.today() - DAYS_KEPT
    await UploadDay.filter(zone_id=zone_id, day__lt=before).delete()
