"""Every job is declared by a concept, promised by it, and kept by exactly one handler."""

import re
from pathlib import Path

from models.base import outbox
from workers.main import register
from workers.relay import HANDLERS, SWEEPS

CHECKOUT = Path(__file__).parents[2]


def test_every_declared_job_has_a_handler_and_every_handler_a_job() -> None:
    register()
    assert outbox.JOBS == HANDLERS.keys()


def test_every_declared_job_is_promised_somewhere() -> None:
    """A job that nobody promises is dead code."""
    sources = [(path, path.read_text()) for path in (CHECKOUT / "models").rglob("*.py")]
    unused = []
    for _, text in sources:
        for name in re.findall(r"^(\w+)(?:: \w+)? = (?:outbox\.)?job\(", text, re.MULTILINE):
            uses = sum(len(re.findall(rf"\b{name}\b", other)) for _, other in sources)
            if uses < 2:
                unused.append(name)
    assert unused == []


def test_the_log_is_sealed_within_two_seconds() -> None:
    intervals = {f"{sweep.__module__}.{sweep.__name__}": seconds for seconds, sweep in SWEEPS}
    assert intervals["workers.audit.seal"] <= 1
