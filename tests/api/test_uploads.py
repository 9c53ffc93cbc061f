"""A file in parts by tus 1.0.0: spoken by the protocol's own client, and word by word."""

import asyncio
import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from gateways.store import Store
from models import evidence, organization
from models.base import clock
from models.base.settings import Settings
from models.evidence import Evidence, Upload, UploadPart
from models.ledger import Item
from models.organization import Zone
from tests import photos
from tests.api.conftest import CHECKOUT, Answer, Client, Phone, environment, free_port
from tests.office import Office, open_office

UPLOADS = "/api/mini/evidence/uploads"
BODY = "application/offset+octet-stream"
CLIENT = Path(__file__).parent / "tus_client.mjs"
MEGABYTE = 2**20
pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
async def item(office: Office) -> Item:
    return await office.received()


@pytest.fixture
async def owner(office: Office, phone_of: Any) -> Phone:
    phone: Phone = await phone_of(office.people["owner"].phone)
    assert (await phone.enter()).status == 200
    return phone


@pytest.fixture
def kept(settings: Settings, zone: Zone) -> Any:
    """`kept()`: names of all files that the server keeps of this zone; `kept.files()`, the files."""
    return Kept(settings.data_dir / "objects", str(zone.id))


class Kept:
    def __init__(self, objects: Path, zone: str) -> None:
        self.folders = (objects / zone, objects / "incoming" / zone)

    def files(self) -> list[Path]:
        return [path for folder in self.folders for path in folder.rglob("*") if path.is_file()]

    def __call__(self) -> list[str]:
        return [path.name for path in self.files()]


def noisy(size: int) -> bytes:
    """A photo of `size` bytes."""
    photo = photos.jpeg()
    return photo + os.urandom(size - len(photo))


def metadata(**said: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


def facts(item: Item, **more: str) -> dict[str, str]:
    return {"kind": "photo", "item_id": str(item.id), "client_id": str(uuid4()), **more}


async def begin(phone: Client, length: int, said: dict[str, str], body: bytes | None = None, **headers: str) -> Answer:
    told = {"Tus-Resumable": "1.0.0", "Upload-Length": str(length), "Upload-Metadata": metadata(**said)}
    if body is not None:
        told["Content-Type"] = BODY
    return await phone.post(UPLOADS, data=body, headers=told | headers)


async def send(phone: Client, path: str, content: Any, offset: int, method: str = "PATCH", **headers: str) -> Answer:
    told = {"Tus-Resumable": "1.0.0", "Upload-Offset": str(offset), "Content-Type": BODY}
    return await phone.call(method, path, data=content, headers=told | headers)


async def offset(phone: Client, path: str) -> int:
    answer = await phone.call("HEAD", path, headers={"Tus-Resumable": "1.0.0"})
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


def checksum(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


async def soon(true: Any, *given: Any) -> None:
    """Wait until `await true(*given)`."""
    async with asyncio.timeout(20):
        while not await true(*given):  # noqa: ASYNC110 — what it waits for is another process
            await asyncio.sleep(0.01)


# by the protocol's own client


async def by_client(tmp_path: Path, phone: Client, content: bytes, said: dict[str, str], **options: Any) -> list[Any]:
    """What tus-js-client said, a value a line."""
    file = tmp_path / "photo.jpg"
    file.write_bytes(content)
    endpoint, headers = options.pop("url", phone.url) + UPLOADS, dict(phone.headers)
    asked = {"file": str(file), "endpoint": endpoint, "headers": headers, "metadata": said, **options}
    client = await asyncio.create_subprocess_exec("node", str(CLIENT), json.dumps(asked), stdout=subprocess.PIPE)
    out, _ = await client.communicate()
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunkSize": 200_000},
        {"uploadDataDuringCreation": True},
        {"chunkSize": 300_000, "overridePatchMethod": True},
    ],
)
async def test_the_protocols_own_client_brings_a_file(tmp_path, owner, item, kept, options):
    photo = noisy(MEGABYTE)
    said = facts(item, filename="../../照片.jpg", filetype="text/html", sha256=hashlib.sha256(photo).hexdigest())
    *_, last = await by_client(tmp_path, owner, photo, said, **options)
    assert last["done"]
    made = await Evidence.get(client_id=said["client_id"])
    assert made.sha256 == hashlib.sha256(photo).hexdigest()
    async with owner.session.get(f"{owner.url}/api/mini/evidence/{made.id}/file", headers=owner.headers) as response:
        assert await response.read() == photo
    assert kept() == [made.sha256]


