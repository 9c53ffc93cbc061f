"""What every command stands on: settings, the clock that a demo may have moved, one connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.base import clock, database, settings
from models.base.settings import Settings


@asynccontextmanager
async def connected(pool: int = 1) -> AsyncIterator[Settings]:
    """The database of ZHUOLUO_DATABASE_URL, for as long as the block lasts. Raises pydantic.ValidationError."""
    loaded = settings.load()
    clock.allow_moving(loaded.clock_file)
    await database.connect(loaded.database_url.get_secret_value(), pool=pool)
    try:
        yield loaded
    finally:
        await database.disconnect()
