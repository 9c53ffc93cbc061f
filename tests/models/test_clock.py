"""Time: one source, movable in demo and tests only."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from models.base import clock
from models.base.settings import Settings


def test_the_clock_refuses_to_move_where_it_was_not_allowed() -> None:
    clock.allow_moving(None)
    with pytest.raises(RuntimeError):
        clock.move(timedelta(hours=1))


def test_production_knows_no_clock_file(tmp_path: Path) -> None:
    settings = Settings(mode="production", data_dir=tmp_path, signing_key="x" * 32)  # type: ignore[arg-type]
    assert settings.clock_file is None


def test_moves_add_up_for_every_reader_of_the_file(tmp_path: Path) -> None:
    clock.allow_moving(tmp_path / "clock")
    try:
        clock.move(timedelta(hours=3))
        clock.move(timedelta(days=2))
        ahead = clock.now() - datetime.now(UTC)
        assert timedelta(days=2, hours=3) - timedelta(seconds=5) < ahead <= timedelta(days=2, hours=3)
    finally:
        clock.allow_moving(None)


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert clock.at(date(2026, 11, 24)) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert clock.local(clock.at(date(2026, 11, 24), 9, 30)).hour == 9
