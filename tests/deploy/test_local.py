"""The embedded services: they start at once, are nobody else's, and come back with their data after a kill."""

import asyncio
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis
from typer.testing import CliRunner

from deploy import local
from deploy.local.account import SERVICE_UID, Account
from deploy.local.cli import app
from deploy.local.processes import wait_until

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A data directory of these tests alone, with every safety on."""
    folder = CHECKOUT / ".local" / f"test-local-{os.getpid()}"
    yield folder
    local.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def services(home: Path) -> local.Services:
    return local.start(home)


def pids(home: Path) -> tuple[int, int]:
    found = local.status(home)
    assert found.postgres.pid is not None
    assert found.valkey.pid is not None
    return found.postgres.pid, found.valkey.pid


def kill(*processes: int) -> None:
    """Kill, and wait until the kernel has done it: until then a connection is still accepted."""
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(runs(pid) for pid in processes), 10)


def runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting for its parent to notice its death."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def remember(services: local.Services, word: str) -> None:
    connection = await asyncpg.connect(services.database_url)
    await connection.execute("CREATE TABLE IF NOT EXISTS words (word text)")
    await connection.execute("INSERT INTO words VALUES ($1)", word)
    await connection.close()
    with redis.Redis.from_url(services.redis_url) as client:
        client.sadd("words", word)


async def recall(services: local.Services) -> tuple[set[str], set[str]]:
    connection = await asyncpg.connect(services.database_url)
    rows = await connection.fetch("SELECT word FROM words")
    await connection.close()
    with redis.Redis.from_url(services.redis_url, decode_responses=True) as client:
        return {row["word"] for row in rows}, set(client.smembers("words"))


def test_a_second_start_is_ready_within_three_seconds(services, home):
    local.stop(home)
    assert (local.status(home).postgres.state, local.status(home).valkey.state) == ("stopped", "stopped")
    began = time.monotonic()
    again = local.start(home)
    assert time.monotonic() - began < 3
    assert again.started == {"postgres", "valkey"}
    assert again == services, "ports and passwords stay what they were"


async def test_both_come_back_with_their_data_after_being_killed(services, home):
    await remember(services, "落地")
    kill(*pids(home))
    again = await asyncio.to_thread(local.start, home)
    assert again.started == {"postgres", "valkey"}
    stored, cached = await recall(again)
    assert "落地" in stored
    assert "落地" in cached


async def test_only_what_died_is_started_again(services, home):
    database, cache = pids(home)
    kill(cache)
    assert (await asyncio.to_thread(local.start, home)).started == {"valkey"}
    assert pids(home)[0] == database


def test_a_stale_pid_file_with_a_living_number_does_not_stop_the_start(services, home):
    kill(*pids(home))
    left_behind = home / "postgres" / "postmaster.pid"
    lines = left_behind.read_text().splitlines()
    left_behind.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    assert "postgres" in local.start(home).started


async def test_a_taken_port_is_replaced_and_the_data_kept(services, home):
    await remember(services, "换个端口")
    ports = [local.status(home).postgres.port, local.status(home).valkey.port]
    await asyncio.to_thread(local.stop, home)
    squatters = [socket.create_server(("127.0.0.1", port)) for port in ports]
    try:
        again = await asyncio.to_thread(local.start, home)
    finally:
        for squatter in squatters:
            squatter.close()
    assert not {local.status(home).postgres.port, local.status(home).valkey.port} & set(ports)
    assert "换个端口" in (await recall(again))[0]


def test_a_second_launcher_attaches_and_leaves_the_services_running(services, home):
    before = pids(home)
    with local.start(home) as attached:
        assert attached.started == frozenset()
        assert attached == services
    assert pids(home) == before


def test_launchers_that_race_start_each_service_once(home):
    local.stop(home)
    code = (
        "import sys, pathlib, json; from deploy.local import start; "
        "print(json.dumps(sorted(start(pathlib.Path(sys.argv[1])).started)))"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(home)], cwd=CHECKOUT, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    answers = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]
    assert sorted(answers) == [[], [], ["postgres", "valkey"]]


def test_the_launchers_end_does_not_end_the_services(home):
    local.stop(home)
    code = (
        "import sys, os, signal, pathlib; from deploy.local import start; "
        "start(pathlib.Path(sys.argv[1])); os.killpg(0, signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(home)], cwd=CHECKOUT, start_new_session=True, check=False)
    assert local.start(home).started == frozenset()


def test_the_servers_run_unprivileged_and_in_sessions_of_their_own(services, home):
    for pid in pids(home):
        assert os.getsid(pid) == pid
        assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_passwords_are_generated_and_readable_by_their_user_only(services, home):
    secrets = sorted((home / "secrets").iterdir())
    assert [path.name for path in secrets] == ["postgres", "valkey"]
    assert len({path.read_text() for path in secrets}) == 2
    for path in secrets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_uid == os.geteuid()
        assert len(path.read_text()) >= 40
        assert path.read_text() not in repr(services)


async def test_nobody_gets_in_without_the_password(services):
    password = services.database_url.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(services.database_url.replace(password, "guessed"))
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(services.database_url.replace("zhuoluo:", "postgres:"))
    with (
        redis.Redis.from_url("redis://" + services.redis_url.split("@")[1]) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()


def test_both_listen_on_the_loopback_address_only(services, home):
    for port in (local.status(home).postgres.port, local.status(home).valkey.port):
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.2", port), timeout=2)
    assert not list(home.rglob(".s.PGSQL.*"))


async def test_the_database_sorts_by_code_point_counts_in_utc_and_keeps_every_commit(services):
    connection = await asyncpg.connect(services.database_url)
    setting = "SELECT current_setting($1)"
    assert await connection.fetchval("SELECT 'a' < 'B'") is False
    assert await connection.fetchval(setting, "server_encoding") == "UTF8"
    assert await connection.fetchval(setting, "timezone") == "UTC"
    assert await connection.fetchval(setting, "max_connections") == "200"
    assert await connection.fetchval(setting, "fsync") == "on"
    assert await connection.fetchval(setting, "synchronous_commit") == "on"
    assert await connection.fetchval("SELECT usesuper FROM pg_user WHERE usename = current_user") is False
    await connection.close()


async def test_similar_chinese_titles_can_be_found(services):
    connection = await asyncpg.connect(services.database_url)
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    assert await connection.fetchval("SELECT similarity('安全生产检查', '安全生产大检查')") > 0.3
    await connection.close()


async def test_a_failed_statement_leaves_nobodys_data_in_the_log(services, home):
    connection = await asyncpg.connect(services.database_url)
    await connection.execute("CREATE TABLE IF NOT EXISTS phones (number text PRIMARY KEY)")
    await connection.execute("INSERT INTO phones VALUES ('13800001111') ON CONFLICT DO NOTHING")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO phones VALUES ('13800001111')")
    await connection.close()
    log = (home / "log" / "postgres.log").read_text()
    assert "phones_pkey" in log
    assert "13800001111" not in log


def test_valkey_appends_every_second_and_evicts_nothing(services):
    with redis.Redis.from_url(services.redis_url, decode_responses=True) as client:
        found = client.config_get("appendonly", "appendfsync", "maxmemory-policy")
    assert found == {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}


async def test_a_database_copied_from_a_template_has_its_tables(services):
    await remember(services, "样板")
    url = await local.create_database(services, "copy", template="zhuoluo")
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM words WHERE word = '样板'") == 1
    await local.drop_database(services, "copy")
    await local.drop_database(services, "copy")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)
    connection.terminate()


async def test_a_database_name_cannot_carry_sql(services):
    with pytest.raises(ValueError, match="identifier"):
        await local.create_database(services, 'x"; DROP DATABASE zhuoluo; --')


def test_existing_servers_are_used_and_nothing_is_started(monkeypatch, home):
    elsewhere = home.with_name(home.name + "-elsewhere")
    monkeypatch.setenv("ZHUOLUO_DATABASE_URL", "postgres://u:p@db.example:5432/z")
    monkeypatch.setenv("ZHUOLUO_REDIS_URL", "redis://cache.example:6379/0")
    found = local.start(elsewhere)
    assert (found.database_url, found.redis_url) == ("postgres://u:p@db.example:5432/z", "redis://cache.example:6379/0")
    assert found.started == frozenset()
    assert local.status(elsewhere).postgres.state == "external"
    assert not elsewhere.exists()


def test_an_existing_database_leaves_valkey_to_us(monkeypatch, home):
    half = home.with_name(home.name + "-half")
    monkeypatch.setenv("ZHUOLUO_DATABASE_URL", "postgres://u:p@db.example:5432/z")
    try:
        with local.start(half) as found:
            assert found.started == {"valkey"}
            assert redis.Redis.from_url(found.redis_url).ping()
        assert local.status(half).valkey.state == "stopped"
    finally:
        shutil.rmtree(half)


def test_the_data_directory_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.delenv("ZHUOLUO_DATA_DIR", raising=False)
    assert local.data_directory() == CHECKOUT / ".local"
    monkeypatch.setenv("ZHUOLUO_DATA_DIR", str(tmp_path))
    assert local.data_directory() == tmp_path


def test_a_closed_folder_on_the_way_is_named(tmp_path):
    tmp_path.chmod(0o700)
    barrier = Account(SERVICE_UID).barrier(tmp_path / "data")
    assert barrier in (tmp_path, *tmp_path.parents)
    assert Account(None).barrier(tmp_path / "data") is None


def test_the_command_shows_starts_and_stops_the_services(home):
    run = CliRunner().invoke
    here = ["--data-dir", str(home)]
    assert run(app, ["start", *here]).exit_code == 0
    shown = run(app, ["status", *here])
    assert shown.exit_code == 0
    assert shown.output.count("running") == 2
    assert run(app, ["url", "redis", *here]).output.strip() == local.start(home).redis_url
    assert run(app, ["stop", *here]).exit_code == 0
    assert run(app, ["status", *here]).exit_code == 1
    refused = run(app, ["url", *here])
    assert refused.exit_code == 1
    assert "not running" in refused.output
