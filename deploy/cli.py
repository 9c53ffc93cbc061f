"""`zhuoluo`: everything that an operator says to the product."""

import sys

import asyncpg
import typer
from pydantic import ValidationError
from rich.console import Console
from tortoise.exceptions import DBConnectionError

from deploy.commands import (
    accounts,
    audit,
    channels,
    database,
    demo,
    doctor,
    draws,
    escalations,
    openapi,
    organization,
    packs,
    promises,
    store,
    story,
)
from deploy.commands.organization import fault_table
from deploy.local import cli as local
from deploy.local.processes import ServiceError
from gateways.store import WrongKeys
from models.base.errors import Refused

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="着落：件件有着落。")
app.command("demo")(demo.demo)
app.command("env")(demo.environment)
app.command("story")(story.story)
app.command("openapi")(openapi.document)
app.command("migrate")(database.migrate)
app.command("doctor")(doctor.doctor)
app.command("pack")(packs.pack)
app.command("verify")(packs.verify)
app.command("drain")(promises.drain)
app.add_typer(organization.zones, name="zone", help="Development zones, the product's tenants.")
app.add_typer(organization.rosters, name="roster", help="Who is where: the roster workbook, in and out.")
app.add_typer(accounts.app, name="account", help="Console accounts.")
app.add_typer(escalations.app, name="escalation", help="Escalation policies: who would be told when.")
app.add_typer(draws.app, name="draw", help="Draws of look-backs: the record, on paper, and checked.")
app.add_typer(channels.app, name="channel", help="Ways to people's phones: pause one, use it again.")
app.add_typer(promises.app, name="promise", help="Background work: quarantine, replay.")
app.add_typer(store.app, name="store", help="The object store: master keys, and whether every original is whole.")
app.add_typer(audit.app, name="audit", help="Export the log of every act, and check an export.")
app.add_typer(local.app, name="local", help="PostgreSQL and Valkey of this machine.")


KNOWN = (ServiceError, WrongKeys, OSError, DBConnectionError, asyncpg.InvalidAuthorizationSpecificationError)
"""Failures whose own words say what is wrong."""


def main() -> None:
    """Run the command; a known failure is one sentence, not a traceback."""
    errors = Console(stderr=True)
    try:
        app()
    except KNOWN as failure:
        errors.print(str(failure), style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except Refused as refused:
        errors.print(f"[red]{refused.code}[/red] {refused.detail}", soft_wrap=True)
        if refused.faults:
            errors.print(fault_table(refused.faults), soft_wrap=True)
        sys.exit(1)
    except ValidationError as wrong:
        for error in wrong.errors(include_input=False, include_url=False):
            errors.print(f"[red]{'.'.join(map(str, error['loc'])) or 'settings'}[/red]: {error['msg']}")
        sys.exit(2)


if __name__ == "__main__":
    main()
