"""Parts that a client brings to a real S3 itself: taken in by the rules of what comes through us, or not at all."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateways.store import Keys, Store, made
from miniprogram_mock.wechat import process as mock
from models import evidence
from models.base.settings import Settings
from models.evidence import Evidence, Upload
from models.evidence.direct import PART
from models.evidence.uploads import direct_key
from models.ledger import Item
from models.organization import Zone
from tests.api.conftest import Answer, Client, Phone, environment, free_port, serving
from tests.api.test_uploads import UPLOADS, begin, facts, noisy, send
from tests.office import Office, open_office
from tests.s3 import S3, Bucket

KEYS = made()
SMALL = 100_000


@pytest.fixture(scope="module")
def bucket(s3: S3) -> Bucket:
    return s3.bucket()


@pytest.fixture(scope="module")
def address(settings: Settings, platform: mock.MockWechat, data_dir: Path, bucket: Bucket, s3: S3) -> Iterator[str]:
    """An API that seals what it keeps in that bucket, which phones reach themselves."""
    port, kept = free_port(), {"ZHUOLUO_OBJECT_STORE_URL": bucket.url, "ZHUOLUO_STORE_KEYS": KEYS}
    told = {**kept, "ZHUOLUO_STORE_PUBLIC_URL": s3.url, **bucket.environment}
    log = data_dir / "api-with-direct-s3.log"
    with serving(
        log, ["tests/api/probe.py", str(port)], port, environment(settings, ZHUOLUO_WECHAT_ORIGIN=platform.url, **told)
    ) as url:
        yield url


@pytest.fixture
def store(bucket: Bucket, s3: S3) -> Store:
    """The same, as a worker has it."""
    return Store.open(bucket.url, keys=Keys.read(KEYS, "aes-256-gcm"), public=s3.url, **bucket.options)


@pytest.fixture
async def office(server: str, zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
async def item(office: Office) -> Item:
    return await office.received()


@pytest.fixture
async def owner(office: Office, phone_of: Callable[..., Any]) -> Phone:
    phone: Phone = await phone_of(office.people["owner"].phone)
    assert (await phone.enter()).status == 200
    return phone


@pytest.fixture
def left(s3: S3, bucket: Bucket, zone: Zone) -> Callable[[], list[str]]:
    """`left()`: what waits to be taken in, whole or in parts."""

    def keys() -> list[str]:
        asked = {"Bucket": bucket.name, "Prefix": f"incoming/{zone.id}/"}
        objects = s3.client.list_objects_v2(**asked).get("Contents", [])
        uploads = s3.client.list_multipart_uploads(**asked).get("Uploads", [])
        return [each["Key"] for each in (*objects, *uploads)]

    return keys


async def begun(phone: Phone, item: Item, photo: bytes, **more: str) -> str:
    answer = await begin(phone, len(photo), facts(item, **more))
    assert answer.status == 201, answer.content
    return f"{UPLOADS}/{answer.content['id']}"


async def missing(phone: Phone, path: str) -> list[dict[str, Any]]:
    answer = await phone.post(f"{path}/parts")
    assert answer.status == 200, answer.content
    parts: list[dict[str, Any]] = answer.content["parts"]
    return parts


async def bring(phone: Client, photo: bytes, part: dict[str, Any], more: bytes = b"") -> int:
    start = (part["number"] - 1) * PART
    async with phone.session.put(part["url"], data=photo[start : start + part["size"]] + more) as response:
        return response.status


async def brought(phone: Phone, path: str, photo: bytes) -> Answer:
    for part in await missing(phone, path):
        assert await bring(phone, photo, part) == 200
    return await phone.post(f"{path}/finish")


async def original(phone: Phone, evidence_id: str) -> bytes:
    url = f"{phone.url}/api/mini/evidence/{evidence_id}/file"
    async with phone.session.get(url, headers=phone.headers) as response:
        assert response.status == 200
        return await response.read()


async def test_what_was_brought_in_parts_becomes_evidence_once(owner, item, left):
    photo = noisy(2 * PART + 1000)
    path = await begun(owner, item, photo, sha256=hashlib.sha256(photo).hexdigest())
    parts = await missing(owner, path)
    assert [(part["number"], part["size"]) for part in parts] == [(1, PART), (2, PART), (3, 1000)]
    answer = await brought(owner, path, photo)
    assert answer.status == 200, answer.content
    assert (answer.content["offset"], answer.content["length"]) == (len(photo), len(photo))
    assert (await owner.post(f"{path}/finish")).content["evidence_id"] == answer.content["evidence_id"]
    assert await missing(owner, path) == []
    assert await original(owner, answer.content["evidence_id"]) == photo
    assert await Evidence.filter(item_id=item.id).count() == 1
    assert left() == []


async def test_only_what_is_missing_is_asked_for_again(owner, item):
    photo = noisy(2 * PART)
    path = await begun(owner, item, photo)
    first, _ = await missing(owner, path)
    assert await bring(owner, photo, first) == 200
    refused = await owner.post(f"{path}/finish")
    assert (refused.status, refused.content["code"], refused.content["missing"]) == (409, "parts_missing", [2])
    assert [part["number"] for part in await missing(owner, path)] == [2]
    assert (await brought(owner, path, photo)).status == 200


async def test_a_part_is_taken_with_its_own_size_only(owner, item):
    photo = noisy(SMALL)
    path = await begun(owner, item, photo)
    (part,) = await missing(owner, path)
    assert await bring(owner, photo, part, more=b"and more") == 403
    assert [part["number"] for part in await missing(owner, path)] == [1]


@pytest.mark.parametrize(
    ("content", "said", "refused"),
    [
        (noisy(SMALL), {"sha256": "0" * 64}, (422, "sha256_mismatch")),
        (b"<script>alert(1)</script>" * 100, {}, (415, "not_a_photo")),
    ],
)
async def test_what_is_refused_is_gone(*, owner, item, left, content, said, refused):
    path = await begun(owner, item, content, **said)
    answer = await brought(owner, path, content)
    assert (answer.status, answer.content["code"]) == refused
    assert (await owner.post(f"{path}/finish")).status == 404
    assert left() == []


async def test_bytes_that_look_sealed_are_only_bytes(owner, item, store, s3, bucket):
    """Whoever has got hold of a sealed object may not have us open it for them."""
    photo = noisy(SMALL)
    made = await brought(owner, await begun(owner, item, photo), photo)
    row = await Evidence.get(id=made.content["evidence_id"])
    key = evidence.address(row.zone_id, row.sha256)
    sealed = s3.client.get_object(Bucket=bucket.name, Key=key)["Body"].read()
    assert await store.read(key) == photo != sealed
    answer = await brought(owner, await begun(owner, item, sealed), sealed)
    assert (answer.status, answer.content["code"]) == (415, "not_a_photo")


async def test_a_process_that_died_in_the_middle_of_finishing_is_followed_by_another(owner, item, store, left):
    photo = noisy(PART + 1000)
    path = await begun(owner, item, photo)
    for part in await missing(owner, path):
        await bring(owner, photo, part)
    upload = await Upload.get(id=UUID(path.rpartition("/")[2]))
    await store.direct.complete(direct_key(upload), upload.multipart)
    assert await missing(owner, path) == []
    answer = await owner.post(f"{path}/finish")
    assert await original(owner, answer.content["evidence_id"]) == photo
    assert left() == []


async def test_one_upload_goes_one_way(owner, item):
    photo = noisy(SMALL)
    path = await begun(owner, item, photo)
    await missing(owner, path)
    refused = await send(owner, path, photo[:1000], 0)
    assert (refused.status, refused.content["code"]) == (409, "upload_goes_direct")
    path = await begun(owner, item, photo)
    assert (await send(owner, path, photo[:1000], 0)).status == 204
    refused = await owner.post(f"{path}/parts")
    assert (refused.status, refused.content["code"]) == (409, "upload_begun")


async def test_nobody_else_gets_an_address_or_finishes(owner, office, item, phone_of):
    path = await begun(owner, item, noisy(SMALL))
    await missing(owner, path)
    other = await phone_of(office.people["colleague"].phone)
    assert (await other.enter()).status == 200
    assert [(await other.post(f"{path}/{what}")).status for what in ("parts", "finish")] == [404, 404]
    assert (await owner.post(f"{UPLOADS}/{uuid4()}/parts")).status == 404


@pytest.mark.parametrize("whole", [False, True])
async def test_what_is_given_up_or_over_leaves_nothing(*, owner, item, zone, store, left, whole):
    photo = noisy(SMALL)
    path = await begun(owner, item, photo)
    (part,) = await missing(owner, path)
    await bring(owner, photo, part)
    upload = await Upload.get(id=UUID(path.rpartition("/")[2]))
    if whole:
        await store.direct.complete(direct_key(upload), upload.multipart)
    assert left() == [direct_key(upload)]
    await Upload.filter(id=upload.id).update(ends_at=upload.ends_at - evidence.LASTS)
    assert (await owner.post(f"{path}/parts")).status == 410
    assert await evidence.sweep_ended(zone.id, store=store) == 1
    assert left() == []
