"""Logs: one JSON object a line, with the request's or job's id; ids and codes only, never personal data or bodies."""

import logging
import re
import sys
from contextvars import ContextVar
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request being answered by this task."""
JOB_ID: ContextVar[str | None] = ContextVar("job_id", default=None)
"""The promise being kept by this task."""


def _ids(logger: Any, method: str, event: EventDict) -> EventDict:
    if request_id := REQUEST_ID.get():
        event.setdefault("request_id", request_id)
    if job_id := JOB_ID.get():
        event.setdefault("job_id", job_id)
    return event


PHONE_NUMBER = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
ROW_IN_ERROR = re.compile(r"^(?:DETAIL|CONTEXT):.*$", re.MULTILINE)
"""PostgreSQL names the offending row: a number that is taken, a name that is too long."""
INPUT_IN_ERROR = re.compile(r"input_value=.*?, input_type=")
"""Pydantic quotes what it refuses."""


def _masked(logger: Any, method: str, event: EventDict) -> EventDict:
    """A traceback says where it broke, not on whose data."""
    if isinstance(told := event.get("exception"), str):
        told = ROW_IN_ERROR.sub("DETAIL: …", told)
        told = INPUT_IN_ERROR.sub("input_value=…, input_type=", told)
        event["exception"] = PHONE_NUMBER.sub("1**********", told)
    return event


def _json(event: EventDict, **options: Any) -> str:
    return orjson.dumps(event, default=repr).decode()


def configure(service: str, level: int = logging.INFO) -> None:
    """Write this process's logs, its libraries' too, to stderr as JSON lines that name `service`."""

    def named(logger: Any, method: str, event: EventDict) -> EventDict:
        return {"service": service, **event}

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _ids,
        named,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    _to_stderr(shared, level)


def _to_stderr(shared: list[Any], level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _masked,
                structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("sanic.root", "sanic.error", "sanic.server", "arq"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.getLogger("tortoise").setLevel(logging.WARNING)  # at DEBUG it prints statements' values
    logging.getLogger("arq").setLevel(logging.WARNING)  # two lines for every wake-up, which tell nothing
