"""What nobody names is removed, and never while somebody is about to name it, in whichever order they come."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from gateways.store import Keys, Store, made
from models import evidence
from models.base import clock
from models.base.errors import Unavailable
from models.evidence import Blob, Evidence, Hold, Kind, Received, Submission
from models.ledger import Item
from models.organization import Zone
from tests import photos
from tests.office import Office, open_office
from workers.evidence import clear_unnamed

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"file://{tmp_path}/objects", keys=Keys.read(made()))


async def taken(zone: Zone, store: Store, content: bytes) -> Received:
    async def sent():
        yield content

    return await evidence.take_in(zone.id, Kind.PHOTO, sent(), store=store)


async def attached(office: Office, item: Item, received: Received) -> Evidence:
    given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=item.id, received=received)
    return await evidence.attach(given, by=office.owner)


def soon():
    """However young: what the sweep takes for a week old."""
    return clock.now() + timedelta(minutes=1)


async def test_what_was_never_attached_is_removed_with_its_envelope_once_it_is_old(
    zone: Zone, store: Store, clock_moves: Callable[..., None]
) -> None:
    received = await taken(zone, store, photos.jpeg())
    address = evidence.address(zone.id, received.sha256)
    await store.put(f"envelopes/{address}", b"an envelope")
    clock_moves(hours=2)  # the upload's own hold is over
    assert await clear_unnamed(store, zone.id, evidence.unnamed_before()) == 0
    assert await clear_unnamed(store, zone.id, soon()) == 1
    assert not await store.exists(address)
    assert await store.older("", soon()) == []
    assert await Hold.all().count() == 0


async def test_an_original_and_its_pictures_are_never_removed(
    zone: Zone, office: Office, store: Store, clock_moves: Callable[..., None]
) -> None:
    item, received = await office.received(), await taken(zone, store, photos.jpeg())
    row = await attached(office, item, received)
    view, thumbnail = "a" * 64, "b" * 64
    for sha256 in (view, thumbnail):
        await store.put(evidence.address(zone.id, sha256), b"a picture")
    await evidence.drawn(zone.id, row.id, {evidence.Form.VIEW: (view, 9), evidence.Form.THUMBNAIL: (thumbnail, 9)})
    clock_moves(days=30)
    assert await clear_unnamed(store, zone.id, soon()) == 0
    for sha256 in (received.sha256, view, thumbnail):
        assert await store.exists(evidence.address(zone.id, sha256))


async def test_what_an_upload_found_there_waits_for_it_to_be_attached(
    zone: Zone, office: Office, store: Store, clock_moves: Callable[..., None]
) -> None:
    item, photo = await office.received(), photos.jpeg()
    await taken(zone, store, photo)
    clock_moves(days=8)
    received = await taken(zone, store, photo)  # finds the one of last week
    assert await clear_unnamed(store, zone.id, soon()) == 0
    await attached(office, item, received)
    clock_moves(hours=2)
    assert await clear_unnamed(store, zone.id, soon()) == 0
    assert await store.read(evidence.address(zone.id, received.sha256)) == photo


async def test_an_upload_in_the_moment_of_removal_is_asked_to_come_again(
    zone: Zone, store: Store, clock_moves: Callable[..., None]
) -> None:
    photo = photos.jpeg()
    received = await taken(zone, store, photo)
    clock_moves(hours=2)
    assert await evidence.begin_clearing(zone.id, received.sha256)
    with pytest.raises(Unavailable) as refused:
        await taken(zone, store, photo)
    assert refused.value.code == "address_busy"
    await store.delete(evidence.address(zone.id, received.sha256))
    await evidence.cleared(zone.id, received.sha256)
    await taken(zone, store, photo)
    assert await store.read(evidence.address(zone.id, received.sha256)) == photo


async def test_a_sweep_that_died_keeps_an_address_for_ten_minutes_only(
    zone: Zone, store: Store, clock_moves: Callable[..., None]
) -> None:
    assert await evidence.begin_clearing(zone.id, "a" * 64)
    with pytest.raises(Unavailable):
        await evidence.hold(zone.id, "a" * 64)
    clock_moves(minutes=11)
    await evidence.hold(zone.id, "a" * 64)


async def test_another_zones_rows_name_nothing_here(zone: Zone, office: Office, store: Store) -> None:
    received = await taken(zone, store, photos.jpeg())
    await attached(office, await office.received(), received)
    assert await evidence.unnamed(uuid4(), [received.sha256]) == {received.sha256}
    assert await evidence.unnamed(zone.id, [received.sha256]) == set()


async def test_uploads_and_sweeps_at_once_never_lose_what_was_attached(
    zone: Zone, office: Office, store: Store, clock_moves: Callable[..., None]
) -> None:
    contents = [photos.png(64, 64 + number) for number in range(5)]
    item, cleared = await office.received(), 0

    async def upload(number: int, *, attach: bool) -> None:
        with suppress(Unavailable):  # in the moment of removal
            received = await taken(zone, store, contents[number])
            if attach:
                await attached(office, item, received)

    for turn in range(8):
        uploads = [upload(number % 4, attach=number == turn) for number in range(8)]
        if turn % 2 == 0:
            uploads.append(upload(4, attach=False))  # which nobody holds in the next turn
        *_, one, other = await asyncio.gather(
            *uploads, clear_unnamed(store, zone.id, soon()), clear_unnamed(store, zone.id, soon())
        )
        cleared += one + other
        for blob in await Blob.filter(zone_id=zone.id):
            assert len(await store.read(evidence.address(zone.id, blob.sha256))) == blob.size
        clock_moves(hours=2)  # what was not attached may be removed by the next turn
    assert cleared
    assert await Blob.filter(zone_id=zone.id).count() > 1
