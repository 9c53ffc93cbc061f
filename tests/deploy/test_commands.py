"""The `zhuoluo` command as an operator types it: exit codes, and a sentence instead of a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import local
from models import organization
from models.base import audit
from models.organization import Zone
from tests.api.conftest import free_port
from tests.office import Office, open_office

CHECKOUT = Path(__file__).parents[2]


def zhuoluo(*words: str, **told: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHUOLUO_")}
    environment = {**kept, "ZHUOLUO_MODE": "test", "PYTHONPATH": str(CHECKOUT), "COLUMNS": "200", **told}
    command = [sys.executable, "-m", "deploy.cli", *words]
    return subprocess.run(
        command, check=False, env=environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("told", "exit_code", "sentence"),
    [
        ({}, 1, "ZHUOLUO_DATABASE_URL is not set"),
        ({"ZHUOLUO_DATABASE_URL": f"postgres://x:y@127.0.0.1:{free_port()}/none"}, 1, "Connect call failed"),
        ({"ZHUOLUO_MODE": "production"}, 2, "ZHUOLUO_SIGNING_KEY"),
        ({"ZHUOLUO_DATABASE_POOL": "many"}, 2, "database_pool"),
    ],
)
def test_what_is_set_wrong_is_said_in_a_sentence(told: dict[str, str], exit_code: int, sentence: str) -> None:
    for command in (("migrate",), ("zone", "create", "kfq", "示范开发区")):
        done = zhuoluo(*command, **told)
        assert (done.returncode, "Traceback" in done.stderr) == (exit_code, False), done.stderr
        assert sentence in done.stderr


def test_a_wrong_password_is_said_in_a_sentence(services: local.Services) -> None:
    wrong = services.database_url.replace("postgres://zhuoluo:", "postgres://zhuoluo:not-")
    done = zhuoluo("zone", "create", "kfq", "示范开发区", ZHUOLUO_DATABASE_URL=wrong)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "password" in done.stderr and "not-" not in done.stderr


async def test_an_export_of_the_log_is_verified_without_a_database(zone: Zone, database: str, tmp_path: Path) -> None:
    await organization.create_zone("other", "另一开发区")
    while await audit.seal(zone.id):
        pass
    file = tmp_path / "log.jsonl"
    assert zhuoluo("audit", "export", "kfq", str(file), ZHUOLUO_DATABASE_URL=database).returncode == 0
    assert zhuoluo("audit", "verify", str(file)).returncode == 0
    file.write_bytes(file.read_bytes().replace(b"zone.created", b"zone.creaded"))
    found = zhuoluo("audit", "verify", str(file))
    assert found.returncode == 1 and "line 1" in found.stdout
    assert zhuoluo("audit", "verify", str(tmp_path / "absent")).returncode == 2


def test_a_refusal_of_a_rule_ends_with_its_code(database_url: str) -> None:
    done = zhuoluo("roster", "export", "nowhere", "/dev/null", ZHUOLUO_DATABASE_URL=database_url)
    assert (done.returncode, "zone_not_found" in done.stderr) == (1, True)


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def test_an_operator_sees_who_would_be_told_when(database: str, office: Office) -> None:
    item = await office.received()
    words = ("escalation", "simulate", "kfq", str(item.number), "--policy", "overdue")
    done = zhuoluo(*words, ZHUOLUO_DATABASE_URL=database)
    assert done.returncode == 0, done.stderr
    assert office.people["leader"].name in done.stdout
    assert "at return 3" in done.stdout
    assert "reminder_letter" in done.stdout


async def test_an_item_that_is_not_there_is_one_sentence(database: str, office: Office) -> None:
    done = zhuoluo("escalation", "simulate", "kfq", "ZL-RW-2026-9999", ZHUOLUO_DATABASE_URL=database)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "item_not_found" in done.stderr
