"""The database's schema, from the command line."""

import asyncio

from rich.console import Console

from deploy import migrations
from deploy.commands.connecting import database_url
from models.base import database, settings


def migrate() -> None:
    """Bring the database of ZHUOLUO_DATABASE_URL to the newest schema."""
    asyncio.run(_migrate(database_url(settings.load())))
    Console().print("The schema is current.")


async def _migrate(url: str) -> None:
    try:
        await migrations.upgrade(url)
    finally:
        await database.disconnect()
