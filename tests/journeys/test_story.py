"""The main job, from an empty database to a log that proves itself, in real processes: a corner of the sample zone."""

from pathlib import Path

import pytest
from rich.console import Console

from deploy.story.playing import play

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.timeout(480)
async def test_the_main_job_plays_to_its_end(data_dir: Path) -> None:
    """Raises `Broken`, which says what was expected and seen, at the first thing that does not hold."""
    await play(Console(), data_dir / "story", short=True)
