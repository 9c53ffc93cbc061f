"""Everything on this machine with the sample zone, for looking around."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import orjson
import pyotp
from rich.console import Console
from rich.table import Table

from deploy import local, migrations, seeding
from deploy.stack import Stack, prepare
from models.accounts import Signer
from models.base import database

console = Console()
SEEDED = "seeded"


async def run(begun: float) -> None:
    """Run everything until a signal; `begun` is when the command was given, on the monotonic clock."""
    with await asyncio.to_thread(local.start) as services:
        stack = prepare(services)
        await migrations.upgrade(services.database_url)
        await database.disconnect()
        async with stack.running() as leaving:
            await _seed_once(stack)
            console.print(_addresses(stack), _logins(_accounts(stack)), soft_wrap=True)
            console.print(f"Ready after {monotonic() - begun:.1f} s. Ctrl-C stops everything; the data stays.")
            await leaving.wait()
            console.print("Stopping.")


async def _seed_once(stack: Stack) -> None:
    marker = stack.data_dir / SEEDED
    if marker.exists():
        async with _connected(stack):
            await seeding.register_bound_phones(stack.wechat_url)
        return
    with console.status("Putting the sample zone in: 400 people, 300 items."):
        async with _connected(stack):
            await seeding.seed(
                api_url=stack.api_url,
                wechat_url=stack.wechat_url,
                accounts_folder=_accounts(stack),
                signer=Signer(stack.environment["ZHUOLUO_SIGNING_KEY"]),
            )
    marker.touch()


@asynccontextmanager
async def _connected(stack: Stack) -> AsyncIterator[None]:
    await database.connect(stack.services.database_url, pool=2)
    try:
        yield
    finally:
        await database.disconnect()


def _accounts(stack: Stack) -> Path:
    return stack.data_dir / "secrets" / "accounts"


def _addresses(stack: Stack) -> Table:
    table = Table("what", "where", title="着落 · demo")
    table.add_row("API and its documentation", f"{stack.api_url}/docs")
    table.add_row("OpenAPI 3.1", f"{stack.api_url}/openapi.json")
    table.add_row("A phone in the browser", f"{stack.api_url}/phone/")
    table.add_row("Mock WeChat: every phone's messages", f"{stack.wechat_url}/")
    table.add_row("Readiness", f"{stack.api_url}/readyz")
    table.add_row("Metrics", f"{stack.api_url}/metrics   {stack.metrics_url}/metrics")
    table.add_row("Logs", str(stack.data_dir / "log"))
    return table


def _logins(folder: Path) -> Table:
    caption = f"First passwords: the console asks to change them. Kept in {folder} (0600)."
    table = Table("role", "login", "password", title="Console accounts", caption=caption)
    table.add_column("authenticator key", overflow="fold", min_width=32)
    for file in sorted(folder.iterdir()):
        kept = orjson.loads(file.read_bytes())
        table.add_row(kept["role"], kept["login"], kept["password"], pyotp.parse_uri(kept["totp_uri"]).secret)
    return table
