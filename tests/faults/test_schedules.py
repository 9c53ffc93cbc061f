"""A small set of schedules with every test run: every third fault, of every family, always the same ones."""

from pathlib import Path

import pytest

from tests.faults import families
from tests.faults.results import Results, told
from tests.faults.running import run

SEED = 4
ARENAS = 3


@pytest.mark.timeout(480)
async def test_nothing_is_lost_and_nobody_told_twice_whatever_dies(data_dir: Path) -> None:
    numbers = range(0, len(families.load()), 3)
    results = Results(data_dir / "faults" / "results.json", SEED)
    played = run(results, numbers, data_dir / "faults", arenas=ARENAS)
    found = [told(SEED, number, finding) async for number, findings in played for finding in findings]
    assert not found, "\n".join(found)
    assert results.schedules == set(numbers)
