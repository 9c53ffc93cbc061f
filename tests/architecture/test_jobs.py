"""Every job is promised by the concept that declares it (that it has one handler: tests/workers/test_relay)."""

import re
from pathlib import Path

from workers import audit
from workers.relay import SWEEPS

CHECKOUT = Path(__file__).parents[2]


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
    intervals = {sweep: seconds for seconds, sweep in SWEEPS}
    assert intervals[audit.seal] <= 1
