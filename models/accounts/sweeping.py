"""Forgetting what signing in no longer needs; the audit log keeps the acts."""

from datetime import timedelta

from models.accounts.idempotency import KEPT_FOR
from models.base import clock, database

ENDED_KEPT = timedelta(days=7)


async def forget_old() -> None:
    """Remove kept answers past their time, and sign-ins, sessions and failures that ended a week ago."""
    now = clock.now()
    ended = now - ENDED_KEPT
    await database.execute(
        "delete from kept_answer k using zone z where k.zone_id = z.id and k.kept_at < $1", [now - KEPT_FOR]
    )
    await database.execute("delete from sign_in where least(ended_at, ends_at) < $1", [ended])
    await database.execute("delete from console_session where seen_at < $1", [ended])
    await database.execute("delete from sign_in_attempt where last_at < $1 and locked_until < $1", [ended])
