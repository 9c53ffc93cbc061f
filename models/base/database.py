"""PostgreSQL, the only source of truth: connecting, and the few things said to it in SQL.

A rule that writes is decorated with `@atomic()` and opens no other transaction; no network and no task inside one.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import UUID

import orjson
from tortoise import Tortoise, fields
from tortoise.connection import get_connection
from tortoise.models import Model
from tortoise.queryset import QuerySet
from tortoise.transactions import atomic, in_transaction

import models
from models.base.errors import NotFound
from models.base.ids import new_id

__all__ = [
    "Row",
    "as_json",
    "atomic",
    "columns",
    "config",
    "connect",
    "disconnect",
    "execute",
    "fetch",
    "in_transaction",
    "locked",
]


class Row(Model):
    """A row of one zone. Nothing crosses a zone, and every hot index begins with it."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    zone_id = fields.UUIDField()

    class Meta:
        abstract = True


AnyRow = TypeVar("AnyRow", bound=Row)


async def _keep_session(connection: Any) -> None:
    """Nothing to reset between uses: no session state is ever set (asyncpg's default costs a fifth of a read)."""


def config(url: str, *, pool: int = 10) -> dict[str, Any]:
    """Tortoise's configuration for `postgres://user:password@host:port/name`."""
    parts = urlsplit(url)
    credentials = {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": parts.path.lstrip("/"),
        "minsize": min(2, pool),
        "maxsize": pool,
        "reset": _keep_session,
    }
    return {
        "connections": {"default": {"engine": "models.base.pool", "credentials": credentials}},
        "apps": {"models": {"models": list(models.MODULES), "migrations": "models.migrations"}},
        "use_tz": True,
        "timezone": "UTC",
    }


async def connect(url: str, *, pool: int = 10) -> None:
    """Open the process's one pool. Raises tortoise.exceptions.DBConnectionError."""
    await Tortoise.init(config=config(url, pool=pool), _enable_global_fallback=True)


async def disconnect() -> None:
    """Close the pool."""
    await Tortoise.close_connections()


def columns(row: Row) -> dict[str, Any]:
    """What a row's columns hold; as JSON, what PostgreSQL's json_populate_record makes the same row of."""
    return {name: getattr(row, name) for name in row._meta.db_fields}


def as_json(value: Any) -> str:
    """`value` as `fetch` and `execute` take a jsonb parameter (they also give jsonb columns back as text).

    asyncpg's ids are a subclass of UUID, which orjson would refuse.
    """
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode()


async def fetch(sql: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of one statement, within the running transaction if there is one; `$1…` stand for `values`."""
    return await get_connection("default").execute_query_dict(sql, list(values))


async def execute(sql: str, values: Sequence[Any] = ()) -> None:
    """Run one statement for its effect, within the running transaction if there is one."""
    await get_connection("default").execute_query(sql, list(values))


async def locked(rows: "QuerySet[AnyRow]", row_id: UUID) -> AnyRow:
    """The one row of `rows` (already narrowed to the caller's scope), locked until the transaction ends.

    Raises NotFound.
    """
    row = await rows.filter(id=row_id).select_for_update().first()
    if row is None:
        raise NotFound()
    return row
