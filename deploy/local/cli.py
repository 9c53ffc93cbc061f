"""``zhuoluo local``: the embedded services from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.processes import ServiceError
from deploy.local.services import Status, start, status, stop

app = typer.Typer(no_args_is_help=True, help="The embedded PostgreSQL and Valkey of this machine.")
_out, _err = Console(), Console(stderr=True)

DataDir = Annotated[
    Path | None,
    typer.Option(help="Where the data is; by default ZHUOLUO_DATA_DIR or .local in the checkout.", show_default=False),
]


class Target(StrEnum):
    """What to give the address of."""

    database = "database"
    redis = "redis"


@app.command("start")
def start_command(
    data_dir: DataDir = None,
    ephemeral: Annotated[bool, typer.Option(help="Faster, but data may not survive a crash of the machine.")] = False,
) -> None:
    """Start what is not running yet and wait until it is ready."""
    with _errors_in_words(), _err.status("Starting …"):
        start(data_dir, ephemeral=ephemeral)
    _out.print(_table(status(data_dir)))


@app.command("stop")
def stop_command(data_dir: DataDir = None) -> None:
    """Stop both services, whoever started them."""
    with _errors_in_words(), _err.status("Stopping …"):
        stop(data_dir)
    _out.print(_table(status(data_dir)))


@app.command("status")
def status_command(data_dir: DataDir = None) -> None:
    """Show both services; fail unless both can be used."""
    found = status(data_dir)
    _out.print(_table(found))
    raise typer.Exit(0 if found.usable else 1)


@app.command("url")
def url_command(target: Annotated[Target, typer.Argument()] = Target.database, data_dir: DataDir = None) -> None:
    """Print the address, password included, of a running service, for other programs."""
    with _errors_in_words():
        if not status(data_dir).usable:
            raise ServiceError("The services are not running: start them with `zhuoluo local start`.")
        services = start(data_dir)
    typer.echo(services.database_url if target is Target.database else services.redis_url)


def _table(found: Status) -> Table:
    table = Table("service", "state", "pid", "port")
    for service in (found.postgres, found.valkey):
        table.add_row(*("" if value is None else str(value) for value in astuple(service)))
    return table


@contextmanager
def _errors_in_words() -> Iterator[None]:
    try:
        yield
    except ServiceError as failure:
        _err.print(str(failure), style="red", markup=False)
        raise typer.Exit(1) from failure
