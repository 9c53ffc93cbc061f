"""Further databases on the same server, as tests and measurements need them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from deploy.local.services import Services

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


async def create_database(services: Services, name: str, *, template: str | None = None) -> str:
    """Create database `name`, a copy of `template` if given, and return its URL.

    While it is copied nobody may be connected to the template. Raises asyncpg.DuplicateDatabaseError if it
    exists, ValueError for a name that is not a plain lower-case identifier.
    """
    # As files: page by page through the WAL, PostgreSQL's default, took three times as long.
    copied = f" TEMPLATE {_quoted(template)} STRATEGY file_copy" if template else ""
    async with _maintenance(services) as connection:
        await connection.execute(f"CREATE DATABASE {_quoted(name)}{copied}")
    return services.database(name)


async def drop_database(services: Services, name: str) -> None:
    """Drop database `name` if it exists, ending the sessions in it. Raises ValueError as above."""
    async with _maintenance(services) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


def _quoted(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a plain lower-case identifier")
    return f'"{name}"'


@asynccontextmanager
async def _maintenance(services: Services) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database that every server has and nobody copies."""
    connection = await asyncpg.connect(services.database("postgres"))
    try:
        yield connection
    finally:
        await connection.close()
