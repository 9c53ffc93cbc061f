"""The store is away, full, or cut off in the middle: it is said clearly, nothing half is seen, and a retry works."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateways.store import Keys, Store, made
from models.base.errors import Unavailable
from tests.s3 import S3

MEGABYTE = 2**20


@pytest.fixture
def own_s3(tmp_path: Path) -> Iterator[S3]:
    """A server of this test alone, to be killed."""
    with S3(tmp_path / "s3") as running:
        yield running


async def slowly(count: int, after_first: asyncio.Event, go_on: asyncio.Event):
    for number in range(count):
        yield bytes([number]) * MEGABYTE
        if number == 7:  # one part is under way
            after_first.set()
            await go_on.wait()


async def test_s3_killed_in_the_middle_of_an_upload_and_back(own_s3: S3):
    bucket = own_s3.bucket()
    store = Store.open(bucket.url, keys=Keys.read(made()), **bucket.options)
    begun, killed = asyncio.Event(), asyncio.Event()
    upload = asyncio.create_task(store.put("incoming/1", slowly(16, begun, killed)))
    await begun.wait()
    await asyncio.to_thread(own_s3.kill)
    killed.set()
    with pytest.raises(Unavailable) as refused:
        await upload
    assert (refused.value.code, refused.value.status) == ("store_unavailable", 503)
    assert refused.value.extra["retry_after"] == 30
    with pytest.raises(Unavailable):
        await store.read("incoming/1")
    await asyncio.to_thread(own_s3.start)
    assert not await store.exists("incoming/1")
    again = asyncio.Event()
    again.set()
    await store.put("incoming/1", slowly(16, again, again))
    assert await store.promote("incoming/1", "z/a")
    assert len(await store.read("z/a")) == 16 * MEGABYTE


async def test_what_s3_kept_is_there_after_it_was_killed(own_s3: S3):
    bucket = own_s3.bucket()
    store = Store.open(bucket.url, **bucket.options)
    await store.put("incoming/1", b"kept")
    await store.promote("incoming/1", "z/a")
    await asyncio.to_thread(own_s3.kill)
    await asyncio.to_thread(own_s3.start)
    assert await store.read("z/a") == b"kept"


async def test_a_store_that_is_away_is_told_within_the_patience_of_an_upload(own_s3: S3):
    bucket = own_s3.bucket()
    store = Store.open(bucket.url, **bucket.options)
    await asyncio.to_thread(own_s3.kill)
    async with asyncio.timeout(20):
        for work in (store.put("z/a", b"x"), store.read("z/a"), store.exists("z/a"), store.delete("z/a")):
            with pytest.raises(Unavailable):
                await work
        with pytest.raises(Unavailable):
            await store.older("z", None)


async def test_wrong_credentials_are_the_stores_fault_and_not_a_missing_object(s3: S3):
    bucket = s3.bucket()
    store = Store.open(bucket.url, **(bucket.options | {"secret_access_key": "wrong"}))
    with pytest.raises(Unavailable):
        await store.read("z/a")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_is_told_and_leaves_nothing(small_disk: Path):
    store = Store.open(f"file://{small_disk}/objects")
    go = asyncio.Event()
    go.set()
    with pytest.raises(Unavailable):
        await store.put("incoming/1", slowly(16, go, go))
    assert not await store.exists("incoming/1")
    with pytest.raises(Unavailable):
        await store.put("z/a", bytes(8 * MEGABYTE))
    assert await store.put("z/b", b"there is room for this")


@pytest.mark.parametrize("error", [ValueError("the sender's"), ConnectionResetError("the sender left"), TimeoutError()])
async def test_a_senders_failure_is_never_taken_for_the_stores(tmp_path: Path, error):
    store = Store.open(f"file://{tmp_path}/objects", keys=Keys.read(made()))

    async def broken():
        yield bytes(MEGABYTE)
        raise error

    with pytest.raises(type(error)):
        await store.put("incoming/1", broken())
    assert not await store.exists("incoming/1")
