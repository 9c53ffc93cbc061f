"""Answers kept for a repeat of the same write: kept in the write's own transaction, so neither is without the other."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tortoise import fields
from tortoise.exceptions import IntegrityError
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint

from models.base import clock, database
from models.base.database import Row
from models.base.errors import Conflict
from models.base.scope import Scope

KEPT_FOR = timedelta(days=7)
"""Longer than a phone's offline queue is expected to wait for a network."""


class KeptAnswer(Row):
    """One answered write of one caller. `digest` is SHA-256 over method, path and body."""

    caller = fields.CharField(max_length=80)
    key = fields.UUIDField()
    digest = fields.BinaryField()
    status = fields.SmallIntField()
    body = fields.TextField()
    kept_at = fields.DatetimeField()

    class Meta:
        table = "kept_answer"
        constraints = [UniqueConstraint(fields=("zone_id", "caller", "key"), name="kept_answer_once")]
        indexes = [Index(fields=("zone_id", "kept_at"), name="kept_answer_by_age")]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer given before."""

    status: int
    body: str


async def begin(by: Scope, key: UUID, digest: bytes) -> Answer | None:
    """Within a transaction: the kept answer, or None and the right to work under `key` until the transaction ends.

    Raises Conflict.
    """
    # One statement: its snapshot may be older than the lock, so a row committed in between is missed here; then `keep`
    # meets the unique constraint and the whole second attempt is undone.
    (found,) = await database.fetch(
        "select pg_try_advisory_xact_lock(hashtextextended($1 || $2::text, 0)) as mine, k.digest, k.status, k.body"
        " from (select 1) one left join kept_answer k on k.zone_id = $3 and k.caller = $1 and k.key = $2",
        by.actor,
        key,
        by.zone_id,
    )
    if found["status"] is None:
        if not found["mine"]:
            raise _in_progress()
        return None
    if found["digest"] != digest:
        raise Conflict("idempotency_key_reused", "这个 Idempotency-Key 已用于另一次提交。请换一个新的再提交。")
    return Answer(found["status"], found["body"])


async def keep(by: Scope, key: UUID, digest: bytes, status: int, body: str) -> None:
    """Keep the answer with the running transaction. Raises Conflict if the same request was answered meanwhile."""
    try:
        await KeptAnswer.create(
            zone_id=by.zone_id,
            caller=by.actor,
            key=key,
            digest=digest,
            status=status,
            body=body,
            kept_at=clock.now(),
        )
    except IntegrityError:
        raise _in_progress() from None


def _in_progress() -> Conflict:
    return Conflict("in_progress", "同一次提交正在处理。请稍后用同一个 Idempotency-Key 再取结果。", retry_after=1)
