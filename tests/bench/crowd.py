"""A crowd for the fan-out: phones at the mock platform, the same people bound in a zone of a database of its own."""

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg

from deploy import local
from models import organization
from models.base import clock, database
from tests.bench.senders import SUBSCRIBE
from tests.bench.zones import migrated

TEMPLATE = "ZL_BENCH"
AT_A_TIME = 5_000
ALWAYS = 3
"""The platform's kind of a long-term subscription: a run spends no consent at the platform, only in our own ledger."""

PEOPLE = """
with made as (
  select gen_random_uuid() as id, n, openid from unnest($2::text[]) with ordinality as t(openid, n)
), people as (
  insert into person (id, zone_id, staff_no, name, active)
  select id, $1, 'S' || n, '王静' || n, true from made
), bindings as (
  insert into binding (id, zone_id, person_id, openid, bound_at)
  select gen_random_uuid(), $1, id, openid, $4 from made
)
insert into consent (id, zone_id, openid, template, remaining) select gen_random_uuid(), $1, openid, $3, 1 from made
"""
OWE = """
insert into delivery
  (id, zone_id, person_id, reminder_id, key, urgent, escalation, state, attempts, not_before, made_at)
select gen_random_uuid(), $1, b.person_id, gen_random_uuid(), 'bench:' || b.person_id, true, false, 'queued', 0, $2, $2
from binding b where b.zone_id = $1
  and not exists (select from delivery d where d.zone_id = $1 and d.key = 'bench:' || b.person_id)
order by b.id limit $3
"""


@dataclass(frozen=True)
class Crowd:
    """People who each have a phone and one consent, and the platform that they are known to."""

    url: str
    origin: str
    zone_id: Any
    openids: list[str]

    @property
    def people(self) -> int:
        """How many they are."""
        return len(self.openids)

    async def calm(self) -> None:
        """As if nobody had ever been told anything."""
        connection = await asyncpg.connect(self.url)
        await connection.execute("truncate delivery")
        await connection.execute("update consent set remaining = 1 where remaining <> 1")
        await connection.execute("vacuum analyze consent")
        await connection.execute("vacuum analyze delivery")
        await connection.close()

    async def owe(self, people: int) -> None:
        """So many more of them are owed a message, due now: one transaction."""
        connection = await asyncpg.connect(self.url)
        await connection.execute(OWE, self.zone_id, clock.now(), people)
        await connection.close()

    async def sent(self) -> int:
        """How many messages have reached the platform, ever."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.origin}/_control/stats") as answer:
            return int((await answer.json())["calls"].get(SUBSCRIBE, 0))


async def gather_crowd(services: local.Services, origin: str, people: int) -> Crowd:
    """Register the phones, let each subscribe, bind them in database `bench_crowd`."""
    openids = await _phones(origin, people)
    url = await migrated(services, "bench_crowd")
    await database.connect(url)
    zone = await organization.create_zone(code="bench", name="示范开发区")
    await database.disconnect()
    connection = await asyncpg.connect(url)
    await connection.execute(PEOPLE, zone.id, openids, TEMPLATE, clock.now())
    await connection.execute("vacuum analyze")
    await connection.close()
    return Crowd(url, origin, zone.id, openids)


async def _phones(origin: str, people: int) -> list[str]:
    """Their openids."""
    openids: list[str] = []
    async with aiohttp.ClientSession(origin) as session:
        await _ask(session, "/_control/templates", template_id=TEMPLATE, kind=ALWAYS, fields={"thing1": "thing"})
        for first in range(0, people, AT_A_TIME):
            numbers = range(first, min(first + AT_A_TIME, people))
            asked = [{"phone": str(15_000_000_000 + number)} for number in numbers]
            made = await _ask(session, "/_phone/register_many", phones=asked)
            fresh = [phone["openid"] for phone in made["phones"]]
            for part in range(0, len(fresh), 100):
                await asyncio.gather(*(_subscribe(session, openid) for openid in fresh[part : part + 100]))
            openids += fresh
    return openids


async def _subscribe(session: aiohttp.ClientSession, openid: str) -> None:
    await _ask(session, f"/_phone/{openid}/subscribe", template_ids=[TEMPLATE])


async def _ask(session: aiohttp.ClientSession, path: str, **content: Any) -> Any:
    async with session.post(path, json=content) as answer:
        answer.raise_for_status()
        return await answer.json()