async def test_an_upload_goes_on_after_the_api_was_killed(tmp_path, owner, item, settings, platform):
    photo, said = noisy(3 * MEGABYTE), facts(item)
    port, log = free_port(), (tmp_path / "api.log").open("wb")
    told = environment(settings, ZHUOLUO_WECHAT_ORIGIN=platform.url)

    def served() -> subprocess.Popen[bytes]:
        command = [sys.executable, "tests/api/probe.py", str(port)]
        return subprocess.Popen(command, cwd=CHECKOUT, env=told, stdout=log, stderr=log, start_new_session=True)

    api = served()
    await ready(owner, port)
    sending = asyncio.create_task(
        by_client(tmp_path, owner, photo, said, url=f"http://127.0.0.1:{port}", chunkSize=100_000, retries=100)
    )
    await soon(Upload.filter(client_id=said["client_id"], arrived__gt=MEGABYTE).exists)
    os.kill(api.pid, signal.SIGKILL)
    api.wait()
    before = await Upload.get(client_id=said["client_id"])
    api = served()
    try:
        spoken = await sending
    finally:
        api.terminate()
        api.wait()
    offsets = [line["offset"] for line in spoken if "offset" in line]
    assert spoken[-1]["done"]
    assert MEGABYTE < before.arrived < 3 * MEGABYTE
    assert len(offsets) in (30, 31, 32)  # nothing was sent twice but what was under way
    assert (await Evidence.get(client_id=said["client_id"])).sha256 == hashlib.sha256(photo).hexdigest()


