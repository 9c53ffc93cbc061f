"""`zhuoluo doctor`: how the product is, in words, and as an exit status."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import asyncpg
import typer
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table
from tortoise.exceptions import BaseORMException

from deploy.commands.connecting import connected
from gateways import store
from models import deliveries, watchdog
from models.base import audit, clock, database, outbox
from models.base.alarms import Alarm
from models.base.errors import Unavailable
from models.base.settings import Settings
from models.deliveries import Pause
from models.organization import Zone

console = Console()
DAY = timedelta(days=1)
SKEW_SECONDS = 30
PATIENCE_SECONDS = 15
CANNOT_TELL = (OSError, TimeoutError, BaseORMException, asyncpg.PostgresError)


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is well, in words."""

    what: str
    well: bool
    words: str


def doctor() -> None:
    """Say how the product is. Exit status: 0 well, 1 something is wrong, 2 it cannot be told."""
    try:
        findings = asyncio.run(_look())
    except CANNOT_TELL as fault:
        console.print(f"[red]database[/red]: no answer ({type(fault).__name__}). Nothing else can be told.")
        raise typer.Exit(2) from None
    table = Table("", "what", "how it is", show_header=False, box=None)
    for finding in findings:
        table.add_row("[green]✓[/green]" if finding.well else "[red]✗[/red]", finding.what, finding.words)
    console.print(table, soft_wrap=True)
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)


async def _look() -> list[Finding]:
    async with asyncio.timeout(PATIENCE_SECONDS), connected() as settings:
        begun = monotonic()
        (row,) = await database.fetch("select clock_timestamp() as now")
        took = monotonic() - begun
        skew = abs((clock.now() - clock.offset() - row["now"]).total_seconds())
        findings = [
            Finding("database", True, f"answers in {took * 1000:.0f} ms"),
            Finding("clock", skew < SKEW_SECONDS, f"{skew:.0f} s from the database's{_moved()}"),
            await _redis(settings),
            *[finding async for finding in _store(settings)],
        ]
        return findings + [finding async for finding in _state()]


def _moved() -> str:
    return f"; moved by {clock.offset()} for a demo" if clock.offset() else ""


async def _redis(settings: Settings) -> Finding:
    """Not an alarm: without it work starts a second later."""
    redis: Redis = Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=2, socket_connect_timeout=2)
    try:
        await redis.ping()
        return Finding("redis", True, "answers")
    except (RedisError, OSError) as gone:
        return Finding("redis", True, f"no answer ({type(gone).__name__}): nothing is lost, work starts by the sweep")
    finally:
        await redis.aclose()


async def _store(settings: Settings) -> AsyncIterator[Finding]:
    kept = await store.opened(settings)
    try:
        found = await kept.shortcomings()
    except Unavailable:
        yield Finding("object store", False, "does not answer, is full or refuses us: no file is taken")
        return
    yield Finding("object store", not found, "; ".join(found) or "keeps what is there")
    sealed = f"under master key {kept.sealed_with}" if kept.sealed_with else "not sealed: ZHUOLUO_STORE_KEYS is not set"
    yield Finding("sealing", bool(kept.sealed_with) or settings.mode != "production", sealed)
    if days := settings.store.retention_days:
        retained = await kept.retains()
        words = f"originals for {days} days" if retained else "not had: the place has no Object Lock"
        yield Finding("retention", retained, words)


async def _state() -> AsyncIterator[Finding]:
    depth = await outbox.depth()
    late = depth.oldest_seconds > watchdog.LATE.total_seconds()
    owed = f"{depth.due} due, the oldest for {depth.oldest_seconds:.0f} s" if depth.due else "none is due"
    yield Finding("promises", not late, owed)
    zones = await Zone.all().order_by("code")
    for zone in zones:
        yield await _messages(zone)
        unsealed = await audit.unsealed_age(zone.id)
        sealed = unsealed <= watchdog.UNSEALED_SECONDS
        yield Finding(f"audit of {zone.code}", sealed, f"unsealed for {unsealed:.0f} s" if unsealed else "sealed")
        for pause in await Pause.filter(zone_id=zone.id, resumed_at__isnull=True):
            since = f"{clock.local(pause.paused_at):%Y-%m-%d %H:%M}"
            yield Finding(f"{pause.channel.value} in {zone.code}", True, f"paused since {since}: {pause.reason}")
        for kind, found in (await watchdog.find(zone.id)).items():
            for subject, detail in found.items():
                yield Finding(f"{kind.value} in {zone.code}", False, f"{subject}: {detail}")
    async for finding in _alarms(zones):
        yield finding


async def _messages(zone: Zone) -> Finding:
    since = clock.now() - DAY
    counted = await deliveries.outcomes(since, zone.id)
    words = " · ".join(f"{state} {count}" for state, count in counted.items() if count) or "none"
    return Finding(f"messages of {zone.code} in a day", True, words)


async def _alarms(zones: list[Zone]) -> AsyncIterator[Finding]:
    """As raised so far: also what is of no zone, and what is over while no watchdog runs to say so."""
    codes = {zone.id: zone.code for zone in zones}
    open_ = await Alarm.filter(cleared_at__isnull=True).order_by("raised_at").limit(100)
    for alarm in open_:
        where = codes.get(alarm.zone_id, "every zone")
        since = f"{clock.local(alarm.raised_at):%Y-%m-%d %H:%M}"
        yield Finding(f"alarm in {where}", False, f"{alarm.kind.value} {alarm.subject}: {alarm.detail} (since {since})")
    if not open_:
        yield Finding("alarms", True, "none is open")
