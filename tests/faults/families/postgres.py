"""PostgreSQL restarted, its sessions ended, slow to give locks, without room on its disk, or stopped for a while."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import PostgresError
from tortoise.exceptions import BaseORMException

from models.base import database
from tests.faults.arena import until
from tests.faults.families import fault
from tests.faults.stage import GATHERED, LEASE_LAPSED, SENDS, Stage

SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
"""A fast stop, one that leaves recovery to the next start, and a crash."""
END_SESSIONS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
FULL_ABOUT = ("delivery", "outbox", "audit", "reminder", "consent")
NO_ROOM = """
create or replace function no_room() returns trigger language plpgsql as $$
begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$
"""


async def _under_way(stage: Stage, ms: int = 400) -> int:
    """Messages are at the platform, which lets us wait; the number of the last one before them."""
    await stage.arena.fault(SENDS, "latency", ms=ms)
    before = await stage.arena.last()
    await stage.owe_due("owner", "colleague")
    await stage.until_accepted(before)
    return before


@fault
async def restarted(stage: Stage) -> None:
    """Ended in the middle of pushes, started again."""
    await _under_way(stage)
    await stage.arena.end_service("postgres", stage.chance.choice(SIGNALS))
    await stage.arena.start_services()
    await stage.owe_due("owner", "colleague")


@fault
async def sessions_ended(stage: Stage) -> None:
    """`pg_terminate_backend` for every session, again and again."""
    await _under_way(stage)
    for _ in range(stage.chance.randint(2, 4)):
        await database.fetch(END_SESSIONS)
        await stage.owe_due(stage.chance.choice(("owner", "colleague")))
    await database.fetch(END_SESSIONS)


@fault
async def impatient_for_locks(stage: Stage) -> None:
    """Every statement that waits 100 ms for a lock fails, and locks are held for longer."""
    await database.execute("alter role current_user set lock_timeout = '100ms'")
    try:
        await database.fetch(END_SESSIONS)
        await stage.owe_some("owner", "colleague")
        table = stage.chance.choice(("delivery", "outbox", "escalation_timer"))
        async with stage.arena.held(f"lock table {table} in exclusive mode"):
            await stage.arena.move(GATHERED)
            for _ in range(2):
                await stage.arena.blocked()
                await until("the statement gives up", lambda: _nobody_waits(stage))
    finally:
        await database.execute("alter role current_user reset lock_timeout")
        await database.fetch(END_SESSIONS)


async def _nobody_waits(stage: Stage) -> bool:
    return not await stage.arena.waiting()


@asynccontextmanager
async def _no_room_for(table: str) -> AsyncIterator[None]:
    """Every write to the table fails as the server's own do where a file cannot grow (53100, disk_full).

    Where the volume of the write-ahead log is full instead, the server ends itself: `restarted` by SIGKILL.
    """
    await database.execute(NO_ROOM)
    await database.execute(
        f"create trigger no_room before insert or update on {table} for each statement execute function no_room()"
    )
    try:
        yield
    finally:
        await database.execute(f"drop trigger no_room on {table}")


@fault
async def disk_full(stage: Stage) -> None:
    """While messages are under way a table takes nothing more; what is refused then has not happened."""
    before = await _under_way(stage, ms=800)
    async with _no_room_for(stage.chance.choice(FULL_ABOUT)):
        await stage.arena.move(LEASE_LAPSED)
        for part in ("owner", "colleague"):
            try:
                await stage.remind(part)
            except (BaseORMException, PostgresError):
                continue
        await stage.until_answered(before)
        await stage.arena.move(LEASE_LAPSED)


@fault
async def paused(stage: Stage) -> None:
    """The primary gets no time for a minute: leases run out meanwhile."""
    before = await _under_way(stage)
    async with stage.arena.postgres_paused():
        await stage.arena.move(60)
        await stage.until_answered(before)
    await stage.owe_due("owner", "colleague")
