"""What leasing costs: as much as it takes, however much is due, and whether PostgreSQL has counted the table or not."""

from datetime import timedelta

import orjson
import pytest

from models.base import clock, database
from models.base.ids import new_id
from models.deliveries import leasing
from models.organization import Zone

pytestmark = pytest.mark.usefixtures("database")

TAKEN = 20
QUEUE = """
insert into delivery
  (id, zone_id, person_id, reminder_id, key, urgent, escalation, state, attempts, not_before, made_at)
select gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid()::text, true, false, 'queued', 0,
  $3, $3 from generate_series(1, $2::int)
"""


async def pages_read(zone: Zone) -> int:
    now = clock.now()
    gather, at_most = now + leasing.GATHER, now - leasing.GATHER_AT_MOST
    asked = (zone.id, now, False, TAKEN, new_id(), now + leasing.LEASE, gather, at_most, TAKEN * leasing.ROWS_A_PUSH)
    (row,) = await database.fetch(f"explain (analyze, buffers, format json) {leasing.LEASE_DUE}", *asked)
    plan = orjson.loads(row["QUERY PLAN"])[0]["Plan"]
    assert plan["Actual Rows"] == TAKEN
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("counted", [False, True])
async def test_a_lease_costs_what_it_takes_and_not_what_is_due(zone: Zone, counted: bool) -> None:
    read = []
    await database.execute("vacuum analyze delivery")  # there was nothing: that is what PostgreSQL goes by
    for more in (500, 7_500):
        await database.execute(QUEUE, [zone.id, more, clock.now() - timedelta(seconds=5)])
        if counted:
            await database.execute("analyze delivery")
        read.append(await pages_read(zone))
    assert read[1] <= 2 * read[0]
