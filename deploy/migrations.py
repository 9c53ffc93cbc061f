"""The schema's history: apply it (`upgrade`), or write the next step from the models (`make`).

Tortoise copies the state of all models before each operation of a step: a step of few operations is quick.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tortoise.context import TortoiseContext
from tortoise.migrations.api import migrate
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.writer import MigrationWriter

from models.base import audit, database

PACKAGE = "models.migrations"


async def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest schema, and its log behind its end after a restore. May be repeated."""
    await migrate(config=database.config(url, pool=1))
    await database.connect(url, pool=1)
    try:
        await audit.carry_on()
    finally:
        await database.disconnect()


async def make() -> list[Path]:
    """Write the history anew as one step from the models; the files written. Needs no database.

    Until the first release there is nothing to keep: what is written by hand stays behind it as it is.
    """
    with _empty_package() as nothing_yet:
        return [_write(writer) for writer in await _writers(nothing_yet)]


@contextmanager
def _empty_package() -> Iterator[str]:
    with TemporaryDirectory() as folder:
        Path(folder, "without_history").mkdir()
        Path(folder, "without_history", "__init__.py").touch()
        sys.path.insert(0, folder)
        yield "without_history"


async def missing() -> list[str]:
    """Names of the steps that the models have and the history has not; empty where they agree."""
    return [writer.name for writer in await _writers(PACKAGE)]


async def _writers(history: str) -> list[MigrationWriter]:
    config = database.config("postgres://nobody@127.0.0.1/none")
    config["apps"]["models"]["migrations"] = history
    async with TortoiseContext() as context:
        await context.init(config=config)
        assert context.apps is not None
        return await MigrationAutodetector(context.apps, config["apps"]).changes()


def _write(writer: MigrationWriter) -> Path:
    writer.migrations_module = PACKAGE
    return writer.write()


def main() -> None:
    """`python -m deploy.migrations make`."""
    if sys.argv[1:] != ["make"]:
        raise SystemExit(main.__doc__)
    for path in asyncio.run(make()):
        print(path.relative_to(Path(__file__).parents[1]))


if __name__ == "__main__":
    main()
