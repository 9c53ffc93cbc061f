"""The object store, on the local disk and in a real S3, sealed and not, alike."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from gateways.store import Keys, Missing, Store, made
from models.base import clock
from tests.s3 import S3

MEGABYTE = 2**20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def on_disk(folder: Path) -> Store:
    return Store.open(f"file://{folder}")


@pytest.fixture(params=[None, "aes-256-gcm", "sm4-gcm"], ids=["plain", "aes", "sm4"])
def keys(request: pytest.FixtureRequest) -> Keys | None:
    return Keys.read(made(), request.param) if request.param else None


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, folder: Path, keys: Keys | None) -> Store:
    if request.param == "disk":
        return Store.open(f"file://{folder}", keys=keys)
    s3: S3 = request.getfixturevalue("s3")
    bucket = s3.bucket()
    return Store.open(bucket.url, keys=keys, **bucket.options)


async def pieces(count: int, fail: type[Exception] | None = None):
    for number in range(count):
        yield bytes([number]) * MEGABYTE
    if fail:
        raise fail


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_nobody_else_of_the_machine_enters_the_folder(on_disk, folder):
    assert folder.stat().st_mode & 0o777 == 0o700
    beside = Store.open(f"file://{folder}%20two")
    await beside.put("z/a", b"words")
    assert (folder.parent / "objects two" / "z" / "a").read_bytes() == b"words"


async def test_what_is_put_in_pieces_is_read_back(store):
    await store.put("z/a", pieces(12))
    content = await store.read("z/a")
    assert len(content) == 12 * MEGABYTE
    assert content[::MEGABYTE] == bytes(range(12))


async def test_a_streams_witness_has_seen_all_of_it_in_its_order_when_it_is_kept(store):
    seen: list[bytes] = []
    await store.put("z/a", pieces(12), witness=seen.append)
    assert b"".join(seen) == await store.read("z/a")
    await store.put("z/b", pieces(0), witness=seen.append)
    assert len(seen) == 12


async def test_more_streams_at_once_than_there_is_room_for_are_each_kept_whole(on_disk):
    """So many that each gathers less than one alone."""

    async def small(number: int):
        for _ in range(8):
            yield bytes([number]) * 60_000

    await asyncio.gather(*(on_disk.put(f"z/{number}", small(number)) for number in range(100)))
    for number in range(100):
        assert await on_disk.read(f"z/{number}") == bytes([number]) * 480_000


async def test_a_stream_that_breaks_off_leaves_nothing(store, folder):
    with pytest.raises(ValueError):
        await store.put("z/a", pieces(12, ValueError))
    assert not await store.exists("z/a")
    assert files(folder) == []  # nothing at all on the disk


async def test_of_a_put_that_is_cancelled_nothing_is_seen(store):
    begun = asyncio.Event()

    async def endless():
        while True:
            yield bytes(MEGABYTE)
            begun.set()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(store.put("z/a", endless()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await store.exists("z/a")


async def test_what_killed_puts_left_is_swept_once_it_is_old(on_disk, folder):
    await on_disk.put("incoming/whole", b"whole")
    (folder / "incoming" / "half#1").write_bytes(b"ha")
    assert await on_disk.sweep_unfinished("incoming", clock.now() - timedelta(minutes=1)) == 0
    assert await on_disk.sweep_unfinished("incoming", clock.now() + timedelta(minutes=1)) == 1
    assert files(folder) == [folder / "incoming" / "whole"]


async def test_of_two_promoted_to_one_address_the_first_stays(store):
    await store.put("incoming/1", b"first")
    await store.put("incoming/2", b"second")
    assert await store.promote("incoming/1", "z/a")
    assert not await store.promote("incoming/2", "z/a")
    assert await store.read("z/a") == b"first"
    assert not await store.exists("incoming/2")


async def test_what_is_put_is_never_replaced(store):
    assert await store.put("z/a", b"first")
    assert not await store.put("z/a", b"second")
    assert await store.read("z/a") == b"first"


async def test_many_promoted_to_one_address_at_once_leave_one(store):
    for number in range(8):
        await store.put(f"incoming/{number}", b"the same")
    fresh = await asyncio.gather(*(store.promote(f"incoming/{number}", "z/a") for number in range(8)))
    assert sum(fresh) == 1
    assert await store.read("z/a") == b"the same"


async def test_an_empty_object_is_an_object(store):
    await store.put("z/a", b"")
    await store.put("z/b", pieces(0))
    assert (await store.read("z/a"), await store.read("z/b")) == (b"", b"")


async def test_what_is_not_there_is_missing(store):
    with pytest.raises(Missing):
        await store.read("z/nothing")
    with pytest.raises(Missing), store.reader("z/nothing", 5) as file:
        file.read()
    await store.delete("z/nothing")


async def test_a_reader_seeks_without_reading_all(store):
    await store.put("z/a", bytes(range(256)) * 4096)
    with store.reader("z/a", MEGABYTE) as file:
        assert file.seek(-2, 2) == MEGABYTE - 2
        assert file.read() == b"\xfe\xff"
        file.seek(256 * 1024 + 1)
        assert file.read(3) == b"\x01\x02\x03"
        file.seek(65_534)  # over the edge of two chunks
        assert file.read(4) == b"\xfe\xff\x00\x01"
        file.seek(0)
        assert file.read() == bytes(range(256)) * 4096


async def test_only_older_objects_are_listed(store):
    await store.put("incoming/1", b"x")
    assert await store.older("incoming", clock.now() + timedelta(minutes=1)) == ["incoming/1"]
    assert await store.older("incoming", clock.now() - timedelta(minutes=1)) == []


async def test_a_key_cannot_leave_the_folder(on_disk, folder):
    with pytest.raises(Exception, match=r"(?i)path|segment"):
        await on_disk.put("../outside", b"x")
    assert not (folder.parent / "outside").exists()
