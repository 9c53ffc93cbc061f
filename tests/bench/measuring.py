"""What is measured, and in which order: everybody in turn within a round, so that a slow minute slows all alike."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from deploy import local
from models.base import audit, database
from tests.bench.figures import Figure, Figures, Goal
from tests.bench.load import Outcome, Run
from tests.bench.pgbench import transactions
from tests.bench.roster import write_roster
from tests.bench.serving import CHECKOUT, BenchError, Server
from tests.bench.statements import FOUR_STATEMENTS, ONE_STATEMENT
from tests.bench.zones import BenchZone, migrated

SHARES = {"ours": 0.28, "limit": 0.15, "peer": 0.05, "one": 0.26, "four": 0.26}
"""Of the open reminders, in one round: whoever is faster needs more of them."""
SMALL = {"people": 100, "reminders": 10_000}
FLAT = 1.2
P99 = Goal(most=50)
Told = Callable[[str], None]


@dataclass
class Bench:
    """What the measurements share; `told` is called with a line before each step."""

    services: local.Services
    zone: BenchZone
    figures: Figures
    told: Told
    rounds: int
    seconds: float
    connections: int = 64
    warm: float = 1.0
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)

    def run(self, server: Server, ask: str, numbers: tuple[int, int], **options: Any) -> Run:
        """One run as this bench does them."""
        usual = {"connections": self.connections, "warm": self.warm, "seconds": self.seconds}
        size = self.sizes[server.name, ask]
        return Run(server.port, ask, numbers, str(server.tokens), size, **{**usual, **options})


async def measure_reads(bench: Bench, servers: Mapping[str, Server], ask: str, name: str, goal: Goal) -> None:
    """The same read of everybody, after seeing that all answer the same."""
    said = {who: await server.sample(ask, bench.zone.people // 2) for who, server in servers.items()}
    if len({json.dumps(_essence(answer), sort_keys=True) for _, answer in said.values()}) > 1:
        raise BenchError(
            f"{ask}: the answers differ: { {who: str(answer)[:400] for who, (_, answer) in said.items()} }"
        )
    bench.sizes.update({(who, ask): size for who, (size, _) in said.items()})
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for number in range(-1, bench.rounds):
        for who, server in servers.items():
            bench.told(f"{name}: {who}, round {number + 1}")
            outcome = await server.asked(bench.run(server, ask, (0, bench.zone.people)))
            if number >= 0:  # the first opens connections and prepares statements
                outcomes[who].append(outcome)
    bench.figures.add(*_rates(name, outcomes, goal))


def _essence(answer: Any) -> Any:
    """An answer without the ways of writing an instant."""
    if isinstance(answer, dict):
        return {name: _essence(value) for name, value in answer.items() if not name.endswith("_at")}
    return [_essence(value) for value in answer] if isinstance(answer, list) else answer


def _rates(name: str, outcomes: Mapping[str, list[Outcome]], goal: Goal, **others: float) -> list[Figure]:
    def middle(who: str, what: str) -> float | None:
        return median(getattr(outcome, what) for outcome in outcomes[who]) if who in outcomes else None

    def row(what: str, title: str, unit: str, goal: Goal, limit: float | None = None) -> Figure:
        ours = middle("ours", what)
        assert ours is not None
        return Figure(title, ours, unit, limit or middle("limit", what), middle("peer", what), goal)

    return [
        row("rate", name, "/s", goal, others.get("limit")),
        row("p50", f"{name}, p50", "ms", Goal()),
        row("p99", f"{name}, p99", "ms", P99),
    ]


async def measure_acknowledging(bench: Bench, servers: Mapping[str, Server], folder: Path) -> None:
    """The hot write: of the servers, and of PostgreSQL alone by pgbench."""
    scripts = {"one": folder / "one.sql", "four": folder / "four.sql"}
    scripts["one"].write_text(ONE_STATEMENT)
    scripts["four"].write_text(FOUR_STATEMENTS)
    await bench.zone.reopen()
    for who, server in servers.items():
        bench.sizes[who, "acknowledge"], _ = await server.sample(
            "acknowledge", bench.zone.reminders - 1 - len(bench.sizes)
        )
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    rates: dict[str, list[float]] = defaultdict(list)
    for number in range(bench.rounds):
        await bench.zone.reopen()
        first = bench.zone.first_open
        for who, share in SHARES.items():
            bench.told(f"acknowledge: {who}, round {number + 1}")
            numbers = (first, int(bench.zone.fuel * share))
            first += numbers[1]
            if who in servers:
                run = bench.run(servers[who], "acknowledge", numbers, again=False)
                outcomes[who].append(await servers[who].asked(run))
            else:
                rates[who].append(await transactions(bench.zone, scripts[who], numbers, clients=bench.connections))
    _add_acknowledging(bench, outcomes, rates)


def _add_acknowledging(bench: Bench, outcomes: Mapping[str, list[Outcome]], rates: Mapping[str, list[float]]) -> None:
    one, four = (median(rates[script]) for script in ("one", "four"))
    ours = median(outcome.rate for outcome in outcomes["ours"])
    bench.figures.add(
        *_rates("acknowledge (limit: pgbench, one statement)", outcomes, Goal(of_limit=0.6, of_peer=5), limit=one),
        Figure("acknowledge (limit: pgbench, four statements)", ours, "/s", limit=four),
        Figure("acknowledge (limit: Sanic, one statement)", ours, "/s", median(o.rate for o in outcomes["limit"])),
    )


async def measure_memory(bench: Bench, servers: Mapping[str, Server], name: str) -> None:
    """Resident memory of each server, after what it has just done."""
    resident = {who: await server.memory() for who, server in servers.items()}
    bench.figures.add(Figure(name, resident["ours"], "MB", resident.get("limit"), resident.get("peer")))


async def measure_flatness(bench: Bench, small: Server, small_zone: BenchZone, large: Server) -> None:
    """One caller's latency where the table is small and where it is large; both of the same few people."""
    middle: dict[tuple[str, str], list[float]] = defaultdict(list)
    pairs = (("small", small, small_zone), ("large", large, bench.zone))
    for number in range(bench.rounds + 1):
        for size, server, zone in pairs:
            for ask in ("inbox", "acknowledge"):
                bench.told(f"flatness: {ask}, {zone.reminders:,} rows, round {number + 1}")
                outcome = await server.asked(_alone(bench, server, zone, ask, number))
                middle[size, ask].append(outcome.p50)
    for ask in ("inbox", "acknowledge"):
        ratio = median(middle["large", ask]) / median(middle["small", ask])
        name = f"{ask}: p50 at {bench.zone.reminders:,} over {small_zone.reminders:,} rows"
        bench.figures.add(Figure(name, ratio, "×", goal=Goal(most=FLAT)))


