"""The record of a draw as an operator handles it: written, printed, verified by whoever doubts it, offline."""

from pathlib import Path

import orjson
import pytest

from models import lookbacks
from models.base import audit
from models.lookbacks import PlanFacts, Population
from models.organization import Zone
from tests.deploy.test_commands import zhuoluo
from tests.lookback_zone import furnish


@pytest.fixture
async def record(zone: Zone, database: str, tmp_path: Path) -> Path:
    """A record, exported by the plan's name."""
    office = await furnish(zone)
    await office.closed_item("A")
    oversight = await office.scope("oversight")
    plan = await lookbacks.plan(PlanFacts(name="年末回头看", population=Population(), count=1), by=oversight)
    await lookbacks.draw_visits(plan.id, by=oversight, seed="20261202")
    file = tmp_path / "record.json"
    done = zhuoluo("draw", "export", zone.code, "年末回头看", str(file), ZHUOLUO_DATABASE_URL=database)
    assert done.returncode == 0, done.stderr
    return file


def test_a_record_is_verified_without_a_database_in_plain_words(record: Path) -> None:
    done = zhuoluo("draw", "verify", str(record))
    assert done.returncode == 0, done.stderr
    assert "Drawn again alike: 1 of 1 items, 3 inspectors" in done.stdout
    assert "The seed was called out" in done.stdout


def test_a_record_that_was_changed_is_told_by_what_does_not_hold(record: Path) -> None:
    told = orjson.loads(record.read_bytes())
    inspectors = [each["person"] for each in told["inspectors"]]
    (drawn,) = told["drawing"]["assigned"]
    drawn["inspectors"] = [next(each for each in inspectors if each not in drawn["inspectors"])]
    record.write_bytes(orjson.dumps(told))
    done = zhuoluo("draw", "verify", str(record))
    assert (done.returncode, "drawing again from its seed gives another result" in done.stdout) == (1, True)


def test_what_is_no_record_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("{}")
    done = zhuoluo("draw", "verify", str(tmp_path / "x"))
    assert (done.returncode, "Traceback" in done.stderr, "not the record of a draw" in done.stdout) == (1, False, True)


@pytest.fixture
async def log(zone: Zone, record: Path, database: str, tmp_path: Path) -> Path:
    """The zone's log, sealed and exported."""
    while await audit.seal(zone.id):
        pass
    file = tmp_path / "log.jsonl"
    assert zhuoluo("audit", "export", zone.code, str(file), ZHUOLUO_DATABASE_URL=database).returncode == 0
    return file


def test_a_seed_that_the_log_did_not_give_is_told(record: Path, log: Path) -> None:
    assert zhuoluo("draw", "verify", str(record), "--log", str(log)).returncode == 0
    record.write_bytes(orjson.dumps(orjson.loads(record.read_bytes()) | {"seed_from": "log"}))
    done = zhuoluo("draw", "verify", str(record), "--log", str(log))
    assert (done.returncode, "the log does not hold" in done.stdout) == (1, True)


def test_a_log_that_is_not_whole_proves_nothing(record: Path, log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b"lookback.planned", b"lookback.plonned"))
    done = zhuoluo("draw", "verify", str(record), "--log", str(log))
    assert (done.returncode, "not whole" in done.stdout) == (1, True)


def test_a_page_to_print_says_what_was_drawn_and_by_whom_it_is_signed(
    zone: Zone, record: Path, database: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    done = zhuoluo("draw", "print", zone.code, "年末回头看", str(page), ZHUOLUO_DATABASE_URL=database)
    assert done.returncode == 0, done.stderr
    told = orjson.loads(record.read_bytes())
    text = page.read_text()
    assert all(word in text for word in ("20261202", told["inputs_hash"], "ZL-WT-2026-0001", "监督人", "当众报出"))


def test_a_plan_that_is_not_there_is_one_sentence(zone: Zone, database: str, tmp_path: Path) -> None:
    done = zhuoluo("draw", "export", zone.code, "没有", str(tmp_path / "x"), ZHUOLUO_DATABASE_URL=database)
    assert (done.returncode, "plan_not_found" in done.stderr) == (1, True)
