"""Packs over HTTP: asked for at the console, watched, built by a worker, downloaded and checked."""

import io
from typing import Any

import pytest

from gateways.store import Store
from models import packs
from models.base.settings import Settings
from models.organization import Zone
from models.packs import Made, Pack
from tests.api.conftest import Desk
from tests.office import Office, open_office
from tests.packing import closed_with_evidence, drawn_simply

PACKS = "/api/console/packs"


@pytest.fixture
async def office(server: str, zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
def store(settings: Settings) -> Store:
    """The server's."""
    return Store.open(settings.store_url)


@pytest.fixture
def desk_for(office: Office, desk_of: Any) -> Any:
    """`await desk_for("overseer")`: that person's browser."""

    async def make(part: str) -> Desk:
        desk: Desk = await desk_of(office.people[part].id)
        return desk

    return make


async def built(pack_id: str, store: Store) -> None:
    """As a worker does it."""
    pack = await Pack.get(id=pack_id)
    pack = next(found for found in [await packs.begin() for _ in range(20)] if found and found.id == pack.id)
    made = Made(pack, store, drawn_simply)
    await store.put(packs.address(pack), made.stream())
    await packs.finish(pack, made)


async def test_a_pack_is_asked_for_watched_downloaded_and_checked(office: Office, store: Store, desk_for: Any) -> None:
    desk: Desk = await desk_for("overseer")
    item_id = await closed_with_evidence(office, store)
    asked = await desk.post(PACKS, {"item_id": str(item_id)})
    assert (asked.status, asked.content["state_label"]) == (202, "排队中"), asked.text
    one = f"{PACKS}/{asked.content['id']}"
    assert (await desk.get(f"{one}/file")).code == "pack_not_ready"
    await built(asked.content["id"], store)
    shown = (await desk.get(one)).content
    assert (shown["state"], shown["files_done"]) == ("done", shown["files_total"])
    async with desk.session.get(f"{desk.url}{one}/file", headers=desk.headers) as reply:
        content = await reply.read()
        headers = reply.headers
    assert headers["content-disposition"] == f'attachment; filename="pack-{shown["id"]}.zip"'
    assert len(content) == shown["size"]
    assert packs.verify(io.BytesIO(content)) == []
    assert [row["id"] for row in (await desk.get(PACKS)).content["items"]] == [shown["id"]]


async def test_one_of_item_and_campaign_is_named(office: Office, desk_for: Any) -> None:
    desk: Desk = await desk_for("overseer")
    campaign = str(office.campaign.id)
    for body in ({}, {"item_id": campaign, "campaign_id": campaign}):
        assert (await desk.post(PACKS, body)).code == "invalid_body"
    assert (await desk.post(PACKS, {"campaign_id": campaign})).code == "nothing_to_pack"


async def test_a_pack_is_cancelled(office: Office, desk_for: Any) -> None:
    desk: Desk = await desk_for("overseer")
    asked = await desk.post(PACKS, {"item_id": str((await office.issued()).id)})
    cancelled = await desk.post(f"{PACKS}/{asked.content['id']}/cancel")
    assert cancelled.content["state_label"] == "已取消", cancelled.text


async def test_who_does_not_oversee_sees_no_packs(office: Office, desk_for: Any) -> None:
    leader: Desk = await desk_for("leader")
    assert (await leader.get(PACKS)).code == "role_missing"
