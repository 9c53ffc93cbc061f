"""From the middle of things to their end: the clock goes from one instant at which something is due to the next."""

import asyncio
from datetime import datetime, timedelta
from time import monotonic

from models import organization
from models.base import clock, database
from models.base.calendar import calendar_of
from tests.faults.arena import POLL_SECONDS
from tests.faults.stage import Stage

LAND_SECONDS = 90.0
UNDER_WAY = """
with due as (
  select case when state = 'queued' then not_before else leased_until end as due_at,
    state = 'queued' and not urgent as rings
  from delivery where zone_id = $1 and state in ('queued', 'sending')
  union all select next_at, false from outbox where zone_id = $1 and state = 'waiting' and due_at <= $3
  union all select next_at, false from callback where state = 'waiting'
  union all select due_at, false from escalation_timer where zone_id = $1 and state = 'waiting' and due_at <= $2
)
select min(due_at) filter (where not rings) as due_at, min(due_at) filter (where rings) as rings_at from due
"""


async def land(stage: Stage) -> None:
    """Let all that is under way end. Timers of later days wait.

    After so many real seconds it is given up: the checks then name what did not end.
    """
    deadline = monotonic() + LAND_SECONDS
    while (due_at := await _next_due(stage)) and monotonic() < deadline:
        ahead = (due_at - clock.now()).total_seconds()
        if ahead > 0:
            await stage.arena.move(ahead + 0.5)
        await asyncio.sleep(POLL_SECONDS * 2)


async def _next_due(stage: Stage) -> datetime | None:
    """When the next thing under way can go on (now or in the past: workers are at it); None where all has ended."""
    now = clock.now()
    (row,) = await database.fetch(UNDER_WAY, stage.zone.id, now, now + timedelta(minutes=2))
    rings_at = await _when_phones_may_ring(stage, max(row["rings_at"], now)) if row["rings_at"] else None
    return min(filter(None, (row["due_at"], rings_at)), default=None)


async def _when_phones_may_ring(stage: Stage, at: datetime) -> datetime:
    settings, days = await organization.settings_of(stage.zone.id), await calendar_of(stage.zone.id)
    return days.next_loud(at, settings.quiet_from, settings.quiet_until)
