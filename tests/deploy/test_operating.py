"""The `zhuoluo` command on the state of a running product: doctor, channels, quarantine, replay, drain."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models import deliveries
from models.base import audit, calendar, clock, outbox
from models.base.audit import AuditRow
from models.base.calendar import calendar_of
from models.base.ids import new_id
from models.base.outbox import Promise
from models.base.settings import Settings
from models.deliveries import Channel, Delivery, Pause
from models.organization import Person, Zone

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def zhuoluo(settings: Settings, zone: Zone) -> Run:
    """`zhuoluo("doctor")`: the command as an operator runs it, in a process of its own."""
    environment = {
        **os.environ,
        "COLUMNS": "200",
        "ZHUOLUO_MODE": "test",
        "ZHUOLUO_DATA_DIR": str(settings.data_dir),
        "ZHUOLUO_DATABASE_URL": settings.database_url.get_secret_value(),
        "ZHUOLUO_REDIS_URL": settings.redis_url.get_secret_value(),
        "ZHUOLUO_SIGNING_KEY": settings.signing_key.get_secret_value(),
    }

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "deploy.cli", *words]
        return subprocess.run(
            command, cwd=ROOT, env=environment | more, capture_output=True, text=True, timeout=60, check=False
        )

    return run


@pytest.fixture
async def clean(zone: Zone) -> Zone:
    """Nothing due, the log sealed."""
    await Promise.all().delete()
    while await audit.seal(zone.id):
        pass
    return zone


async def test_the_doctor_finds_a_clean_state_well(zhuoluo: Run, clean: Zone) -> None:
    told = zhuoluo("doctor")
    assert told.returncode == 0, told.stdout + told.stderr
    for what in ("database", "clock", "redis", "promises", "audit of kfq", "none is open"):
        assert what in told.stdout


async def test_the_doctor_sees_what_is_wrong_although_no_watchdog_runs(
    zhuoluo: Run, clean: Zone, clock_moves: Callable[..., None]
) -> None:
    await outbox.promise(clean.id, calendar.CHANGED)
    clock_moves(minutes=6)
    told = zhuoluo("doctor")
    assert told.returncode == 1
    assert "promises_late in kfq" in told.stdout
    assert "1项到期未办" in told.stdout


async def test_the_doctor_says_so_where_nothing_can_be_told(zhuoluo: Run) -> None:
    told = zhuoluo("doctor", ZHUOLUO_DATABASE_URL="postgres://nobody:x@127.0.0.1:1/none")
    assert told.returncode == 2
    assert "no answer" in told.stdout
    assert "Traceback" not in told.stderr


async def test_without_redis_the_doctor_is_not_worried(zhuoluo: Run, clean: Zone) -> None:
    told = zhuoluo("doctor", ZHUOLUO_REDIS_URL="redis://127.0.0.1:1/0")
    assert (told.returncode, "nothing is lost" in told.stdout) == (0, True), told.stdout


async def test_a_channel_is_paused_and_used_again(zhuoluo: Run, zone: Zone) -> None:
    assert zhuoluo("channel", "pause", "kfq", "sms", "欠费").returncode == 0
    assert "欠费" in zhuoluo("channel", "paused", "kfq").stdout
    assert "欠费" in zhuoluo("doctor").stdout
    assert zhuoluo("channel", "resume", "kfq", "sms").returncode == 0
    again = zhuoluo("channel", "resume", "kfq", "sms")
    assert (again.returncode, "channel_not_paused" in again.stderr) == (1, True)
    assert (await Pause.get()).paused_by == "operator"
    assert await AuditRow.filter(actor="operator", action__startswith="channel.").count() == 2


async def test_quarantine_is_listed_released_and_discarded(
    zhuoluo: Run, clean: Zone, clock_moves: Callable[..., None]
) -> None:
    for _ in range(2):
        await outbox.promise(clean.id, calendar.CHANGED)
    await Promise.all().update(state="quarantined", last_error="KeyError", attempts=12)
    first, second = await Promise.all().order_by("id")
    listed = zhuoluo("promise", "quarantined", "kfq").stdout
    assert str(first.id) in listed and "KeyError" in listed
    assert zhuoluo("promise", "release", "kfq", str(first.id)).returncode == 0
    assert zhuoluo("promise", "discard", "kfq", str(second.id), "数据已删除").returncode == 0
    assert [promise.state.value for promise in await Promise.all().order_by("id")] == ["waiting", "discarded"]


async def test_what_was_kept_since_a_time_is_kept_again_by_a_drain_which_sends_what_is_due(
    zhuoluo: Run, clean: Zone, clock_moves: Callable[..., None]
) -> None:
    day = (await calendar_of(clean.id)).add_working_days(clock.today(), 1)
    clock_moves(seconds=(clock.at(day, 10) - clock.now()).total_seconds())
    person = await Person.create(zone_id=clean.id, staff_no="P1", name="某某", phone="15400000001")
    await deliveries.owe(clean.id, person.id, new_id(), urgent=False, escalation=False, key="k")
    await outbox.promise(clean.id, calendar.CHANGED)
    (claimed,) = await outbox.claim(1)
    await outbox.keep(claimed)
    since = f"{clock.local(clock.now()):%Y-%m-%dT00:00:00}"
    assert "1 promises are due again" in zhuoluo("promise", "replay", "kfq", since).stdout
    drained = zhuoluo("drain")
    assert (drained.returncode, drained.stdout.strip()) == (0, "Nothing is due."), drained.stderr
    assert (await Promise.get()).state.value == "kept"
    assert (await Delivery.get()).channel is Channel.IN_APP
