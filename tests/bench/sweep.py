"""The sweeps: 1,000 due among ever more that is not; what they cost must follow what is due.

Each size is a database of its own, and all are asked in turn. What is found is let go of again (rolled back), so that
every round finds the same.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from uuid import UUID

import asyncpg

from deploy import local
from models import deliveries, escalations, organization
from models.base import clock, database
from models.escalations import firing
from tests.bench.figures import Figure, Goal
from tests.bench.measuring import Bench
from tests.bench.zones import ID, PEOPLE, PERSON, migrated, run_script

DUE = 1000
FLAT = 1.9
TIMER, WATCH, MATTER, OWED = 30, 31, 32, 33
LATER = "clock_timestamp() + interval '30 days' + n * interval '1 second'"
PAST = "now() - interval '5 minutes'"
WATCHES = f"""
insert into escalation_watch
  (id, zone_id, item_id, cycle, chain, summary, urgent, policy_codes, issued_at, due_on, held_why)
select bench_id({WATCH}, n), $1, bench_id({MATTER}, n), 1,
  jsonb_build_object('owner', bench_id({PERSON}, n), 'unit_leader', bench_id({PERSON}, (n + 1) % {DUE}),
    'upward', '[]'::jsonb, 'oversight', '[]'::jsonb),
  '完成长河路雨污分流工程款核对', false, '["near_due"]', {PAST}, current_date + 3, ''
from generate_series(0, {DUE} - 1) n
"""
TIMERS = f"""
insert into escalation_timer (id, zone_id, watch_id, item_id, policy_code, policy_version, step, condition, amount,
  level, tell, action, counted_on, due_at, state)
select bench_id({TIMER}, n), $1, bench_id({WATCH}, n), bench_id({MATTER}, n), 'near_due', 1, 1, 'days_to_due', 3,
  1, '["owner"]', 'remind', current_date, case when n < {DUE} then {PAST} else {LATER} end, 'waiting'
from generate_series(0, $2 - 1) n
"""
DELIVERIES = f"""
insert into delivery
  (id, zone_id, person_id, reminder_id, key, urgent, escalation, state, attempts, not_before, made_at)
select bench_id({OWED}, n), $1, bench_id({PERSON}, case when n < {DUE} then n else {DUE} + n % 100000 end),
  bench_id({OWED}, n), 'bench:' || n, true, false, 'queued', 0, case when n < {DUE} then {PAST} else {LATER} end, now()
from generate_series(0, $2 - 1) n
"""
INDEXES = """
select indexname, indexdef from pg_indexes where tablename = $1
  and indexname not in (select conname from pg_constraint where conrelid = $1::regclass)
"""


@dataclass(frozen=True)
class Crowd:
    """A zone in a database of its own where so much is open."""

    name: str
    url: str
    zone_id: UUID
    open: int


async def measure_sweeps(bench: Bench, sizes: tuple[int, ...]) -> None:
    """Every sweep at every size, and how much more the largest costs than the smallest."""
    crowds: list[Crowd] = []
    took: dict[tuple[str, int], list[float]] = defaultdict(list)
    try:
        for size in sizes:
            crowds += [await _load(bench, size)]
        for number in range(-1, bench.rounds):
            for crowd in crowds:
                bench.told(f"sweep among {crowd.open:,}, round {number + 1}")
                for name, milliseconds in (await _sweeps(crowd)).items():
                    if number >= 0:  # the first reads everything into memory
                        took[name, crowd.open].append(milliseconds)
    finally:
        for crowd in crowds:
            await local.drop_database(bench.services, crowd.name)
    for name in SWEEPS:
        middle = {size: median(took[name, size]) for size in sizes}
        bench.figures.add(*(Figure(f"{name} among {size:,}", middle[size], "ms") for size in sizes))
        ratio = middle[sizes[-1]] / middle[sizes[0]]
        bench.figures.add(Figure(f"{name}: largest over smallest", ratio, "×", goal=Goal(most=FLAT)))


async def _load(bench: Bench, size: int) -> Crowd:
    """The rows first and the indexes after: several times faster."""
    bench.told(f"loading {size:,} open timers and deliveries")
    name = f"bench_sweep_{size}"
    crowd = await _zone(name, await migrated(bench.services, name), size)
    connection = await asyncpg.connect(crowd.url)
    try:
        await connection.execute(ID)
        await run_script(connection, PEOPLE, crowd.zone_id, DUE)
        await connection.execute(WATCHES, crowd.zone_id)
        for table, rows in (("escalation_timer", TIMERS), ("delivery", DELIVERIES)):
            indexes = await connection.fetch(INDEXES, table)
            for index in indexes:
                await connection.execute(f"drop index {index['indexname']}")
            await connection.execute(rows, crowd.zone_id, size)
            for index in indexes:
                await connection.execute(index["indexdef"])
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return crowd


async def _zone(name: str, url: str, size: int) -> Crowd:
    await database.connect(url)
    zone = await organization.create_zone(code="sweep", name="示范开发区")
    await database.disconnect()
    return Crowd(name, url, zone.id, size)


async def _find(zone_id: UUID) -> None:
    assert len(await database.fetch(firing.LOCK_DUE, zone_id, clock.now(), DUE)) == DUE


async def _fire(zone_id: UUID) -> None:
    assert len(await escalations.fire(zone_id)) == firing.ITEMS_A_BATCH


async def _begin(zone_id: UUID) -> None:
    assert len(await deliveries.begin(zone_id, "T", DUE)) == DUE


SWEEPS: dict[str, Callable[[UUID], Awaitable[None]]] = {
    f"{DUE:,} due steps found": _find,
    f"{firing.ITEMS_A_BATCH} of {DUE:,} due steps fired": _fire,
    f"{DUE:,} due messages begun": _begin,
}


class _LetGo(Exception):
    """Rolls back."""


async def _sweeps(crowd: Crowd) -> dict[str, float]:
    """Milliseconds of each."""
    await database.connect(crowd.url)
    took = {name: await _timed(sweep, crowd.zone_id) for name, sweep in SWEEPS.items()}
    for table in ("escalation_timer", "escalation_watch", "delivery"):
        await database.execute(f"vacuum {table}")
    await database.disconnect()
    return took


async def _timed(sweep: Callable[[UUID], Awaitable[None]], zone_id: UUID) -> float:
    seconds = 0.0
    try:
        async with database.in_transaction():
            began = perf_counter()
            await sweep(zone_id)
            seconds = perf_counter() - began
            raise _LetGo
    except _LetGo:
        return 1e3 * seconds
