"""Evidence over HTTP: streamed in, raw or as a form, and streamed out to whoever may see it."""

import asyncio
import hashlib
import io
import os
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from models import evidence, ledger
from models.base.settings import Settings
from models.evidence import Evidence, Form
from models.organization import Zone
from tests import photos
from tests.api.conftest import Answer, Client, Desk, Phone
from tests.office import Office, open_office

UPLOAD = "/api/mini/evidence/upload"


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
async def phone_at(office: Office, phone_of):
    """`await phone_at("owner")`: that person's phone, signed in."""

    async def enter(part: str) -> Phone:
        phone = await phone_of(office.people[part].phone)
        assert (await phone.enter()).status == 200
        return phone

    return enter


@pytest.fixture
async def owner(phone_at) -> Phone:
    return await phone_at("owner")


@pytest.fixture
def objects(settings: Settings, zone: Zone) -> Path:
    """Where the server keeps this zone's files."""
    return settings.data_dir / "objects" / str(zone.id)


def kept(objects: Path) -> list[str]:
    incoming = objects.parent / "incoming" / objects.name
    return [path.name for folder in (objects, incoming) for path in folder.rglob("*") if path.is_file()]


async def upload(phone: Client, content, item, *, kind: str = "photo", key: str | None = None, **query: str) -> Answer:
    headers = {"Idempotency-Key": key or str(uuid4()), "Content-Type": "application/octet-stream"}
    params = {"kind": kind, "item_id": str(item.id), **query}
    return await phone.post(UPLOAD, params=params, data=content, headers=headers)


async def upload_form(phone: Client, item, *files: bytes, key: str | None = None) -> Answer:
    """As wx.uploadFile does: one form, the file in the part `file` among other fields."""
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("note", "随手写的")
    for content in files:
        form.add_field("file", content, filename="../../照片.jpg", content_type="image/jpeg")
    headers = {"Idempotency-Key": key or str(uuid4())}
    return await phone.post(UPLOAD, params={"kind": "photo", "item_id": str(item.id)}, data=form, headers=headers)


async def test_a_photo_streamed_raw_comes_back_byte_for_byte_as_an_attachment(owner, office):
    photo, item = photos.jpeg(), await office.received()
    sha256 = hashlib.sha256(photo).hexdigest()
    answer = await upload(owner, photo, item, sha256=sha256)
    assert answer.status == 201, answer.text
    assert (answer.content["sha256"], answer.content["size"], answer.content["view"]) == (sha256, len(photo), "waiting")
    url = f"{owner.url}/api/mini/evidence/{answer.content['id']}/file"
    async with owner.session.get(url, headers=owner.headers) as response:
        assert await response.read() == photo
        headers = response.headers
    assert headers["content-disposition"].startswith("attachment")
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["cache-control"].startswith("private")
    async with owner.session.get(url, headers={**owner.headers, "If-None-Match": headers["etag"]}) as response:
        assert (response.status, await response.read()) == (304, b"")


async def test_a_form_as_the_phone_sends_it_is_the_same_upload(owner, office):
    item, key = await office.received(), str(uuid4())
    answer = await upload_form(owner, item, photos.jpeg(), key=key)
    assert answer.status == 201, answer.text
    assert (await upload(owner, photos.jpeg(), item, key=key)).content["id"] == answer.content["id"]


async def test_a_file_whose_length_is_not_told_is_taken_up_to_its_limit(owner, office, objects):
    async def pieces(content: bytes):
        for at in range(0, len(content), 50_000):
            yield content[at : at + 50_000]

    item = await office.received()
    taken = await upload(owner, pieces(photos.jpeg()), item)
    assert (taken.status, taken.content["size"]) == (201, len(photos.jpeg()))
    refused = await upload(owner, pieces(photos.jpeg(colour="red") + bytes(21 * 2**20)), item)
    assert (refused.status, refused.code) == (413, "file_too_large")
    assert kept(objects) == [taken.content["sha256"]]


@pytest.mark.parametrize("count", [0, 2])
async def test_a_form_without_exactly_one_file_is_refused(owner, office, objects, count):
    answer = await upload_form(owner, await office.received(), *[photos.jpeg()] * count)
    assert (answer.status, answer.code) == (400, "malformed_form")
    assert kept(objects) == []


