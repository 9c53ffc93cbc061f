"""What finding due steps costs: as much as is due, however much waits, and whether PostgreSQL has counted it or not."""

from datetime import timedelta

import orjson
import pytest

from models.base import clock, database
from models.escalations import firing
from models.organization import Zone

pytestmark = pytest.mark.usefixtures("database")

DUE = 20
WATCHED = """
with moment as (
  select $3::timestamptz as at
), watch as (
  insert into escalation_watch
    (id, zone_id, item_id, cycle, chain, summary, urgent, policy_codes, issued_at, due_on, held_why)
  select gen_random_uuid(), $1, gen_random_uuid(), 1, '{}', '事项', false, '[]', at, at::date, ''
  from moment, generate_series(1, $2::int) returning id, item_id
)
insert into escalation_timer (id, zone_id, watch_id, item_id, policy_code, policy_version, step, condition, amount,
  level, tell, action, counted_on, due_at, state)
select gen_random_uuid(), $1, id, item_id, 'near_due', 1, 1, 'days_to_due', 3, 1, '["owner"]', 'remind', at::date, at,
  'waiting' from watch, moment
"""


async def pages_read(zone: Zone) -> int:
    sql = f"explain (analyze, buffers, format json) {firing.LOCK_DUE}"
    (row,) = await database.fetch(sql, zone.id, clock.now(), 10 * DUE)
    plan = orjson.loads(row["QUERY PLAN"])[0]["Plan"]
    assert plan["Actual Rows"] == DUE
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("counted", [False, True])
async def test_finding_due_steps_costs_what_is_due_and_not_what_waits(zone: Zone, counted: bool) -> None:
    await database.execute("vacuum analyze escalation_timer")
    await database.execute(WATCHED, [zone.id, DUE, clock.now() - timedelta(minutes=5)])
    read = []
    for more in (200, 10_000):
        await database.execute(WATCHED, [zone.id, more, clock.now() + timedelta(days=30)])
        if counted:
            await database.execute("vacuum analyze escalation_timer")
            await database.execute("vacuum analyze escalation_watch")
        read.append(await pages_read(zone))
    assert read[1] <= 2 * read[0]
