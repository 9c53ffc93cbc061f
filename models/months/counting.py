"""Counting a month, by what is known now: all figures of all units in one statement."""

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from models.base import clock, database
from models.base.calendar import Calendar, calendar_of
from models.months.tables import FIGURES

RECEIPT_DAYS = 1
"""Working days after the day of issue in which a receipt is in time."""

Counted = dict[tuple[date, UUID], dict[str, int]]
"""Figures by month and unit."""

COUNT = """
with day as (select * from unnest($4::date[], $5::date[]) as t(on_day, in_time)),
mine as (
  select c.item_id, c.number, c.opening, c.opened_at, c.received_at, c.requested_at, c.due_on, c.closed_at,
    c.first_pass, i.unit_id
  from cycle c join item i on i.zone_id = $1 and i.id = c.item_id
  where c.zone_id = $1 and c.opened_at < $3 and (c.closed_at is null or c.closed_at >= $2)
), fact as (
  select unit_id, opened_at as moment, 'opened' as figure from mine
  union all select unit_id, opened_at, 'sent_back' from mine where opening = 'sent_back'
  union all select unit_id, opened_at, 'relapses' from mine where opening = 'relapse'
  union all select unit_id, received_at, 'received' from mine
  union all select unit_id, received_at, 'received_in_time' from mine
    join day on on_day = (opened_at at time zone 'Asia/Shanghai')::date
    where (received_at at time zone 'Asia/Shanghai')::date <= in_time
  union all select unit_id, closed_at, 'closed' from mine
  union all select unit_id, closed_at, 'closed_in_time' from mine
    where (requested_at at time zone 'Asia/Shanghai')::date <= due_on
  union all select unit_id, closed_at, 'first_pass' from mine where first_pass
  union all select was.unit_id, was.closed_at, 'relapsed' from mine was
    join cycle again on again.zone_id = $1 and again.item_id = was.item_id and again.number = was.number + 1
      and again.opening = 'relapse'
  union all select i.unit_id, r.received_at, 'looked_back' from visit_record r
    join visit v on v.zone_id = $1 and v.id = r.visit_id join item i on i.zone_id = $1 and i.id = v.item_id
    where r.zone_id = $1 and r.corrects is null
)
select date_trunc('month', moment at time zone 'Asia/Shanghai')::date as month, unit_id, figure, count(*)::int as n
from fact where moment >= $2 and moment < $3 group by 1, 2, 3
"""


async def count(zone_id: UUID, since: date, until: date) -> Counted:
    """What the months from the one of `since` to before the one of `until` count, by what is known now."""
    begins, ends = first_of(since), first_of(until)
    days, in_time = _receipt_days(await calendar_of(zone_id), begins, ends)
    rows = await database.fetch(COUNT, zone_id, clock.at(begins), clock.at(ends), days, in_time)
    counted: Counted = {}
    for row in rows:
        counted.setdefault((row["month"], row["unit_id"]), dict.fromkeys(FIGURES, 0))[row["figure"]] = row["n"]
    return counted


def _receipt_days(calendar: Calendar, begins: date, ends: date) -> tuple[list[date], list[date]]:
    """Days of issue, and until which day a receipt is in time; those a month before the first may be received in it."""
    first = begins - timedelta(days=31)
    days = [first + timedelta(days=number) for number in range((ends - first).days)]
    return days, [calendar.add_working_days(day, RECEIPT_DAYS) for day in days]


def first_of(day: date) -> date:
    """The month of a day, by its first day."""
    return day.replace(day=1)


def after(month: date) -> date:
    """The first day of the next month."""
    return first_of(month + timedelta(days=31))


def months_between(begins: date, ends: date) -> Iterable[date]:
    """The months from `begins` to before `ends`, both first days."""
    while begins < ends:
        yield begins
        begins = after(begins)
