"""Originals are hashed again, damage is told, and a worker that dies in between loses nothing."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from gateways.store import Keys, Store, made
from models import evidence, watchdog
from models.base.alarms import Alarm, AlarmKind
from models.base.errors import Unavailable
from models.base.settings import StoreSettings
from models.evidence import Blob, Damage, DerivationState, Evidence, Form, Kind, Submission
from models.evidence.tables import Derivation
from models.organization import Zone
from tests import photos
from tests.office import Office, open_office
from tests.workers.conftest import WorkerProcess
from workers.evidence import VERIFIED_BYTES, verify, verify_one
from workers.relay import SWEEPS, Context, Relay

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def worker_settings(worker_settings: Any, tmp_path: Path) -> Any:
    """Sealed, in a folder of this test's own."""
    told = {"object_store_url": f"file://{tmp_path}/objects", "store": StoreSettings(keys=made())}  # type: ignore[arg-type]
    return worker_settings.model_copy(update=told)


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def submitted(office: Office, store: Store, content: bytes) -> Evidence:
    async def sent():
        yield content

    item = await office.received()
    received = await evidence.take_in(office.zone.id, Kind.PHOTO, sent(), store=store)
    given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=item.id, received=received)
    return await evidence.attach(given, by=office.owner)


def file_of(context: Context, row: Evidence) -> Path:
    return Path(context.settings.store_url.removeprefix("file://")) / evidence.address(row.zone_id, row.sha256 or "")


async def damages(office: Office) -> dict[str, Damage | None]:
    return {blob.sha256: blob.damage for blob in await Blob.filter(zone_id=office.zone.id)}


async def test_every_original_is_hashed_again_within_a_month_and_no_sooner(
    office: Office, context: Context, clock_moves: Callable[..., None]
) -> None:
    row = await submitted(office, context.store, photos.jpeg())
    await verify(context)
    assert (await Blob.get(sha256=row.sha256)).verified_at is None
    clock_moves(days=30)
    await verify(context)
    first = (await Blob.get(sha256=row.sha256)).verified_at
    assert first is not None
    await verify(context)
    assert (await Blob.get(sha256=row.sha256)).verified_at == first


async def test_what_is_missing_altered_or_locked_is_an_alarm_until_it_is_put_back(
    office: Office, context: Context, clock_moves: Callable[..., None]
) -> None:
    zone_id = office.zone.id
    rows = [await submitted(office, context.store, photos.png(64, 64 + number)) for number in range(4)]
    missing, altered, locked, whole = rows
    before = {row.sha256: file_of(context, row).read_bytes() for row in rows}
    file_of(context, missing).unlink()
    file_of(context, altered).write_bytes(before[altered.sha256][:-1])
    file_of(context, locked).unlink()
    elsewhere = Store.open(context.settings.store_url, keys=Keys.read(made()))
    await elsewhere.put(evidence.address(zone_id, locked.sha256 or ""), photos.png(64, 66))
    clock_moves(days=30)
    await verify(context)
    found = {missing.sha256: Damage.MISSING, altered.sha256: Damage.ALTERED, locked.sha256: Damage.LOCKED}
    assert await damages(office) == {**found, whole.sha256: None}
    await watchdog.look(zone_id)
    alarms = await Alarm.filter(kind=AlarmKind.EVIDENCE_DAMAGED, cleared_at__isnull=True)
    assert {alarm.subject: alarm.detail for alarm in alarms} == {sha: damage.label for sha, damage in found.items()}

    for row in (missing, altered, locked):
        file_of(context, row).write_bytes(before[row.sha256])
    clock_moves(days=1)
    await verify(context)
    await watchdog.look(zone_id)
    assert set((await damages(office)).values()) == {None}
    assert await Alarm.filter(kind=AlarmKind.EVIDENCE_DAMAGED, cleared_at__isnull=True).count() == 0


async def test_a_whole_object_exchanged_for_another_is_found(
    office: Office, context: Context, clock_moves: Callable[..., None]
) -> None:
    one = await submitted(office, context.store, photos.png(64, 64))
    other = await submitted(office, context.store, photos.png(64, 65))
    file_of(context, one).write_bytes(file_of(context, other).read_bytes())
    clock_moves(days=30)
    await verify(context)
    assert await damages(office) == {one.sha256: Damage.ALTERED, other.sha256: None}


async def test_a_round_takes_so_many_bytes_and_two_workers_never_the_same(
    office: Office, context: Context, clock_moves: Callable[..., None]
) -> None:
    rows = [await submitted(office, context.store, photos.png(64, 64 + number)) for number in range(6)]
    await Blob.filter(zone_id=office.zone.id).update(size=VERIFIED_BYTES // 2)
    clock_moves(days=30)
    first = await evidence.claim_unverified(office.zone.id, VERIFIED_BYTES)
    second = await evidence.claim_unverified(office.zone.id, VERIFIED_BYTES)
    assert (len(first), len(second)) == (2, 2)
    assert not {sha256 for sha256, _ in first} & {sha256 for sha256, _ in second}
    clock_moves(minutes=11)  # both died: theirs are due again
    claimed = set()
    for _ in range(3):
        claimed |= {sha256 for sha256, _ in await evidence.claim_unverified(office.zone.id, VERIFIED_BYTES)}
    assert claimed == {row.sha256 for row in rows}


async def test_a_store_that_is_away_says_nothing_of_its_originals(office: Office, context: Context) -> None:
    row = await submitted(office, context.store, photos.jpeg())
    away = Store.open("s3://b", endpoint="http://127.0.0.1:9", region="us-east-1", client_options={"allow_http": True})
    with pytest.raises(Unavailable):
        await verify_one(away, office.zone.id, row.sha256 or "")
    assert await damages(office) == {row.sha256: None}


async def test_a_worker_killed_in_the_middle_of_drawing_loses_nothing(
    *,
    office: Office,
    context: Context,
    worker: WorkerProcess,
    database: str,
    clock_moves: Callable[..., None],
    until: Callable[..., Any],
) -> None:
    row = await submitted(office, context.store, photos.jpeg(1600, 1200))
    told = context.settings.store.keys.get_secret_value()
    worker.environment |= {"ZHUOLUO_OBJECT_STORE_URL": context.settings.store_url, "ZHUOLUO_STORE_KEYS": told}
    holder = await asyncpg.connect(database)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("lock table hold in access exclusive mode")  # drawn, and not yet stored
    worker.start()
    waiting = "select count(*) from pg_locks where not granted and relation = 'hold'::regclass"
    await until(lambda: holder.fetchval(waiting))
    worker.end(signal.SIGKILL)
    await transaction.rollback()
    await holder.close()
    assert {derivation.state for derivation in await Derivation.all()} == {DerivationState.WAITING}

    clock_moves(minutes=2)  # its lease is over
    await Relay(context).drain()
    view = await evidence.picture_of(row, Form.VIEW)
    assert len(await context.store.read(evidence.address(row.zone_id, view.sha256 or ""))) == view.size
    assert await context.store.read(evidence.address(row.zone_id, row.sha256 or "")) == photos.jpeg(1600, 1200)


def test_the_rounds_are_made_by_every_worker() -> None:
    assert {"verify", "sweep_unnamed", "sweep_incoming"} <= {sweep.__name__ for _, sweep in SWEEPS}