@pytest.mark.parametrize(
    "body", [b"", b"no form", b"--x\r\n\r\n", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf']
)
async def test_a_broken_form_is_refused(owner, office, objects, body):
    headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "multipart/form-data; boundary=x"}
    params = {"kind": "photo", "item_id": str((await office.received()).id)}
    answer = await owner.post(UPLOAD, params=params, data=body, headers=headers)
    assert (answer.status, answer.code) == (400, "malformed_form")
    assert kept(objects) == []


async def test_a_replay_answers_with_the_first_and_another_body_is_refused(owner, office, objects):
    item, key = await office.received(), str(uuid4())
    first = await upload(owner, photos.jpeg(), item, key=key)
    again = await upload(owner, photos.jpeg(), item, key=key)
    assert (again.status, again.content["id"]) == (201, first.content["id"])
    other = await upload(owner, photos.jpeg(colour="red"), item, key=key)
    assert (other.status, other.code) == (409, "client_id_reused")
    assert await Evidence.filter(zone_id=office.zone.id).count() == 1


@pytest.mark.parametrize(
    ("content", "kind", "refusal"),
    [
        (b"<html>hello</html>", "photo", (415, "not_a_photo")),
        (b"<html>" + photos.jpeg(), "photo", (415, "not_a_photo")),
        (b"<html>" + photos.pdf(), "document", (415, "not_a_document")),
        (photos.docx(bomb=bytes(30 * 2**20)), "document", (422, "document_unpacks_too_large")),
        (photos.pdf(), "photo", (415, "not_a_photo")),
        (photos.huge_png(), "photo", (422, "image_too_large_dimensions")),
        (photos.jpeg(), "document", (415, "not_a_document")),
        (b"", "photo", (422, "file_empty")),
        (photos.jpeg() + bytes(21 * 2**20), "photo", (413, "file_too_large")),
    ],
)
async def test_a_file_that_is_not_what_it_should_be_is_refused_and_gone(owner, office, objects, content, kind, refusal):  # noqa: PLR0917
    answer = await upload(owner, content, await office.received(), kind=kind)
    assert (answer.status, answer.code) == refusal
    assert kept(objects) == []


async def test_a_wrong_hash_is_refused(owner, office):
    answer = await upload(owner, photos.jpeg(), await office.received(), sha256="0" * 64)
    assert (answer.status, answer.code) == (422, "sha256_mismatch")


@pytest.mark.parametrize("query", [{"kind": "text"}, {"sha256": "short"}, {"captured_at": "2026-11-20T10:00:00"}])
async def test_a_wrong_query_names_its_field(owner, office, query):
    answer = await upload(owner, photos.jpeg(), await office.received(), **query)
    assert (answer.status, answer.code) == (422, "invalid_query")
    assert answer.content["faults"][0]["pointer"] == "/" + next(iter(query))


async def test_strangers_are_refused_before_their_bytes_are_taken(phone_at, office, objects):
    item, taken = await office.received(), 0

    async def endless():
        nonlocal taken
        while taken < 40:
            taken += 1
            yield bytes(2**20)

    stranger = await phone_at("stranger")
    try:
        answer = await upload(stranger, endless(), item)
        assert (answer.status, answer.code) == (404, "not_found")
    except aiohttp.ClientConnectionError:  # the server hung up in the middle of the body, which it may
        assert taken < 40
    assert kept(objects) == []


async def test_without_signing_in_nothing_is_taken(anyone, office):
    answer = await upload(anyone, photos.jpeg(), await office.received())
    assert answer.status == 401


async def test_an_upload_that_breaks_off_leaves_nothing_visible(owner, office, objects):
    item = await office.received()

    async def broken():
        yield photos.jpeg()
        yield bytes(2**20)
        raise ConnectionAbortedError

    with pytest.raises((aiohttp.ClientError, ConnectionAbortedError)):
        await upload(owner, broken(), item)
    deadline = asyncio.get_running_loop().time() + 10
    while kept(objects):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert await Evidence.filter(zone_id=office.zone.id).count() == 0


