"""What beginning costs: as much as begins, however much is due or was sent, counted by PostgreSQL or not."""

from datetime import timedelta
from uuid import UUID

import orjson
import pytest

from models.base import clock, database
from models.deliveries import beginning
from models.organization import Zone

pytestmark = pytest.mark.usefixtures("database")

BEGUN = 20
DELIVERIES = """
insert into delivery
  (id, zone_id, person_id, reminder_id, key, urgent, escalation, state, attempts, not_before, made_at, begun_at,
   channel)
select gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid()::text, true, false, $4, 0,
  $3, $3, $5, 'subscribe' from generate_series(1, $2::int) returning person_id
"""


async def deliveries(zone: Zone, count: int, state: str) -> list[UUID]:
    """So many, each to somebody else: who they are."""
    ago = clock.now() - timedelta(seconds=5)
    rows = await database.fetch(DELIVERIES, zone.id, count, ago, state, None if state == "queued" else ago)
    return [row["person_id"] for row in rows]


async def pages_read(statement: str, *asked: object) -> int:
    (row,) = await database.fetch(f"explain (analyze, buffers, format json) {statement}", *asked)
    plan = orjson.loads(row["QUERY PLAN"])[0]["Plan"]
    assert plan["Actual Rows"] == BEGUN
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("counted", [False, True])
async def test_finding_who_is_told_costs_what_begins_and_not_what_is_due(zone: Zone, counted: bool) -> None:
    read = []
    await database.execute("vacuum analyze delivery")  # there was nothing: that is what PostgreSQL goes by
    for more in (500, 7_500):
        await deliveries(zone, more, "queued")
        if counted:
            await database.execute("analyze delivery")
        now = clock.now()
        asked = (now + beginning.GATHER, now - beginning.GATHER_AT_MOST, BEGUN * beginning.ROWS_A_PUSH)
        read.append(await pages_read(beginning.DUE, zone.id, now, False, BEGUN, *asked))
    assert read[1] <= 2 * read[0]


@pytest.mark.parametrize("counted", [False, True])
async def test_seeing_who_had_their_messages_costs_what_begins_and_not_what_was_sent(zone: Zone, counted: bool) -> None:
    read = []
    await database.execute("vacuum analyze delivery")
    for more in (500, 7_500):
        people = await deliveries(zone, more, "sent")
        if counted:
            await database.execute("analyze delivery")
        read.append(await pages_read(beginning.SPENT, zone.id, people[:BEGUN], clock.now() - timedelta(days=1)))
    assert read[1] <= 2 * read[0]
