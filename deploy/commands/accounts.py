"""Console accounts from the command line: the first ones, before a security administrator can sign in."""

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.connecting import connected
from deploy.commands.organization import ZoneCode, zone_id_of
from deploy.secrets import keep_secret
from models import accounts
from models.accounts import Credentials, Signer
from models.base.errors import NotFound
from models.base.scope import Scope
from models.organization import Person

app = typer.Typer(no_args_is_help=True)
console = Console()


@app.callback()
def several() -> None:
    """Console accounts."""


@app.command("create")
def create(
    zone: ZoneCode,
    staff_numbers: Annotated[list[str], typer.Argument(help="People of the roster, by 人员编号.")],
    keep: Annotated[Path | None, typer.Option(help="Also write each account's credentials here, mode 0600.")] = None,
) -> None:
    """Give people of the roster a login (their number), a first password and an authenticator secret, shown once."""
    made = asyncio.run(_create(zone, staff_numbers))
    table = Table("name", "login", "first password", "authenticator", caption="Shown this once.")
    for person, credentials in made:
        table.add_row(person.name, credentials.account.login, credentials.password, credentials.totp_uri)
        if keep is not None:
            keep_secret(keep, credentials.account.login, _file(credentials))
    console.print(table, soft_wrap=True)


async def _create(zone: str, staff_numbers: list[str]) -> list[tuple[Person, Credentials]]:
    async with connected() as settings:
        zone_id = await zone_id_of(zone)
        signer, by = Signer(settings.signing_key.get_secret_value()), Scope.system(zone_id)
        people = [await _person(by, number) for number in staff_numbers]
        return [
            (person, await accounts.create_account(person.id, person.staff_no, by=by, signer=signer))
            for person in people
        ]


async def _person(by: Scope, staff_number: str) -> Person:
    person = await Person.get_or_none(zone_id=by.zone_id, staff_no=staff_number)
    if person is None:
        raise NotFound("person_not_found", f"名册中没有编号为 {staff_number} 的人员。")
    return person


def _file(credentials: Credentials) -> str:
    login = credentials.account.login
    return orjson.dumps({"login": login, "password": credentials.password, "totp_uri": credentials.totp_uri}).decode()
