"""The schema's history: apply it (`upgrade`), or write the next step from the models (`make`).

Tortoise creates a new table without its `Meta.constraints` (its issue 2272), so `make` splits them off into a step of
their own that adds them one by one.
"""

import asyncio
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tortoise.context import TortoiseContext
from tortoise.migrations import operations as ops
from tortoise.migrations.api import migrate
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.writer import MigrationWriter

from models.base import database

FOLDER = Path(__file__).parents[1] / "models" / "migrations"
PACKAGE = "models.migrations"
BY_HAND = "0003_postgres.py"


async def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest schema; nothing to do is fine."""
    await migrate(config=database.config(url, pool=1))


async def make() -> list[Path]:
    """Write what the models have and the history has not yet. Needs no database."""
    config = database.config("postgres://nobody@127.0.0.1/none")
    async with TortoiseContext() as context:
        await context.init(config=config)
        assert context.apps is not None
        writers = await MigrationAutodetector(context.apps, config["apps"]).changes()
    return [path for writer in writers for path in _write(writer)]


def _write(writer: MigrationWriter) -> Iterator[Path]:
    constraints = [
        ops.AddConstraint(model_name=operation.name, constraint=constraint)
        for operation in writer.operations
        if isinstance(operation, ops.CreateModel)
        for constraint in (operation.options or {}).pop("constraints", ())
    ]
    yield writer.write()
    if constraints:
        number = int(writer.name.split("_", 1)[0]) + 1
        yield MigrationWriter(
            f"{number:04d}_constraints",
            writer.app_label,
            constraints,
            dependencies=[(writer.app_label, writer.name)],
            migrations_module=PACKAGE,
        ).write()


@contextmanager
def _by_hand_aside() -> Iterator[None]:
    """Before the first release the history is one step, made anew; what is written by hand stays behind it."""
    by_hand, aside = FOLDER / BY_HAND, FOLDER / f"{BY_HAND}.aside"
    with (FOLDER / "__init__.py").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        by_hand.rename(aside)
        try:
            yield
        finally:
            aside.rename(by_hand)


def main() -> None:
    """`python -m deploy.migrations make`."""
    if sys.argv[1:] != ["make"]:
        raise SystemExit(main.__doc__)
    with _by_hand_aside():
        for name in ("0001_initial.py", "0002_constraints.py"):
            (FOLDER / name).unlink(missing_ok=True)
        for path in asyncio.run(make()):
            print(path.relative_to(FOLDER.parents[1]))


if __name__ == "__main__":
    main()