def memory_of(script: str) -> int:
    """Resident bytes of the process of this run that runs `script`."""
    for folder in Path("/proc").glob("[0-9]*"):
        if _is_ours(folder, script):
            return int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    raise LookupError(script)


def _is_ours(folder: Path, script: str) -> bool:
    try:
        started = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        return started == str(os.getpid()) and script in (folder / "cmdline").read_text().split("\0")
    except OSError:  # it ended meanwhile
        return False


async def test_many_large_uploads_take_little_memory(owner, office, server):
    item = await office.received()
    document = photos.pdf().replace(b"%%EOF", b"%" + bytes(40 * 2**20) + b"\n%%EOF")
    before = memory_of("tests/api/probe.py")
    answers = await asyncio.gather(
        *(upload(owner, io.BytesIO(document + bytes([n])), item, kind="document") for n in range(6))
    )
    assert {answer.status for answer in answers} == {201}
    assert memory_of("tests/api/probe.py") - before < 160 * 2**20  # the files are 240 MB


async def test_words_and_paper_references_are_plain_json(owner, office):
    item = await office.received()
    body = {"kind": "text", "item_id": str(item.id), "text": "已完成整改", "effective_on": "2026-11-20"}
    answer = await owner.write("/api/mini/evidence", body)
    assert (answer.status, answer.content["review_label"]) == (201, "待审核")
    paper = {"kind": "paper_reference", "item_id": str(item.id), "paper_reference": "会议纪要〔2026〕8号，存档案室"}
    assert (await owner.write("/api/mini/evidence", paper)).status == 201
    empty = await owner.write("/api/mini/evidence", {"kind": "text", "item_id": str(item.id)})
    assert (empty.status, empty.code, empty.content["faults"][0]["pointer"]) == (422, "required", "/text")


async def test_the_list_goes_page_by_page(owner, office):
    item = await office.received()
    for number in range(3):
        body = {"kind": "text", "item_id": str(item.id), "text": f"说明{number}"}
        await owner.write("/api/mini/evidence", body)
    first = await owner.get("/api/mini/evidence", params={"item_id": str(item.id), "limit": "2"})
    query = {"item_id": str(item.id), "limit": "2", "after": first.content["next"]}
    second = await owner.get("/api/mini/evidence", params=query)
    assert [row["text"] for row in first.content["items"] + second.content["items"]] == ["说明0", "说明1", "说明2"]
    assert second.content["next"] is None


async def test_a_leader_reviews_on_the_phone_and_the_submitter_cannot(owner, phone_at, office):
    item = await office.received()
    made = await owner.write("/api/mini/evidence", {"kind": "text", "item_id": str(item.id), "text": "已完成"})
    path = f"/api/mini/evidence/{made.content['id']}/review"
    assert (await owner.write(path, {"verdict": "accepted"})).code == "not_your_step"
    leader = await phone_at("leader")
    assert (await leader.write(path, {"verdict": "rejected"})).code == "required"
    answer = await leader.write(path, {"verdict": "more_wanted", "reason": "请补充验收单"})
    assert (answer.status, answer.content["review_label"]) == (200, "需要补充")


async def test_a_leader_reviews_many_at_once_and_each_fault_has_its_place(owner, phone_at, office):
    made = []
    for number in range(2):
        body = {"kind": "text", "item_id": str((await office.received()).id), "text": f"第{number}份"}
        made.append((await owner.write("/api/mini/evidence", body)).content["id"])
    said = [
        {"evidence_id": made[0], "verdict": "accepted", "effective_on": "2026-11-20"},
        {"evidence_id": made[1], "verdict": "rejected"},
        {"evidence_id": str(uuid4()), "verdict": "accepted"},
    ]
    leader, stranger = await phone_at("leader"), await phone_at("stranger")
    answer = await leader.write("/api/mini/evidence/reviews", {"words": said})
    assert answer.status == 200, answer.text
    (stands,) = answer.content["items"]
    assert (stands["id"], stands["review"], stands["found_effective_on"]) == (made[0], "accepted", "2026-11-20")
    faults = [(fault["pointer"], fault["code"]) for fault in answer.content["faults"]]
    assert faults == [("/words/1/reason", "required"), ("/words/2", "not_found")]
    hidden = (await stranger.write("/api/mini/evidence/reviews", {"words": said})).content
    assert (hidden["items"], {fault["code"] for fault in hidden["faults"]}) == ([], {"not_found", "required"})


