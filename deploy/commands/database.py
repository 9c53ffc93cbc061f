"""The database's schema, from the command line."""

import asyncio

from rich.console import Console

from deploy import migrations
from models.base import database, settings


def migrate() -> None:
    """Bring the database of ZHUOLUO_DATABASE_URL to the newest schema."""
    asyncio.run(_migrate(settings.load().database_url.get_secret_value()))
    Console().print("The schema is current.")


async def _migrate(url: str) -> None:
    try:
        await migrations.upgrade(url)
    finally:
        await database.disconnect()
