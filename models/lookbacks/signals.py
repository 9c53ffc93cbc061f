"""What about a visit's record does not fit its surroundings, in a sentence each: to be asked about, never a finding.

Only the places that inspectors gave of their own will are compared, two at a time; there is no track, and a record
without a place has no signal and is as good as any.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.base import clock, database
from models.evidence import Signal, apart, brought_along
from models.lookbacks.tables import Source, VisitRecord

FAR_KM = 5.0
"""GCJ-02 against the photo's WGS-84 shifts up to 1 km, a coarse place another one."""
FASTEST_KMH = 200.0
BESIDE = timedelta(hours=6)
"""In which a zone can be crossed many times over: records further apart in time are not compared."""

NEIGHBOURS = """
with others as (
  select r.latitude, r.longitude, r.visited_at from visit_record r where r.zone_id = $1 and r.recorded_by = $4
    and r.source = 'phone' and r.visit_id <> $2 and r.latitude is not null and r.visited_at between $5 and $6
  order by abs(extract(epoch from r.visited_at - $7::timestamptz)) limit 2
), earlier as (
  select r.latitude, r.longitude, r.visited_at from visit v
  join visit_record r on r.zone_id = $1 and r.visit_id = v.id and r.latitude is not null
  where v.zone_id = $1 and v.item_id = $3 and v.id <> $2 order by r.id desc limit 1
)
select 'photo' as what, t.latitude, t.longitude, null::timestamptz as at from evidence e
  join trace t on t.zone_id = $1 and t.evidence_id = e.id and t.latitude is not null
  where e.zone_id = $1 and e.visit_id = $2
union all select 'earlier', * from earlier
union all select 'other', * from others
"""


async def signals_of(record: VisitRecord, item_id: UUID) -> tuple[Signal, ...]:
    """Of the record of a visit to the item, in one statement at most; none of places where none was given."""
    along = brought_along("记录", record.nonce, record.clock_skew)
    if record.latitude is None or record.longitude is None:
        return tuple(along)
    here = (record.latitude, record.longitude)
    own = record.recorded_by if record.source is Source.PHONE else ""  # who types paper in was at none of the places
    around = (record.visited_at - BESIDE, record.visited_at + BESIDE, record.visited_at)
    values = (record.zone_id, record.visit_id, item_id, own, *around)
    found: dict[str, Signal] = {}
    for row in await database.fetch(NEIGHBOURS, *values):
        distance = apart(here, (row["latitude"], row["longitude"]))
        signal = _signal(row, distance, record.visited_at) if distance > FAR_KM else None
        if signal is not None:
            found.setdefault(signal.code, signal)
    return (*along, *found.values())


def _signal(row: dict[str, Any], distance: float, visited_at: datetime) -> Signal | None:
    far = f"约 {distance:.0f} 公里"
    if row["what"] == "photo":
        return Signal("photo_elsewhere", f"一张照片自带的位置与记录的位置相距{far}，请核对照片是不是这次检查拍的。")
    if row["what"] == "earlier":
        return Signal("site_elsewhere", f"记录的位置与以前检查同一事项时的位置相距{far}，请核对地点。")
    hours = abs((row["at"] - visited_at).total_seconds()) / 3600
    if distance <= FASTEST_KMH * hours:
        return None
    return Signal(
        "too_far_too_soon",
        f"这份记录与另一份记录（{clock.local(row['at']):%Y-%m-%d %H:%M}）相距{far}，只隔 {hours * 60:.0f} 分钟，"
        "请核对填写的时间和地点。",
    )