async def test_each_is_told_whether_they_may_submit_and_review(owner, phone_at, office):
    item = await office.received()
    query = {"item_id": str(item.id)}
    await owner.write("/api/mini/evidence", {"kind": "text", "text": "已完成", **query})

    async def told(phone: Phone) -> tuple[bool, list[tuple[str, bool]]]:
        listed = (await phone.get("/api/mini/evidence", params=query)).content
        return listed["may_submit"], [(row["submitter"], row["may_review"]) for row in listed["items"]]

    name = office.people["owner"].name
    leader, inspector = await phone_at("leader"), await phone_at("inspector")
    assert await told(owner) == (True, [(name, False)])
    assert await told(leader) == (True, [(name, True)])
    assert await told(inspector) == (False, [(name, False)])
    await ledger.cancel(item.id, by=office.overseer, reason="重复交办")
    assert await told(leader) == (False, [(name, False)])


async def test_nobody_elses_evidence_is_seen(owner, phone_at, office):
    item = await office.received()
    made = (await upload(owner, photos.jpeg(), item)).content["id"]
    stranger = await phone_at("stranger")
    for path in ("", "/file", "/view", "/thumbnail"):
        answer = await stranger.get(f"/api/mini/evidence/{made}{path}")
        assert (answer.status, answer.code) == (404, "not_found")
    listed = await stranger.get("/api/mini/evidence", params={"item_id": str(item.id)})
    assert listed.status == 404


async def test_a_view_is_shown_inline_once_it_is_drawn(owner, office, settings, zone):
    made = (await upload(owner, photos.jpeg(), await office.received())).content["id"]
    waiting = await owner.get(f"/api/mini/evidence/{made}/view")
    assert (waiting.status, waiting.code) == (404, "picture_not_ready")
    row = await Evidence.get(id=made)
    content = b"RIFF....WEBP"
    sha256 = hashlib.sha256(content).hexdigest()
    address = settings.data_dir / "objects" / evidence.address(zone.id, sha256)
    address.parent.mkdir(parents=True, exist_ok=True)
    address.write_bytes(content)
    await evidence.drawn(zone.id, row.id, {form: (sha256, len(content)) for form in Form})
    async with owner.session.get(f"{owner.url}/api/mini/evidence/{made}/view", headers=owner.headers) as response:
        assert (response.status, await response.read()) == (200, content)
        assert response.headers["content-type"] == "image/webp"
        assert response.headers["content-disposition"] == "inline"
    words = await owner.write("/api/mini/evidence", {"kind": "text", "item_id": str(row.item_id), "text": "说明"})
    assert (await owner.get(f"/api/mini/evidence/{words.content['id']}/file")).code == "no_file"


@pytest.fixture
async def office_desk(desk_of, office: Office) -> Desk:
    """The overseer's browser, past the first password."""
    return await desk_of(office.people["overseer"].id)


async def test_the_office_sees_where_a_photo_was_used_before_and_reviews(owner, office, office_desk):
    one, two = await office.received(), await office.received()
    await upload(owner, photos.jpeg(), one)
    made = (await upload(owner, photos.jpeg(), two)).content["id"]
    seen = await office_desk.get(f"/api/console/evidence/{made}")
    (use,) = seen.content["also_used"]
    assert (use["number"], use["alike"], use["readable"]) == (one.number, "same_file", True)
    assert "请核对" in use["question"]
    assert seen.content["signals"] == []
    answer = await office_desk.post(
        f"/api/console/evidence/{made}/review", {"verdict": "rejected", "reason": "与另一事项的照片相同"}
    )
    assert (answer.status, answer.content["review"]) == (200, "rejected")


async def test_the_office_types_in_what_came_on_paper(office, office_desk):
    item = await office.received()
    body = {"kind": "paper_reference", "item_id": str(item.id), "paper_reference": "纸质台账第8页"}
    answer = await office_desk.post("/api/console/evidence", body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status == 201, answer.text
