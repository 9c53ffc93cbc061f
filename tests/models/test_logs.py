"""Logs of a process: one JSON object a line, and no personal data, not even in a traceback."""

import asyncio
import json
import sys
from pathlib import Path

from models.organization import Person, Zone

CHECKOUT = Path(__file__).parents[2]
PROCESS = """
import asyncio, sys, uuid
import pydantic, structlog
from models.base import database, logs
from models.organization import Person

class Form(pydantic.BaseModel):
    age: int

async def main(url, zone_id, name, number):
    logs.configure("test")
    logs.REQUEST_ID.set("req-1")
    logs.JOB_ID.set("job-1")
    log = structlog.get_logger("api")
    log.warning("thing.happened", count=3)
    await database.connect(url, pool=1)
    for act in (
        lambda: Person.create(zone_id=uuid.UUID(zone_id), staff_no="A2", name=name, phone=number),
        lambda: asyncio.to_thread(Form.model_validate, {"age": name + number}),
    ):
        try:
            await act()
        except Exception:
            log.exception("request.failed")
    await database.disconnect()

asyncio.run(main(*sys.argv[1:]))
"""


async def logged(*words: str) -> list[dict[str, str]]:
    """What a process of its own writes to stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, *words, cwd=CHECKOUT, stderr=asyncio.subprocess.PIPE
    )
    _, written = await asyncio.wait_for(process.communicate(), 60)
    return [json.loads(line) for line in written.splitlines()]


async def test_lines_name_service_request_and_job_and_tracebacks_name_nobody(zone: Zone, database: str) -> None:
    name, number = "王静", "13912345678"
    await Person.create(zone_id=zone.id, staff_no="A1", name="李明", phone=number)
    happened, taken, refused = await logged(database, str(zone.id), name, number)
    assert (happened["service"], happened["request_id"], happened["job_id"]) == ("test", "req-1", "job-1")
    assert (happened["event"], happened["level"], happened["count"]) == ("thing.happened", "warning", 3)
    assert "person_phone_once" in taken["exception"] and "int_parsing" in refused["exception"]
    for told in (taken["exception"], refused["exception"]):
        assert name not in told and number not in told and "李明" not in told
