"""Files over HTTP while the store is away, or an object gone or altered: said clearly, nothing lost."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from gateways.store import made
from miniprogram_mock.wechat import process as mock
from models import evidence
from models.base.settings import Settings
from models.evidence import Blob, Evidence
from models.organization import Zone
from tests import photos
from tests.api.conftest import Answer, Phone, environment, free_port, serving
from tests.office import Office, open_office
from tests.s3 import S3, Bucket

UPLOAD = "/api/mini/evidence/upload"
KEYS = made()


@pytest.fixture(scope="module")
def own_s3(data_dir: Path) -> Iterator[S3]:
    """A server of these tests alone, to be killed."""
    with S3(data_dir / "killed-s3") as running:
        yield running


@pytest.fixture(scope="module")
def bucket(own_s3: S3) -> Bucket:
    return own_s3.bucket()


@pytest.fixture(scope="module")
def address(settings: Settings, platform: mock.MockWechat, data_dir: Path, bucket: Bucket) -> Iterator[str]:
    """An API that keeps its files in that bucket, sealed."""
    port, kept = free_port(), {"ZHUOLUO_OBJECT_STORE_URL": bucket.url, "ZHUOLUO_STORE_KEYS": KEYS}
    told = environment(settings, ZHUOLUO_WECHAT_ORIGIN=platform.url, **kept, **bucket.environment)
    with serving(data_dir / "api-with-s3.log", ["tests/api/probe.py", str(port)], port, told) as url:
        yield url


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
async def owner(office: Office, phone_of: Callable) -> Phone:
    phone = await phone_of(office.people["owner"].phone)
    assert (await phone.enter()).status == 200
    return phone


@pytest.fixture
def object_of(own_s3: S3, bucket: Bucket):
    """`await object_of(evidence_id)`: as botocore names the original's object."""

    async def named(evidence_id: str) -> dict[str, str]:
        row = await Evidence.get(id=evidence_id)
        return {"Bucket": bucket.name, "Key": evidence.address(row.zone_id, row.sha256 or "")}

    return named


async def upload(phone: Phone, content: object, item_id: object, key: str) -> Answer:
    headers = {"Idempotency-Key": key, "Content-Type": "application/octet-stream"}
    return await phone.post(UPLOAD, params={"kind": "photo", "item_id": str(item_id)}, data=content, headers=headers)


async def original(phone: Phone, evidence_id: str) -> Answer:
    return await phone.get(f"/api/mini/evidence/{evidence_id}/file")


async def bytes_of(phone: Phone, evidence_id: str) -> bytes:
    url = f"{phone.url}/api/mini/evidence/{evidence_id}/file"
    async with phone.session.get(url, headers=phone.headers) as response:
        return await response.read()


async def test_while_the_store_is_away_files_are_refused_clearly_and_a_retry_is_the_same_upload(
    office: Office, owner: Phone, own_s3: S3
) -> None:
    item, key, photo = await office.received(), str(uuid4()), photos.jpeg(2000, 1500)
    before = await upload(owner, photos.jpeg(), item.id, str(uuid4()))
    assert before.status == 201, before.text
    sending, killed = asyncio.Event(), asyncio.Event()

    async def in_two_parts():
        yield photo[: len(photo) // 2]
        sending.set()
        await killed.wait()
        yield photo[len(photo) // 2 :]

    upload_ = asyncio.create_task(upload(owner, in_two_parts(), item.id, key))
    await sending.wait()
    await asyncio.to_thread(own_s3.kill)
    killed.set()
    refused = await upload_
    assert (refused.status, refused.code) == (503, "store_unavailable")
    assert refused.headers["retry-after"] == "30"
    read = await original(owner, before.content["id"])
    assert (read.status, read.code) == (503, "store_unavailable")
    assert await Evidence.filter(zone_id=office.zone.id).count() == 1

    await asyncio.to_thread(own_s3.start)
    assert await bytes_of(owner, before.content["id"]) == photos.jpeg()
    taken = await upload(owner, photo, item.id, key)
    assert taken.status == 201, taken.text
    again = await upload(owner, photo, item.id, key)
    assert again.content["id"] == taken.content["id"]
    assert await bytes_of(owner, taken.content["id"]) == photo
    assert await Blob.filter(zone_id=office.zone.id).count() == 2


@pytest.mark.parametrize("content", [b"", photos.jpeg()[:-2000]], ids=["zero bytes", "cut off"])
async def test_what_was_not_sent_whole_is_refused_and_leaves_nothing(
    office: Office, owner: Phone, own_s3: S3, bucket: Bucket, content: bytes
) -> None:
    item = await office.received()
    headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/octet-stream"}
    whole = evidence.address(office.zone.id, "")
    params = {"kind": "photo", "item_id": str(item.id), "sha256": "0" * 64}
    refused = await owner.post(UPLOAD, params=params, data=content, headers=headers)
    assert (refused.status, refused.code in {"file_empty", "sha256_mismatch"}) == (422, True)
    kept = own_s3.client.list_objects_v2(Bucket=bucket.name).get("Contents", [])
    assert [found["Key"] for found in kept if found["Key"].startswith((whole[:36], f"incoming/{office.zone.id}"))] == []


async def test_an_original_that_is_gone_or_altered_is_said_and_never_half_given(
    office: Office, owner: Phone, own_s3: S3, object_of: Callable
) -> None:
    taken = await upload(owner, photos.jpeg(), (await office.received()).id, str(uuid4()))
    named = await object_of(taken.content["id"])
    sealed = own_s3.client.get_object(**named)["Body"].read()
    assert photos.jpeg()[:200] not in sealed
    own_s3.client.put_object(**named, Body=sealed[:50] + bytes(4) + sealed[54:])
    altered = await original(owner, taken.content["id"])
    assert (altered.status, altered.code) == (503, "object_unreadable")
    own_s3.client.delete_object(**named)
    gone = await original(owner, taken.content["id"])
    assert (gone.status, gone.code) == (503, "object_missing")
    own_s3.client.put_object(**named, Body=sealed)
    assert await bytes_of(owner, taken.content["id"]) == photos.jpeg()
