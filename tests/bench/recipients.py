"""Whom the fan-out reaches: people with a phone and consents, the same in a database and at the mock platform."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import aiohttp
import asyncpg

from deploy import local
from miniprogram_mock.wechat.process import start
from models import organization
from models.base import clock, database
from tests.bench.senders import TEMPLATE
from tests.bench.serving import BenchError
from tests.bench.zones import BINDING, ID, PERSON, bench_id, migrated

LATENCY_MS = 5
CONSENTS = 1000
A_CALL = 5000
DELIVERY, CONSENT = 20, 21
BOUND = clock.now()

OWE = f"""
insert into delivery
  (id, zone_id, person_id, reminder_id, key, urgent, escalation, state, attempts, not_before, made_at)
select bench_id({DELIVERY}, n), $1, bench_id({PERSON}, n), bench_id({DELIVERY}, n), 'bench:' || n, true, false,
  'queued', 0, clock_timestamp() + n * $3::float8 / $2 * interval '1 second', now() from generate_series(0, $2 - 1) n
"""
"""Urgent, so that it does not matter at which hour the bench runs; all else that may hold a message back is on."""
UNSETTLED = "select exists (select from delivery where state in ('queued', 'sending'))"
WAITED = """
select percentile_cont(array[0.5, 0.99]) within group (order by extract(epoch from settled_at - not_before))
from delivery
"""


@dataclass(frozen=True)
class Recipients:
    """`openids` is a file; person `n` has the `n`-th. `seq` numbers what the platform has accepted."""

    url: str
    zone_id: UUID
    count: int
    openids: Path
    platform: str
    http: aiohttp.ClientSession
    connection: asyncpg.Connection

    async def owe(self, count: int, *, over_seconds: float = 0) -> None:
        """One message to each of the first `count`, due now or spread evenly over so many seconds; one transaction."""
        await self.connection.execute(OWE, self.zone_id, count, over_seconds)

    async def settled(self, count: int) -> tuple[float, float]:
        """Once `count` messages are written as sent, begin anew; seconds from due to sent, p50 and p99.

        Raises BenchError where any ended otherwise.
        """
        while await self.connection.fetchval(UNSETTLED):
            await asyncio.sleep(0.05)
        states = dict(await self.connection.fetch("select state, count(*) from delivery group by state"))
        if states != {"sent": count}:
            raise BenchError(f"of {count} messages: {states}")
        p50, p99 = await self.connection.fetchval(WAITED)
        await self.connection.execute("truncate delivery")
        await self.connection.execute("vacuum consent")
        return p50, p99

    async def accepted(self) -> int:
        """How many messages the platform has accepted so far."""
        return int((await self._asked("GET", "/_control/sent?limit=1"))["total"])

    async def accepted_at(self, seq: int) -> float:
        """When it accepted this one, in seconds since the epoch."""
        (message,) = (await self._asked("GET", f"/_control/sent?limit=1&after={seq - 1}"))["items"]
        return float(message["at"])

    async def _asked(self, method: str, path: str, **body: object) -> dict[str, list[dict[str, object]]]:
        async with self.http.request(method, self.platform + path, json=body or None) as response:
            response.raise_for_status()
            answer: dict[str, list[dict[str, object]]] = await response.json()
            return answer

    async def register(self) -> None:
        """Give everybody a phone at the platform and a binding and consents in the database."""
        openids: list[str] = []
        for first in range(0, self.count, A_CALL):
            numbers = range(first, min(first + A_CALL, self.count))
            wanted = [{"phone": str(13_000_000_000 + n), "accepts": {TEMPLATE: CONSENTS}} for n in numbers]
            answer = await self._asked("POST", "/_phone/register_many", phones=wanted)
            openids += [str(phone["openid"]) for phone in answer["phones"]]
        self.openids.write_text(json.dumps(openids))
        await self._store(openids)

    async def _store(self, openids: list[str]) -> None:
        await self.connection.execute(ID)
        zone, people = self.zone_id, range(self.count)
        tables = {
            "person": (
                ("id", "zone_id", "staff_no", "name", "phone", "active"),
                ((bench_id(PERSON, n), zone, f"S{n}", "王静", str(13_000_000_000 + n), True) for n in people),
            ),
            "binding": (
                ("id", "zone_id", "person_id", "openid", "bound_at"),
                ((bench_id(BINDING, n), zone, bench_id(PERSON, n), openids[n], BOUND) for n in people),
            ),
            "consent": (
                ("id", "zone_id", "openid", "template", "remaining"),
                ((bench_id(CONSENT, n), zone, openids[n], TEMPLATE, CONSENTS) for n in people),
            ),
        }
        for table, (columns, records) in tables.items():
            await self.connection.copy_records_to_table(table, columns=columns, records=records)
        await self.connection.execute("vacuum analyze")


@asynccontextmanager
async def reachable(services: local.Services, count: int, folder: Path) -> AsyncIterator[Recipients]:
    """So many recipients, with the platform that serves them, as long as the block lasts."""
    url = await migrated(services, "bench_fanout")
    await database.connect(url)
    zone = await organization.create_zone(code="fanout", name="示范开发区")
    await database.disconnect()
    connection = await asyncpg.connect(url)
    platform = start(port=0, latency_ms=LATENCY_MS, keep_sent=count + 10, log=folder / "platform.log")
    async with aiohttp.ClientSession() as http:
        try:
            made = Recipients(url, zone.id, count, folder / "openids.json", platform.url, http, connection)
            await made.register()
            yield made
        finally:
            platform.stop()
            await connection.close()
            await local.drop_database(services, "bench_fanout")
