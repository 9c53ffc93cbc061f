"""Alarms: what a person should know about the product's own state, open from when it began until it is over.

Two kinds of source. The watchdog looks at the state again and again, and what it no longer finds is over (`settle`).
A worker meets a refusal that a person must set right, and says how long to expect it (`raise_until`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog
from tortoise import fields
from tortoise.migrations.constraints import UniqueConstraint

from models.base import clock, database
from models.base.database import Row
from models.base.ids import NO_ZONE, new_id
from models.base.scope import Role, Scope

log = structlog.get_logger()


class AlarmKind(StrEnum):
    """What is wrong. `platform_refuses` is of no zone: all zones share the accounts."""

    PROMISES_LATE = "promises_late"
    PROMISE_QUARANTINED = "promise_quarantined"
    TIMERS_LATE = "timers_late"
    DELIVERIES_LATE = "deliveries_late"
    DELIVERY_STUCK = "delivery_stuck"
    UNKNOWN_UNRESOLVED = "unknown_unresolved"
    CONSENTS_AT_ODDS = "consents_at_odds"
    CHANNEL_PAUSED = "channel_paused"
    AUDIT_UNSEALED = "audit_unsealed"
    EVIDENCE_DAMAGED = "evidence_damaged"
    PLATFORM_REFUSES = "platform_refuses"


class Alarm(Row):
    """One thing that is wrong: `kind` and `subject` (a job, a channel, a code, an id) name it, `detail` has figures."""

    kind = fields.CharEnumField(AlarmKind, max_length=32)
    subject = fields.CharField(max_length=80)
    detail = fields.CharField(max_length=300)
    raised_at = fields.DatetimeField()
    holds_until = fields.DatetimeField(null=True)
    cleared_at = fields.DatetimeField(null=True)

    class Meta:
        table = "alarm"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "kind", "subject"), name="alarm_open_once", condition="cleared_at IS NULL"
            )
        ]


RAISE = """
insert into alarm as a (id, zone_id, kind, subject, detail, raised_at, holds_until)
select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
on conflict (zone_id, kind, subject) where cleared_at is null do update
  set detail = excluded.detail, holds_until = greatest(a.holds_until, excluded.holds_until)
returning kind, subject, xmax = 0 as fresh
"""


async def settle(zone_id: UUID, kind: AlarmKind, found: Mapping[str, str]) -> None:
    """`found` (subject → detail) is all that is wrong of this kind: it is raised, what else is open of it is over."""
    await _raise(zone_id, kind, found, None)
    over = Alarm.filter(zone_id=zone_id, kind=kind, cleared_at__isnull=True)
    await (over.exclude(subject__in=list(found)) if found else over).update(cleared_at=clock.now())


async def raise_until(kind: AlarmKind, subject: str, detail: str, until: datetime) -> None:
    """Something of no zone is wrong, and expected to be so until then unless it is met again."""
    await _raise(NO_ZONE, kind, {subject: detail}, until)


async def clear_past() -> None:
    """What was expected to last until some time that is over, and was not met again, is over."""
    now = clock.now()
    await Alarm.filter(zone_id=NO_ZONE, cleared_at__isnull=True, holds_until__lt=now).update(cleared_at=now)


async def open_alarms(*, by: Scope, after: UUID | None = None, limit: int = 50) -> Sequence[Alarm]:
    """What is wrong in the zone, or for all zones alike, newest first, keyset by id. Raises Forbidden."""
    by.require(Role.ADMIN, Role.SECURITY_ADMIN, Role.OVERSIGHT, Role.AUDITOR)
    found = Alarm.filter(zone_id__in=[by.zone_id, NO_ZONE], cleared_at__isnull=True)
    if after:
        found = found.filter(id__lt=after)
    return await found.order_by("-id").limit(limit)


async def count_open() -> dict[AlarmKind, int]:
    """Of all zones together, by kind; a kind of which none is open is 0."""
    rows = await database.fetch("select kind, count(*) as alarms from alarm where cleared_at is null group by kind")
    return dict.fromkeys(AlarmKind, 0) | {AlarmKind(row["kind"]): row["alarms"] for row in rows}


async def _raise(zone_id: UUID, kind: AlarmKind, found: Mapping[str, str], until: datetime | None) -> None:
    if not found:
        return
    count = len(found)
    rows = await database.fetch(
        RAISE,
        [new_id() for _ in found],
        [zone_id] * count,
        [kind.value] * count,
        list(found),
        [detail[:300] for detail in found.values()],
        [clock.now()] * count,
        [until] * count,
    )
    for row in rows:
        if row["fresh"]:
            log.error("alarm.raised", kind=row["kind"], subject=row["subject"])
