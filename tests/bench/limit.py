"""The limit: the same Sanic with nothing but one asyncpg statement and orjson behind each route.

What a server of this kind can reach at all on this machine. Same tables, same work, same check of the access token; no
validation, no scope read from the database, no rate limit, no metrics.
"""

import argparse
import os
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import orjson
from sanic import HTTPResponse, Request, Sanic

from models.base.audit import row_hash
from models.base.ids import new_id
from tests.bench import tokens
from tests.bench.statements import ACKNOWLEDGE, INBOX

POOL = 16


def create_app(database_url: str, secret: str) -> Sanic:
    """The bare server."""
    app = Sanic("limit", configure_logging=False)
    app.config.MOTD = False
    app.ctx.secret = secret

    @app.before_server_start
    async def connect(app: Sanic) -> None:
        app.ctx.pool = await asyncpg.create_pool(database_url, min_size=POOL, max_size=POOL, reset=_keep_session)

    app.add_route(inbox, "/api/mini/inbox", methods=["GET"])
    app.add_route(acknowledge, "/api/mini/inbox/<reminder_id:uuid>/acknowledge", methods=["POST"])
    return app


async def _keep_session(connection: asyncpg.Connection) -> None:
    """As the product does: there is no session state to reset."""


def _caller(request: Request) -> tuple[UUID, UUID]:
    return tokens.read(request.token, request.app.ctx.secret)


async def inbox(request: Request) -> HTTPResponse:
    """The first open reminders and the counts by kind."""
    limit = int(request.args.get("limit", "20"))
    rows = await request.app.ctx.pool.fetch(INBOX, *_caller(request), limit)
    items = [dict(row) for row in rows]
    counts = orjson.Fragment(items[0]["counts"]) if items else {}
    for item in items:
        del item["counts"]
    next_ = items[-1]["id"] if len(items) == limit else None
    body = orjson.dumps({"items": items, "next": next_, "counts": counts}, default=str)
    return HTTPResponse(body, content_type="application/json")


async def acknowledge(request: Request, reminder_id: UUID) -> HTTPResponse:
    """Lock, change, log, promise, in one statement."""
    zone_id, person_id = _caller(request)
    now, note = datetime.now(UTC), orjson.loads(request.body)["note"]
    audit = {
        "id": new_id(),
        "zone_id": zone_id,
        "at": now,
        "actor": f"person:{person_id}",
        "action": "reminder.acknowledged",
        "subject_type": "reminder",
        "subject_id": reminder_id,
        "data": {"noted": note is not None},
    }
    changed = await request.app.ctx.pool.fetchval(
        ACKNOWLEDGE,
        reminder_id,
        zone_id,
        person_id,
        now,
        note,
        audit["id"],
        audit["actor"],
        orjson.dumps(audit["data"]).decode(),
        row_hash(audit),
        new_id(),
        orjson.dumps({"reminder_id": str(reminder_id)}).decode(),
        f"acknowledged:{reminder_id}",
    )
    body = {"id": reminder_id, "state": "acknowledged", "acknowledged_at": now}
    return HTTPResponse(orjson.dumps(body), 200 if changed else 409, content_type="application/json")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    served = create_app(os.environ["ZHUOLUO_DATABASE_URL"], os.environ["ZHUOLUO_SIGNING_KEY"])
    served.run("127.0.0.1", parser.parse_args().port, single_process=True, access_log=False, motd=False)
