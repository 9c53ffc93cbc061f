"""What every command stands on: settings, the clock that a demo may have moved, one connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.local.processes import ServiceError
from models.base import clock, database, settings
from models.base.settings import Settings


def database_url(loaded: Settings) -> str:
    """Raises ServiceError where none is set."""
    url = loaded.database_url.get_secret_value()
    if not url:
        raise ServiceError('ZHUOLUO_DATABASE_URL is not set. For the demo\'s database: eval "$(zhuoluo env)"')
    return url


@asynccontextmanager
async def connected(pool: int = 1) -> AsyncIterator[Settings]:
    """The database of ZHUOLUO_DATABASE_URL, for as long as the block lasts.

    Raises pydantic.ValidationError, ServiceError, and what connecting raises.
    """
    loaded = settings.load()
    clock.allow_moving(loaded.clock_file)
    await database.connect(database_url(loaded), pool=pool)
    try:
        yield loaded
    finally:
        await database.disconnect()
