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
from tempfile import TemporaryDirectory

from tortoise.context import TortoiseContext
from tortoise.migrations import operations as ops
from tortoise.migrations.api import migrate
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.writer import MigrationWriter

from models.base import database

FOLDER = Path(__file__).parents[1] / "models" / "migrations"
PACKAGE = "models.migrations"
GENERATED = ("0001_initial.py", "0002_constraints.py")
BY_HAND = "0003_postgres.py"


async def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest schema; nothing to do is fine."""
    await migrate(config=database.config(url, pool=1))


async def make() -> list[Path]:
    """Write what the models have and the history has not yet; the files written. Needs no database."""
    return [path for writer in await _writers() for path in _write(writer)]


async def missing() -> list[str]:
    """Names of the steps that `make` would write; empty where history and models agree."""
    return [writer.name for writer in await _writers()]


async def _writers() -> list[MigrationWriter]:
    config = database.config("postgres://nobody@127.0.0.1/none")
    async with TortoiseContext() as context:
        await context.init(config=config)
        assert context.apps is not None
        return await MigrationAutodetector(context.apps, config["apps"]).changes()


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
def _anew() -> Iterator[None]:
    """Before the first release the history is one step, made anew; what is written by hand stays behind it."""
    before = [FOLDER / name for name in (*GENERATED, BY_HAND) if (FOLDER / name).exists()]
    with (FOLDER / "__init__.py").open() as lock, TemporaryDirectory(dir=FOLDER) as aside:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for file in before:
            file.rename(Path(aside, file.name))
        try:
            yield
        finally:
            for file in before:
                if file.name == BY_HAND or not file.exists():  # nothing new was written: the old one stays
                    Path(aside, file.name).rename(file)


def main() -> None:
    """`python -m deploy.migrations make`."""
    if sys.argv[1:] != ["make"]:
        raise SystemExit(main.__doc__)
    with _anew():
        for path in asyncio.run(make()):
            print(path.relative_to(FOLDER.parents[1]))


if __name__ == "__main__":
    main()
