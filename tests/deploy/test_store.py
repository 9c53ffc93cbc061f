"""The object store from the command line: keys turn, originals are verified, the doctor says how it is kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.commands.store import AT_ONCE
from gateways.store import Keys, Store, made
from models import evidence
from models.evidence import Blob, Damage, Kind, Submission
from models.organization import Zone
from tests import photos
from tests.deploy.test_operating import zhuoluo as zhuoluo  # noqa: PLC0414 — the fixture
from tests.office import open_office
from tests.s3 import S3

Run = Callable[..., subprocess.CompletedProcess[str]]
MANY = 5 * AT_ONCE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def told(folder: Path) -> dict[str, str]:
    return {"ZHUOLUO_OBJECT_STORE_URL": f"file://{folder}"}


def opened(folder: Path, *masters: str) -> Store:
    return Store.open(f"file://{folder}", keys=Keys.read(" ".join(masters)))


async def test_every_key_turns_and_then_the_old_one_may_go(zhuoluo: Run, folder: Path, told: dict[str, str]) -> None:
    old, new = made(), zhuoluo("store", "key").stdout.strip()
    for number in range(MANY):
        await opened(folder, old).put(f"z/{number}", b"content")
    await opened(folder).put("z/plain", b"content")
    done = zhuoluo("store", "rotate", **told, ZHUOLUO_STORE_KEYS=f"{new}\n{old}\n")
    assert done.returncode == 0, done.stderr
    assert f"{MANY} objects turned, 1 needed nothing, 0 failed" in done.stdout
    again = zhuoluo("store", "rotate", **told, ZHUOLUO_STORE_KEYS=f"{new} {old}")
    assert f"0 objects turned, {MANY + 1} needed nothing" in again.stdout
    assert {await opened(folder, new).read(f"z/{number}") for number in range(MANY)} == {b"content"}


def killed_in_the_middle(folder: Path, told: dict[str, str]) -> None:
    environment = {**os.environ, **told, "ZHUOLUO_MODE": "test"}
    with subprocess.Popen([sys.executable, "-m", "deploy.cli", "store", "rotate"], env=environment) as rotating:
        while rotating.poll() is None and not (folder / "envelopes").exists():
            time.sleep(0.001)
        rotating.send_signal(signal.SIGKILL)


async def test_a_rotation_that_was_killed_goes_on(zhuoluo: Run, folder: Path, told: dict[str, str]) -> None:
    old, new = made(), made()
    for number in range(MANY):
        await opened(folder, old).put(f"z/{number}", b"content")
    both = told | {"ZHUOLUO_STORE_KEYS": f"{new} {old}"}
    killed_in_the_middle(folder, both)
    assert zhuoluo("store", "rotate", **both).returncode == 0
    assert {await opened(folder, new).read(f"z/{number}") for number in range(MANY)} == {b"content"}


async def test_a_key_that_is_not_there_is_named_and_the_rest_turns(
    zhuoluo: Run, folder: Path, told: dict[str, str]
) -> None:
    lost, old, new = made(), made(), made()
    await opened(folder, lost).put("z/lost", b"content")
    await opened(folder, old).put("z/old", b"content")
    done = zhuoluo("store", "rotate", **told, ZHUOLUO_STORE_KEYS=f"{new} {old}")
    assert done.returncode == 1
    assert "z/lost" in done.stdout
    assert Keys.read(lost).current in done.stdout  # type: ignore[union-attr]
    assert "1 objects turned, 0 needed nothing, 1 failed" in done.stdout


def test_without_a_key_there_is_nothing_to_turn_to(zhuoluo: Run, told: dict[str, str]) -> None:
    done = zhuoluo("store", "rotate", **told)
    assert (done.returncode, "ZHUOLUO_STORE_KEYS" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


async def test_every_original_is_hashed_and_what_is_damaged_named(
    zhuoluo: Run, zone: Zone, folder: Path, told: dict[str, str]
) -> None:
    office, kept = await open_office(zone), opened(folder)
    item = await office.received()
    for content in (photos.jpeg(), photos.png(64, 64), photos.pdf()):

        async def sent(whole: bytes = content):
            yield whole

        kind = Kind.DOCUMENT if content.startswith(b"%PDF") else Kind.PHOTO
        received = await evidence.take_in(zone.id, kind, sent(), store=kept)
        await evidence.attach(
            Submission(client_id=uuid4(), kind=kind, item_id=item.id, received=received), by=office.owner
        )
    altered, missing, whole = await Blob.filter(zone_id=zone.id).order_by("sha256")
    (folder / evidence.address(zone.id, altered.sha256)).write_bytes(b"something else")
    (folder / evidence.address(zone.id, missing.sha256)).unlink()
    done = zhuoluo("store", "verify", **told)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "3 originals hashed, 2 damaged" in done.stdout
    assert f"{evidence.address(zone.id, altered.sha256)}: altered" in done.stdout
    assert f"{evidence.address(zone.id, missing.sha256)}: missing" in done.stdout
    found = {blob.sha256: blob.damage for blob in await Blob.all()}
    assert found == {altered.sha256: Damage.ALTERED, missing.sha256: Damage.MISSING, whole.sha256: None}
    assert "0 originals hashed, 0 damaged" in zhuoluo("store", "verify", "--days", "1", **told).stdout


async def test_the_doctor_says_how_evidence_is_kept(zhuoluo: Run, zone: Zone, s3: S3, told: dict[str, str]) -> None:
    sealed = made()
    said = zhuoluo("doctor", **told, ZHUOLUO_STORE_KEYS=sealed, ZHUOLUO_STORE_RETENTION_DAYS="30").stdout
    assert "keeps what is there" in said
    assert f"under master key {Keys.read(sealed).current}" in said  # type: ignore[union-attr]
    assert "not had" in said
    bucket = s3.bucket(locking=True)
    there = {"ZHUOLUO_OBJECT_STORE_URL": bucket.url, **bucket.environment, "ZHUOLUO_STORE_RETENTION_DAYS": "30"}
    said = zhuoluo("doctor", **there).stdout
    assert "keeps what is there" in said
    assert "originals for 30 days" in said
    assert "not sealed" in said
    away = zhuoluo("doctor", **there | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert (away.returncode, "no file is taken" in away.stdout) == (1, True)
