"""Rows of the log and their canonical form."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from tortoise import fields
from tortoise.indexes import Index

from models.base import clock, database
from models.base.database import Row
from models.base.ids import new_id
from models.base.scope import Scope


class AuditRow(Row):
    """One act: who did what to which thing, when. `data` holds ids, states and reasons' codes, never personal data.

    `tx` is the writing transaction's number, moved on after a restore; with `id` it is the row's place in the log.
    """

    tx = fields.BigIntField()
    at = fields.DatetimeField()
    actor = fields.CharField(max_length=80)
    action = fields.CharField(max_length=64)
    subject_type = fields.CharField(max_length=32)
    subject_id = fields.UUIDField()
    data: dict[str, Any] = fields.JSONField()
    hash = fields.BinaryField()

    class Meta:
        table = "audit"
        indexes = [
            Index(fields=("zone_id", "tx", "id"), name="audit_in_sealing_order"),
            Index(fields=("zone_id", "subject_id", "id"), name="audit_of_one_subject"),
        ]


def row_hash(row: dict[str, Any]) -> bytes:
    """SHA-256 over the canonical form: the fields below as JSON with sorted keys, instants as UTC microseconds.

    `row` maps column names to values as the database gives them; `data` must hold no floats.
    """
    form = {
        "id": str(row["id"]),
        "zone_id": str(row["zone_id"]),
        "at": _microseconds(row["at"]),
        "actor": row["actor"],
        "action": row["action"],
        "subject": f"{row['subject_type']}:{row['subject_id']}",
        "data": row["data"],
    }
    return hashlib.sha256(orjson.dumps(form, option=orjson.OPT_SORT_KEYS)).digest()


def _microseconds(at: datetime) -> int:
    elapsed = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds


def words_hash(*words: str) -> str:
    """SHA-256 (hex) by which the log pins words that it does not hold itself; none can be moved to its neighbour."""
    return hashlib.sha256(orjson.dumps(words)).hexdigest()


async def record(by: Scope, action: str, subject: tuple[str, UUID], **data: Any) -> None:
    """Write that `by` did `action` (`concept.past_verb`) to `subject` (type, id), with the running transaction."""
    row = _row(by, action, subject, data, clock.now())
    await database.execute(
        "insert into audit (id, zone_id, tx, at, actor, action, subject_type, subject_id, data, hash)"
        " values ($1, $2, audit_tx(), $3, $4, $5, $6, $7, $8, $9)",
        [*{**row, "data": database.as_json(data)}.values(), row_hash(row)],
    )


async def record_each(by: Scope, action: str, acts: Sequence[tuple[tuple[str, UUID], dict[str, Any]]]) -> None:
    """`record` for several subjects, each with its own data, in one statement."""
    now = clock.now()
    rows = [_row(by, action, subject, data, now) for subject, data in acts]
    await database.execute(
        "insert into audit (id, zone_id, tx, at, actor, action, subject_type, subject_id, data, hash)"
        " select n.id, $1, audit_tx(), $2, $3, $4, n.subject_type, n.subject_id, n.data::jsonb, n.hash"
        " from unnest($5::uuid[], $6::text[], $7::uuid[], $8::text[], $9::bytea[])"
        " n (id, subject_type, subject_id, data, hash)",
        [
            *(by.zone_id, now, by.actor, action),
            *([row[name] for row in rows] for name in ("id", "subject_type", "subject_id")),
            *([database.as_json(row["data"]) for row in rows], [row_hash(row) for row in rows]),
        ],
    )


def _row(by: Scope, action: str, subject: tuple[str, UUID], data: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "zone_id": by.zone_id,
        "at": at,
        "actor": by.actor,
        "action": action,
        "subject_type": subject[0],
        "subject_id": subject[1],
        "data": data,
    }