def _alone(bench: Bench, server: Server, zone: BenchZone, ask: str, number: int) -> Run:
    """One connection asking for the same people, so that only the table's size differs; one reminder each a round."""
    alone = {"connections": 1, "warm": 0.02}
    if ask == "inbox":
        return bench.run(server, ask, (0, SMALL["people"]), seconds=1.5, **alone)
    numbers = (zone.first_open + number * zone.people, SMALL["people"])
    return bench.run(server, ask, numbers, seconds=3.0, again=False, **alone)


async def measure_sealing(bench: Bench) -> None:
    """How fast the sealer binds the rows that the acknowledgements have left."""
    bench.told("sealing")
    await database.connect(bench.zone.url)
    rows, began = 0, perf_counter()
    while perf_counter() - began < 2 * bench.seconds and (sealed := await audit.seal(bench.zone.zone_id)):
        rows += sealed
    seconds = perf_counter() - began
    await database.disconnect()
    bench.figures.add(Figure("audit rows sealed", rows / seconds, "/s"))


async def measure_roster(bench: Bench, people: int, folder: Path) -> None:
    """A roster of `people`, each with an appointment: validated and stored."""
    name = f"roster of {people:,} people"
    bench.told(f"{name}: writing the workbook")
    workbook = folder / "roster.xlsx"
    await asyncio.to_thread(write_roster, workbook, people)
    runs = [await _import(bench, workbook, number) for number in range(min(bench.rounds, 3))]
    bench.figures.add(
        Figure(f"roster of {people:,} people", median(run["seconds"] for run in runs), "s", goal=Goal(most=6)),
        Figure(
            f"roster of {people:,} people, peak memory", max(run["peak"] for run in runs), "MB", goal=Goal(most=300)
        ),
    )


async def _import(bench: Bench, workbook: Path, number: int) -> dict[str, float]:
    bench.told(f"roster, round {number + 1}")
    name = f"bench_roster_{number}"
    url = await migrated(bench.services, name)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.roster", str(workbook)),
        env={**os.environ, "ZHUOLUO_DATABASE_URL": url},
        cwd=CHECKOUT,
        stdout=PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise BenchError("the roster was not taken")
    await local.drop_database(bench.services, name)
    return dict(json.loads(said))