async def ready(phone: Client, port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                async with phone.session.get(f"http://127.0.0.1:{port}/healthz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def test_the_protocols_own_client_hears_why_a_file_is_refused(tmp_path, owner, item, kept):
    said = facts(item)
    *_, last = await by_client(tmp_path, owner, b"<html>" + noisy(200_000), said, chunkSize=100_000)
    assert last == {"status": 415, "code": "not_a_photo"}
    assert kept() == []
    assert not await Upload.filter(client_id=said["client_id"]).exists()


# word by word


async def test_the_server_says_what_it_offers(owner):
    answer = await owner.call("OPTIONS", UPLOADS)
    assert answer.status == 204
    assert answer.headers["tus-resumable"] == answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,creation-with-upload,checksum,expiration,termination"
    assert answer.headers["tus-max-size"] == str(50 * MEGABYTE)
    assert answer.headers["tus-checksum-algorithm"] == "sha256,sha1"


async def test_another_version_is_told_which_one_is_spoken(owner, item):
    for version in ({}, {"Tus-Resumable": "0.2.2"}):
        headers = {"Upload-Length": "9", "Upload-Metadata": metadata(**facts(item)), **version}
        answer = await owner.post(UPLOADS, headers=headers)
        assert (answer.status, answer.code) == (412, "tus_version")
        assert answer.headers["tus-version"] == "1.0.0"


async def test_parts_are_put_together_and_each_request_says_how_far_it_is(owner, item, kept):
    photo, said = noisy(250_000), facts(item)
    begun = await begin(owner, len(photo), said)
    path = begun.headers["location"]
    assert (begun.status, begun.content["offset"], begun.content["evidence_id"]) == (201, 0, None)
    assert begun.headers["upload-expires"].endswith("GMT")
    first = await send(owner, path, photo[:100_000], 0, **{"Upload-Checksum": checksum(photo[:100_000])})
    assert (first.status, first.headers["upload-offset"], first.headers["tus-resumable"]) == (204, "100000", "1.0.0")
    assert await offset(owner, path) == 100_000
    second = await send(owner, path, photo[100_000:200_000], 100_000)
    assert second.headers["upload-offset"] == "200000"
    assert not await Evidence.filter(client_id=said["client_id"]).exists()
    rest = photo[200_000:]
    third = await send(owner, path, rest, 200_000, **{"Upload-Checksum": checksum(rest, "sha1")})
    assert (third.status, third.headers["upload-offset"]) == (204, "250000")
    made = await Evidence.get(client_id=said["client_id"])
    assert made.sha256 == hashlib.sha256(photo).hexdigest()
    assert (await owner.get(path)).content["evidence_id"] == str(made.id)
    assert kept() == [made.sha256]
    assert not await UploadPart.filter(zone_id=made.zone_id).exists()


async def test_whoever_cannot_send_a_patch_says_so_in_a_header(owner, item):
    photo = noisy(50_000)
    path = (await begin(owner, len(photo), facts(item))).headers["location"]
    plain = await send(owner, path, photo, 0, method="POST")
    assert (plain.status, plain.code) == (400, "override_expected")
    sent = await send(owner, path, photo, 0, method="POST", **{"X-HTTP-Method-Override": "PATCH"})
    assert sent.status == 204


async def test_an_offset_is_compared_and_never_believed(owner, item):
    photo = noisy(100_000)
    path = (await begin(owner, len(photo), facts(item))).headers["location"]
    for wrong in (1, 99_999, 10**14):
        answer = await send(owner, path, photo[-1:], wrong)
        assert (answer.status, answer.code, answer.content["offset"]) == (409, "offset_mismatch", 0)
    for unreadable in ("-1", "x", "", "1e3", "９"):
        answer = await send(owner, path, photo, 0, **{"Upload-Offset": unreadable.encode().decode("latin-1")})
        assert (answer.status, answer.code) == (422, "invalid_header")
    assert await offset(owner, path) == 0


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_of_bytes_that_changed_on_the_way_none_is_kept(owner, item, kept, algorithm):
    photo = noisy(100_000)
    path = (await begin(owner, len(photo), facts(item))).headers["location"]
    wrong = checksum(b"something else", algorithm)
    for content in (photo[:50_000], photo):
        answer = await send(owner, path, content, 0, **{"Upload-Checksum": wrong})
        assert (answer.status, answer.code) == (460, "checksum_mismatch")
    assert kept() == []
    assert await offset(owner, path) == 0
    unknown = await send(owner, path, photo, 0, **{"Upload-Checksum": "md5 AAAA"})
    assert (unknown.status, unknown.code) == (400, "checksum_algorithm")


async def test_more_than_was_said_is_not_kept(owner, item, kept):
    path = (await begin(owner, 1000, facts(item))).headers["location"]
    answer = await send(owner, path, noisy(20_000), 0)
    assert (answer.status, answer.code) == (413, "beyond_length")
    assert kept() == []


async def test_a_body_of_another_type_is_not_taken(owner, item):
    path = (await begin(owner, 1000, facts(item))).headers["location"]
    answer = await send(owner, path, b"x", 0, **{"Content-Type": "application/octet-stream"})
    assert (answer.status, answer.code) == (415, "offset_body_expected")


async def test_beginning_again_answers_with_the_first_and_another_file_is_refused(owner, item):
    photo, said = noisy(100_000), facts(item)
    path = (await begin(owner, len(photo), said)).headers["location"]
    await send(owner, path, photo[:60_000], 0)
    again = await begin(owner, len(photo), said)
    assert (again.status, again.headers["location"], again.headers["upload-offset"]) == (201, path, "60000")
    for length, other in ((len(photo) + 1, said), (len(photo), said | {"kind": "document"})):
        answer = await begin(owner, length, other)
        assert (answer.status, answer.code) == (409, "client_id_reused")
    await send(owner, path, photo[60_000:], 60_000)
    done = await begin(owner, len(photo), said)
    assert (done.headers["location"], done.headers["upload-offset"]) == (path, str(len(photo)))


async def test_a_file_sent_whole_and_again_in_parts_is_one_piece_of_evidence(owner, item):
    photo, said = noisy(60_000), facts(item)
    query = {"kind": "photo", "item_id": said["item_id"]}
    form = aiohttp.FormData()
    form.add_field("file", photo, filename="../照片.jpg", content_type="image/jpeg")
    headers = {"Idempotency-Key": said["client_id"]}
    first = await owner.post("/api/mini/evidence/upload", params=query, data=form, headers=headers)
    begun = await begin(owner, len(photo), said, photo)
    assert begun.content["evidence_id"] == first.content["id"]
    other = await begin(owner, 100, said | {"client_id": str(uuid4()), "sha256": "0" * 64})
    assert other.status == 201
    reused = {**said, "sha256": "0" * 64}
    await Upload.filter(client_id=said["client_id"]).delete()
    answer = await begin(owner, 100, reused)
    assert (answer.status, answer.code) == (409, "client_id_reused")


async def test_another_file_under_the_id_of_a_finished_one_is_refused_at_its_end(owner, item, kept):
    said = facts(item)
    await begin(owner, 60_000, said, noisy(60_000))
    await Upload.filter(client_id=said["client_id"]).delete()
    answer = await begin(owner, 60_000, said, noisy(60_000))
    assert (answer.status, answer.code) == (409, "client_id_reused")
    assert await Evidence.filter(client_id=said["client_id"]).count() == 1
    assert not await Upload.filter(client_id=said["client_id"]).exists()


async def test_an_upload_that_is_given_up_leaves_nothing(owner, item, kept):
    photo = noisy(100_000)
    path = (await begin(owner, len(photo), facts(item))).headers["location"]
    await send(owner, path, photo[:60_000], 0)
    assert len(kept()) == 1
    assert (await owner.call("DELETE", path, headers={"Tus-Resumable": "1.0.0"})).status == 204
    assert kept() == []
    assert (await owner.call("HEAD", path, headers={"Tus-Resumable": "1.0.0"})).status == 404


async def test_what_is_not_finished_in_time_is_gone(owner, item, clock_moves):
    said = facts(item)
    path = (await begin(owner, 100_000, said)).headers["location"]
    clock_moves(days=3, minutes=1)
    await owner.enter()
    answer = await send(owner, path, b"x", 0)
    assert (answer.status, answer.code) == (410, "upload_ended")
    again = await begin(owner, 100_000, said)
    assert again.status == 201 and again.headers["location"] != path


@pytest.mark.parametrize(
    ("length", "said", "refusal"),
    [
        (0, {}, (422, "file_empty")),
        (20 * MEGABYTE + 1, {}, (413, "file_too_large")),
        (50 * MEGABYTE + 1, {"kind": "document"}, (413, "file_too_large")),
        (9, {"kind": "text"}, (422, "invalid_metadata")),
        (9, {"sha256": "short"}, (422, "invalid_metadata")),
        (9, {"client_id": "x"}, (422, "invalid_metadata")),
        (9, {"other": "x"}, (422, "invalid_metadata")),
        (9, {"filename": "a\0b"}, (422, "invalid_header")),
        (9, {"item_id": str(uuid4())}, (404, "not_found")),
    ],
)
async def test_what_cannot_become_evidence_is_refused_before_its_bytes(owner, item, length, said, refusal):
    answer = await begin(owner, length, facts(item) | said)
    assert (answer.status, answer.code) == refusal


@pytest.mark.parametrize("said", ["kind", "kind !", "kind cGhvdG8=,kind cGhvdG8=", "x" * 5000, "kind /w=="])
async def test_metadata_that_cannot_be_read_is_refused(owner, said):
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": said}
    answer = await owner.post(UPLOADS, headers=headers)
    assert answer.status == 422


async def test_nobody_else_finds_an_upload(owner, item, office, phone_of):
    path = (await begin(owner, 100_000, facts(item))).headers["location"]
    other: Phone = await phone_of(office.people["leader"].phone)
    await other.enter()
    for answer in (
        await send(other, path, b"x", 0),
        await other.get(path),
        await other.call("DELETE", path, headers={"Tus-Resumable": "1.0.0"}),
    ):
        assert (answer.status, answer.code) == (404, "not_found")


async def test_what_came_before_the_connection_broke_off_stays(owner, item, kept):
    photo, written = noisy(2 * MEGABYTE), 0
    path = (await begin(owner, len(photo), facts(item))).headers["location"]
    await send(owner, path, photo[:100_000], 0)

    async def broken() -> AsyncIterator[bytes]:
        yield photo[100_000:-1]
        await soon(some_written)
        raise ConnectionResetError

    async def some_written() -> bool:
        nonlocal written
        written = max((file.stat().st_size for file in kept.files() if "#" in file.name), default=0)
        return written > 0

    with pytest.raises(aiohttp.ClientError):
        await send(owner, path, broken(), 100_000)
    upload_id = path.rpartition("/")[2]
    await soon(Upload.filter(id=upload_id, arrived__gte=100_000 + written, holder=None).exists)
    arrived = await offset(owner, path)
    answer = await send(owner, path, photo[arrived:], arrived)
    assert (answer.status, answer.headers["upload-offset"]) == (204, str(len(photo)))
    assert (await Evidence.get(item_id=item.id)).sha256 == hashlib.sha256(photo).hexdigest()


async def test_a_request_whose_connection_went_silent_is_taken_over(owner, item, clock_moves):
    photo = noisy(200_000)
    path = (await begin(owner, len(photo), facts(item))).headers["location"]
    went = asyncio.Event()

    async def silently() -> AsyncIterator[bytes]:
        yield photo[:100_000]
        await went.wait()
        yield photo[100_000:]

    silent = asyncio.create_task(send(owner, path, silently(), 0))
    await soon(Upload.filter(id=path.rpartition("/")[2], holder__isnull=False).exists)
    clock_moves(seconds=6)
    assert (await send(owner, path, photo[:50_000], 0)).status == 204
    assert (await send(owner, path, photo[50_000:], 50_000)).status == 204
    went.set()
    answer = await silent
    assert (answer.status, answer.code) == (423, "upload_overtaken")


async def test_only_one_request_at_a_time_writes(owner, item):
    photo = noisy(200_000)
    path = (await begin(owner, len(photo), facts(item))).headers["location"]
    going, went = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield photo[:100_000]
        going.set()
        await went.wait()
        yield photo[100_000:]

    first = asyncio.create_task(send(owner, path, slowly(), 0))
    await going.wait()
    await soon(Upload.filter(id=path.rpartition("/")[2], holder__isnull=False).exists)
    second = await send(owner, path, photo, 0)
    assert (second.status, second.code) == (423, "upload_busy")
    assert int(second.headers["retry-after"]) <= 5
    went.set()
    assert (await first).status == 204


# how much


async def allow(zone: Zone, **most: int) -> None:
    await Zone.filter(id=zone.id).update(settings=most)
    assert await organization.settings_of(zone.id)


async def test_a_day_has_a_bound_for_a_person_and_says_when_it_is_over(owner, item, zone, clock_moves):
    await allow(zone, upload_person_day_mb=50)
    for _ in range(2):
        assert (await begin(owner, 20 * MEGABYTE, facts(item))).status == 201
    answer = await begin(owner, 20 * MEGABYTE, facts(item))
    assert (answer.status, answer.code) == (429, "upload_day_spent")
    assert "50 MB" in answer.content["detail"] and "00:00起可以再传" in answer.content["detail"]
    assert 0 < int(answer.headers["retry-after"]) <= 86_400
    whole = await owner.post(
        "/api/mini/evidence/upload",
        params={"kind": "photo", "item_id": str(item.id)},
        data=noisy(15 * MEGABYTE),
        headers={"Idempotency-Key": str(uuid4()), "Content-Type": "application/octet-stream"},
    )
    assert (whole.status, whole.code) == (429, "upload_day_spent")
    assert (await begin(owner, 10 * MEGABYTE, facts(item))).status == 201  # what was refused was not counted
    clock_moves(days=1)
    await owner.enter()
    assert (await begin(owner, 20 * MEGABYTE, facts(item))).status == 201


async def test_what_is_begun_and_not_finished_has_a_bound(owner, item, zone):
    await allow(zone, upload_zone_open_mb=50)
    first = await begin(owner, 20 * MEGABYTE, facts(item))
    assert (await begin(owner, 20 * MEGABYTE, facts(item))).status == 201
    answer = await begin(owner, 20 * MEGABYTE, facts(item))
    assert (answer.status, answer.code) == (429, "uploads_open")
    assert "本区" in answer.content["detail"]
    await owner.call("DELETE", first.headers["location"], headers={"Tus-Resumable": "1.0.0"})
    assert (await begin(owner, 20 * MEGABYTE, facts(item))).status == 201


async def test_what_is_over_is_swept_and_counted(owner, item, settings, kept, clock_moves):
    photo = noisy(100_000)
    path = (await begin(owner, len(photo), facts(item))).headers["location"]
    await send(owner, path, photo[:60_000], 0)
    await begin(owner, len(photo), facts(item), photo)
    store = Store.open(settings.store_url)
    assert await evidence.sweep_ended(item.zone_id, store=store) == 0
    clock_moves(days=3, minutes=1)
    assert await evidence.sweep_ended(item.zone_id, store=store) == 1
    assert not await Upload.filter(zone_id=item.zone_id).exists()
    assert kept() == [hashlib.sha256(photo).hexdigest()]
    assert clock.offset().days == 3


# what should not be kept, and how what is kept is served

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("file", "refusal"),
    [
        (("photo", SVG), (415, "not_a_photo")),
        (("document", SVG), (415, "not_a_document")),
        (("photo", photos.huge_png()), (422, "image_too_large_dimensions")),
        (("photo", b"<html><script>" + photos.jpeg()), (415, "not_a_photo")),
        (("document", b"GIF89a/*" + photos.pdf()), (415, "not_a_document")),
        (("document", photos.docx(bomb=bytes(30 * MEGABYTE))), (422, "document_unpacks_too_large")),
        (("document", photos.docx()[:-30]), (422, "broken_document")),
        (("photo", photos.jpeg()[:60]), (422, "broken_photo")),
    ],
    ids=["svg", "svg document", "40,000 pixels square", "html before a photo", "gif and pdf", "bomb", "cut off", "cut"],
)
async def test_a_file_that_is_not_what_it_should_be_is_gone_after_its_last_part(owner, item, kept, file, refusal):
    kind, content = file
    said = facts(item, kind=kind)
    path = (await begin(owner, len(content), said)).headers["location"]
    half = len(content) // 2
    assert (await send(owner, path, content[:half], 0)).status == 204
    answer = await send(owner, path, content[half:], half)
    assert (answer.status, answer.code) == refusal
    assert kept() == []
    assert not await Evidence.filter(client_id=said["client_id"]).exists()
    assert (await owner.call("HEAD", path, headers={"Tus-Resumable": "1.0.0"})).status == 404


async def test_a_file_of_another_hash_than_was_said_is_gone(owner, item, kept):
    photo = noisy(50_000)
    answer = await begin(owner, len(photo), facts(item, sha256="0" * 64), photo)
    assert (answer.status, answer.code) == (422, "sha256_mismatch")
    assert kept() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\boot.ini", "/abs/照片.svg", "a.html", "x" * 900])
async def test_a_files_name_names_nothing(owner, item, kept, name):
    photo = noisy(50_000)
    begun = await begin(owner, len(photo), facts(item, filename=name, filetype="text/html"), photo)
    assert begun.status == 201
    assert kept() == [hashlib.sha256(photo).hexdigest()]
    path = f"{owner.url}/api/mini/evidence/{begun.content['evidence_id']}/file"
    async with owner.session.get(path, headers=owner.headers) as response:
        assert await response.read() == photo
        assert name not in str(response.headers)


async def test_nothing_that_was_sent_is_served_as_anything_a_browser_would_run(owner, item, settings, zone):
    photo = noisy(50_000)
    made = (await begin(owner, len(photo), facts(item), photo)).content["evidence_id"]
    content = b"RIFF....WEBP"
    sha256 = hashlib.sha256(content).hexdigest()
    place = settings.data_dir / "objects" / evidence.address(zone.id, sha256)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    row = await Evidence.get(id=made)
    await evidence.drawn(zone.id, row.id, {form: (sha256, len(content)) for form in evidence.Form})
    served = {"file": ("application/octet-stream", "attachment"), "view": ("image/webp", "inline")}
    served["thumbnail"] = served["view"]
    for name, (media_type, disposition) in served.items():
        headers = (await owner.get(f"/api/mini/evidence/{made}/{name}")).headers
        assert headers["content-type"] == media_type
        assert headers["content-disposition"].startswith(disposition)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "sandbox; default-src 'none'"


async def test_a_store_that_phones_do_not_reach_takes_no_parts_from_them(owner, item):
    path = f"{UPLOADS}/{(await begin(owner, MEGABYTE, facts(item))).content['id']}"
    for what in ("parts", "finish"):
        refused = await owner.post(f"{path}/{what}")
        assert (refused.status, refused.content["code"]) == (409, "direct_not_offered")
