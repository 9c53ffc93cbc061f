"""Promises: work that must happen after a transaction, written in that same transaction.

A promise names a declared job and carries ids only. A future `due_at` makes it a timer. Workers claim what is due
(`FOR UPDATE SKIP LOCKED`), run it outside any transaction and keep it; a worker that dies lets its lease run out and
another one takes over. So a job runs at least once, and must re-read the state and do nothing where the promise is no
longer true. Redis only wakes workers earlier; without it a promise waits for the next sweep.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import PartialIndex
from tortoise.migrations.constraints import UniqueConstraint

from models.base import audit, clock, database
from models.base.database import Row, atomic
from models.base.ids import new_id
from models.base.scope import Role, Scope

LEASE = timedelta(seconds=60)
ATTEMPTS_BEFORE_QUARANTINE = 12
JOBS: set[str] = set()


class PromiseState(StrEnum):
    """`quarantined` is a promise that failed too often: it waits for a person, who releases or discards it."""

    WAITING = "waiting"
    KEPT = "kept"
    QUARANTINED = "quarantined"
    DISCARDED = "discarded"


class Promise(Row):
    """One piece of work owed. `next_at` is the earliest moment that anyone may (again) try it."""

    job = fields.CharField(max_length=64)
    payload: dict[str, Any] = fields.JSONField()
    key = fields.CharField(max_length=160, null=True)
    state = fields.CharEnumField(PromiseState, max_length=16, default=PromiseState.WAITING)
    due_at = fields.DatetimeField()
    next_at = fields.DatetimeField()
    lease = fields.UUIDField(null=True)
    attempts = fields.IntField(default=0)
    last_error = fields.CharField(max_length=300, null=True)
    discard_reason = fields.CharField(max_length=300, null=True)
    made_at = fields.DatetimeField()
    kept_at = fields.DatetimeField(null=True)

    class Meta:
        table = "outbox"
        indexes = [
            PartialIndex(fields=("zone_id", "next_at"), name="outbox_due", condition={"state": "waiting"}),
            PartialIndex(fields=("zone_id", "id"), name="outbox_quarantined", condition={"state": "quarantined"}),
        ]
        constraints = [UniqueConstraint(fields=("zone_id", "key"), name="outbox_promised_once")]


def job(name: str) -> str:
    """Declare a job `concept.verb`; every declared job has exactly one handler in `workers/`."""
    JOBS.add(name)
    return name


async def promise(
    zone_id: UUID, job: str, *, due_at: datetime | None = None, key: str | None = None, **payload: str
) -> None:
    """Owe `job(payload)` at `due_at` (default: at once), with the running transaction.

    The same `key` in a zone is promised once, whatever happens later. Raises KeyError for an undeclared job.
    """
    if job not in JOBS:
        raise KeyError(f"job {job!r} is not declared")
    now = clock.now()
    due = due_at or now
    await database.execute(
        "insert into outbox (id, zone_id, job, payload, key, state, due_at, next_at, attempts, made_at)"
        " values ($1, $2, $3, $4, $5, 'waiting', $6, $6, 0, $7) on conflict (zone_id, key) do nothing",
        [new_id(), zone_id, job, database.as_json(payload), key, due, now],
    )


async def claim(limit: int) -> list[Promise]:
    """Lease up to `limit` due promises, oldest first, each zone in its turn.

    Under one lease token, which `keep` and `retry` must show: a worker whose lease ran out can no longer write.
    """
    now = clock.now()
    rows = await database.fetch(
        "with due as ("
        " select p.id from zone z cross join lateral ("
        "  select id, next_at from outbox where zone_id = z.id and state = 'waiting' and next_at <= $1"
        "  order by next_at limit $2 for update skip locked) p order by p.next_at limit $2)"
        " update outbox o set lease = $3, next_at = $4, attempts = attempts + 1 from due where o.id = due.id"
        " returning o.*",
        now,
        limit,
        new_id(),
        now + LEASE,
    )
    return [Promise._init_from_db(**row) for row in rows]


async def keep(promise: Promise) -> bool:
    """The job is done. False if the lease was lost meanwhile (then somebody else answers for it)."""
    changed = await Promise.filter(id=promise.id, lease=promise.lease).update(
        state=PromiseState.KEPT, kept_at=clock.now(), lease=None
    )
    return changed == 1


async def retry(promise: Promise, error: str, at: datetime | None = None) -> None:
    """The job failed: try again at `at`, or after a growing, jittered pause; quarantine it past the bound."""
    spent = promise.attempts >= ATTEMPTS_BEFORE_QUARANTINE and at is None
    pause = timedelta(seconds=min(600, 2**promise.attempts) * random.uniform(0.5, 1.0))
    await Promise.filter(id=promise.id, lease=promise.lease).update(
        state=PromiseState.QUARANTINED if spent else PromiseState.WAITING,
        next_at=at or clock.now() + pause,
        last_error=error[:300],
        lease=None,
    )


@atomic()
async def replay(since: datetime, *, by: Scope) -> int:
    """Make due again what the zone kept since then; how many promises. For a restored database, or a mended handler.

    Jobs re-read the state, so what is still true is done already and nothing is told twice. Raises Forbidden.
    """
    by.require(Role.ADMIN)
    now = clock.now()
    rows = await database.fetch(
        "update outbox set state = 'waiting', next_at = $3, attempts = 0, kept_at = null"
        " where zone_id = $1 and state = 'kept' and kept_at >= $2 returning id",
        by.zone_id,
        since,
        now,
    )
    await audit.record(by, "outbox.replayed", ("zone", by.zone_id), since=since.isoformat(), promises=len(rows))
    return len(rows)


@dataclass(frozen=True, slots=True)
class Depth:
    """Of all zones: promises due and unkept, the oldest one's age in seconds, and how many wait for a person."""

    due: int
    oldest_seconds: float
    quarantined: int


async def depth() -> Depth:
    """For metrics and readiness. Costs what waits, not what was ever promised."""
    (row,) = await database.fetch(
        "select count(*) as due,"
        " coalesce(extract(epoch from $1::timestamptz - min(due_at)), 0)::float8 as oldest_seconds,"
        " (select count(*) from outbox where state = 'quarantined') as quarantined"
        " from outbox where state = 'waiting' and due_at <= $1",
        clock.now(),
    )
    return Depth(**row)
