"""Evidence: what is taken in, who may submit and review it, and what a replay answers."""

import asyncio
import hashlib
import os
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from gateways.store import Store
from models import evidence, ledger
from models.base import clock
from models.base.audit import AuditRow
from models.base.errors import Conflict, Forbidden, Invalid, NotFound, Refused, TooLarge, UnsupportedType
from models.base.outbox import Promise
from models.base.scope import Scope
from models.evidence import Blob, Evidence, Form, Kind, Review, Submission, Word
from models.ledger import Cycle
from models.organization import Zone
from models.reminders import Reminder, ReminderKind
from tests import photos
from tests.counting import statements
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(folder: Path) -> Store:
    return Store.open(f"file://{folder}")


async def sent(content: bytes, piece: int = 64 * 1024):
    for at in range(0, len(content), piece):
        yield content[at : at + piece]


async def taken(zone: Zone, store: Store, kind: Kind, content: bytes, **more):
    return await evidence.take_in(zone.id, kind, sent(content), store=store, **more)


async def refused(zone: Zone, store: Store, kind: Kind, content: bytes, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        await taken(zone, store, kind, content, **more)
    return caught.value


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def words(item: ledger.Item, text: str = "已完成整改", **more) -> Submission:
    return Submission(client_id=uuid4(), kind=Kind.TEXT, item_id=item.id, text=text, **more)


async def count(item: ledger.Item) -> int:
    return (await Cycle.get(item_id=item.id, number=item.cycle)).evidence_count


# taking files in


async def test_a_photo_is_kept_byte_for_byte_under_its_hash(zone, store, folder):
    photo = photos.jpeg()
    received = await taken(zone, store, Kind.PHOTO, photo)
    assert received.sha256 == hashlib.sha256(photo).hexdigest()
    assert (received.content.media_type, received.content.width, received.content.height) == ("image/jpeg", 640, 480)
    assert await store.read(evidence.address(zone.id, received.sha256)) == photo
    assert kept(folder) == [received.sha256]


async def test_a_photo_with_a_second_picture_appended_is_a_jpeg(zone, store):
    """As phones make them for depth of field; the first picture is the photo."""
    received = await taken(zone, store, Kind.PHOTO, photos.several_in_one())
    assert (received.content.media_type, received.content.width, received.content.height) == ("image/jpeg", 640, 480)


async def test_an_iphones_photo_is_known_without_decoding_it(zone, store):
    received = await taken(zone, store, Kind.PHOTO, photos.heic(900, 600))
    assert (received.content.media_type, received.content.width, received.content.height) == ("image/heic", 900, 600)


async def test_the_same_photo_twice_is_kept_once(zone, store, folder):
    first, second = await asyncio.gather(*(taken(zone, store, Kind.PHOTO, photos.jpeg()) for _ in range(2)))
    assert first == second
    assert kept(folder) == [first.sha256]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(photos.pdf(), "pdf"), (photos.docx(), "wordprocessingml.document"), (photos.xlsx(), "spreadsheetml.sheet")],
)
async def test_documents_are_known_by_their_content(zone, store, content, media_type):
    assert (await taken(zone, store, Kind.DOCUMENT, content)).content.media_type.endswith(media_type)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ((Kind.PHOTO, b"not a photo at all"), (UnsupportedType, "not_a_photo")),
        ((Kind.PHOTO, photos.pdf()), (UnsupportedType, "not_a_photo")),
        ((Kind.PHOTO, b"GIF89a" + bytes(100)), (UnsupportedType, "not_a_photo")),
        ((Kind.PHOTO, photos.huge_png()), (Invalid, "image_too_large_dimensions")),
        ((Kind.PHOTO, photos.heic_of(70_000, 70_000)), (Invalid, "image_too_large_dimensions")),
        ((Kind.PHOTO, photos.heic_of(0, 480)), (Invalid, "broken_photo")),
        ((Kind.PHOTO, photos.heic()[:200]), (Invalid, "broken_photo")),
        ((Kind.PHOTO, b"\x00\x00\x00\x18ftypisom" + bytes(400)), (UnsupportedType, "not_a_photo")),
        ((Kind.PHOTO, b""), (Invalid, "file_empty")),
        ((Kind.DOCUMENT, photos.jpeg()), (UnsupportedType, "not_a_document")),
        ((Kind.DOCUMENT, b"<script>/*" + photos.pdf()), (UnsupportedType, "not_a_document")),
        ((Kind.DOCUMENT, b"MZ" + photos.docx()), (UnsupportedType, "not_a_document")),
        ((Kind.PHOTO, b"<svg>" + photos.jpeg()), (UnsupportedType, "not_a_photo")),
        ((Kind.DOCUMENT, b"%PDF-1.7 cut off"), (Invalid, "broken_document")),
        ((Kind.DOCUMENT, photos.docx()[:-30]), (Invalid, "broken_document")),
        ((Kind.DOCUMENT, photos.package(readme=b"just a zip")), (UnsupportedType, "not_a_document")),
        ((Kind.DOCUMENT, photos.docx(**{"word__vbaProject.bin": b"macro"})), (UnsupportedType, "not_a_document")),
        ((Kind.DOCUMENT, photos.docx(bomb=bytes(30 * 2**20))), (Invalid, "document_unpacks_too_large")),
    ],
)
async def test_what_is_not_what_it_claims_is_refused_and_leaves_nothing(zone, store, folder, given, refusal):
    answered = await refused(zone, store, *given)
    assert (type(answered), answered.code) == refusal
    assert kept(folder) == []


async def test_a_photo_over_its_limit_is_refused_while_it_comes(zone, store, folder):
    passed = 0

    async def endless():
        nonlocal passed
        while True:
            passed += 2**20
            yield bytes(2**20)

    with pytest.raises(TooLarge):
        await evidence.take_in(zone.id, Kind.PHOTO, endless(), store=store)
    assert passed <= 22 * 2**20
    assert kept(folder) == []


async def test_a_file_that_changed_on_the_way_is_refused(zone, store, folder):
    assert (await refused(zone, store, Kind.PHOTO, photos.jpeg(), claimed="0" * 64)).code == "sha256_mismatch"
    assert kept(folder) == []


async def test_what_the_scanner_finds_is_refused(zone, store, folder):
    async def finds(store: Store, key: str, size: int) -> str | None:
        return "Eicar" if b"maker" in await store.read(key) else None

    assert (await refused(zone, store, Kind.PHOTO, photos.jpeg(), scan=finds)).code == "infected"
    assert kept(folder) == []


async def test_an_upload_that_breaks_off_leaves_nothing(zone, store, folder):
    async def broken():
        yield photos.jpeg()
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await evidence.take_in(zone.id, Kind.PHOTO, broken(), store=store)
    assert kept(folder) == []


async def test_what_a_killed_process_left_is_swept_days_later(store, folder, clock_moves):
    await store.put("incoming/zone/left", b"half a photo")
    assert await evidence.sweep_incoming(store) == 0
    clock_moves(days=5)  # a clock that was moved says nothing of the age of a file
    assert await evidence.sweep_incoming(store) == 0
    days_ago = (clock.now() - clock.offset() - timedelta(days=4, minutes=1)).timestamp()
    os.utime(folder / "incoming/zone/left", (days_ago, days_ago))
    assert await evidence.sweep_incoming(store) == 1


# submitting


async def test_words_alone_count_as_evidence(office):
    item = await office.received()
    made = await evidence.attach(words(item, effective_on=date(2026, 11, 20)), by=office.owner)
    assert (made.text, made.review, made.cycle) == ("已完成整改", Review.PENDING, 1)
    assert await count(item) == 1
    requested = await ledger.request_close_out(item.id, by=office.owner)
    assert requested.state is ledger.State.UNIT_REVIEW


async def test_a_reference_to_a_paper_file_counts_as_evidence(office):
    item = await office.received()
    paper = Submission(client_id=uuid4(), kind=Kind.PAPER_REFERENCE, item_id=item.id, paper_reference="档案2026-8")
    assert (await evidence.attach(paper, by=office.owner)).paper_reference == "档案2026-8"
    assert await count(item) == 1


async def test_a_photo_owes_a_view_and_a_thumbnail(office, zone, store):
    item = await office.received()
    received = await taken(zone, store, Kind.PHOTO, photos.jpeg())
    given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=item.id, received=received)
    made = await evidence.attach(given, by=office.owner)
    shown = (await evidence.shown([made], by=office.owner))[made.id]
    assert set(shown.pictures) == {Form.VIEW, Form.THUMBNAIL}
    assert shown.media_type == "image/jpeg"
    assert await Promise.filter(zone_id=zone.id, job=evidence.DERIVE).count() == 1


@pytest.mark.parametrize("kind", list(Kind))
async def test_an_empty_submission_is_refused_with_its_field(office, kind):
    item = await office.received()
    with pytest.raises(Invalid) as caught:
        await evidence.attach(Submission(client_id=uuid4(), kind=kind, item_id=item.id, text=" "), by=office.owner)
    assert caught.value.code == "required"
    assert caught.value.faults


async def test_a_submission_for_nothing_is_refused(office):
    with pytest.raises(Invalid, match="subject_missing"):
        await evidence.attach(Submission(client_id=uuid4(), kind=Kind.TEXT, text="有"), by=office.owner)


async def test_submitting_again_answers_with_the_first_and_counts_once(office):
    item = await office.received()
    given = words(item)
    first, *others = await asyncio.gather(*(evidence.attach(given, by=office.owner) for _ in range(4)))
    assert {other.id for other in others} == {first.id}
    assert await count(item) == 1
    assert await AuditRow.filter(zone_id=office.zone.id, action="evidence.attached").count() == 1


async def test_another_body_or_person_under_the_same_id_is_refused(office):
    item = await office.received()
    given = words(item)
    await evidence.attach(given, by=office.owner)
    other = Submission(client_id=given.client_id, kind=Kind.TEXT, item_id=item.id, text="另一份说明")
    with pytest.raises(Conflict, match="client_id_reused"):
        await evidence.attach(other, by=office.owner)
    with pytest.raises(Conflict, match="client_id_reused"):
        await evidence.attach(given, by=office.leader)
    assert await count(item) == 1


async def test_strangers_inspectors_and_other_zones_cannot_submit(office, zone):
    item = await office.received()
    for scope in (office.stranger, office.colleague, Scope(zone_id=uuid4(), actor="person:x", person_id=uuid4())):
        with pytest.raises(NotFound):
            await evidence.attach(words(item), by=scope)
    with pytest.raises(Forbidden, match="not_your_step"):
        await evidence.attach(words(item), by=office.inspector)
    assert await Evidence.filter(zone_id=zone.id).count() == 0


async def test_who_stands_in_for_the_owner_may_submit(office):
    item = await office.received()
    await office.absent("owner", "colleague")
    assert (await evidence.attach(words(item), by=office.colleague)).submitted_by == office.people["colleague"].id


async def test_a_closed_item_takes_no_more(office):
    item = await office.closed()
    before = await Evidence.filter(zone_id=office.zone.id).count()
    with pytest.raises(Conflict, match="wrong_state"):
        await evidence.attach(words(item), by=office.owner)
    assert await Evidence.filter(zone_id=office.zone.id).count() == before


async def test_what_was_submitted_before_the_item_closed_is_answered_when_it_is_sent_again(office):
    item = await office.received()
    given = words(item)
    first = await evidence.attach(given, by=office.owner)
    await ledger.request_close_out(item.id, by=office.owner)
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    await ledger.oversight_review(item.id, by=office.overseer, passed=True)
    assert (await evidence.attach(given, by=office.owner)).id == first.id


async def test_an_upload_takes_a_dozen_statements_from_the_first_look_to_the_answer(office, zone, store):
    item = await office.received()
    with statements() as said:
        await evidence.refuse_stranger(by=office.owner, item_id=item.id, visit_id=None)
        await evidence.spend(1000, by=office.owner)
        received = await taken(zone, store, Kind.PHOTO, photos.jpeg())
        given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=item.id, received=received)
        made = await evidence.attach(given, by=office.owner)
        await evidence.shown([made], by=office.owner)
        assert await evidence.reviewable([made], by=office.owner) == frozenset()
    assert len(said) <= 13, "\n".join(said)  # one of them is who is asking, which a signed-in phone knows


async def test_a_submission_stands_in_its_columns_as_it_was_given(office, zone, store):
    item, at = await office.received(), clock.now().replace(microsecond=123456) - timedelta(hours=3)
    received = await taken(zone, store, Kind.PHOTO, photos.jpeg())
    brought = evidence.Brought(nonce=evidence.Nonce.GOOD, clock_skew=-3)
    facts = {"captured_at": at, "effective_on": date(2026, 11, 20), "received": received, "brought": brought}
    given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=item.id, **facts)
    made = await evidence.attach(given, by=office.owner)
    kept_as = await Evidence.get(id=made.id)
    assert dict(made) == dict(kept_as)
    assert (kept_as.captured_at, kept_as.effective_on, kept_as.kind) == (at, date(2026, 11, 20), Kind.PHOTO)
    assert (kept_as.nonce, kept_as.clock_skew, kept_as.cycle) == (evidence.Nonce.GOOD, -3, item.cycle)
    assert (kept_as.review, kept_as.reviewed_at, kept_as.client_id) == (Review.PENDING, None, given.client_id)
    blob = await Blob.get(zone_id=zone.id, sha256=received.sha256)
    assert (blob.size, blob.media_type, blob.width, blob.height) == (received.size, "image/jpeg", 640, 480)


async def test_a_visits_evidence_is_its_inspectors_and_closes_nothing(office):
    item, visit = await office.received(), uuid4()
    given = Submission(client_id=uuid4(), kind=Kind.TEXT, item_id=item.id, visit_id=visit, text="现场已清理")
    made = await evidence.attach(given, by=office.inspector)
    assert await count(item) == 0
    assert await evidence.of_visit(visit, by=office.inspector) == [made]
    assert await evidence.of_visit(visit, by=office.stranger) == []
    with pytest.raises(Forbidden):
        await evidence.attach(Submission(client_id=uuid4(), kind=Kind.TEXT, visit_id=visit, text="有"), by=office.owner)


async def test_a_file_seen_before_in_the_zone_is_flagged_with_where(office, zone, store):
    one, two = await office.received(), await office.received()
    received = await taken(zone, store, Kind.PHOTO, photos.jpeg())
    made = []
    for item in (one, two):
        given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=item.id, received=received)
        made.append(await evidence.attach(given, by=office.owner))
    shown = await evidence.shown(made, by=office.leader)
    assert [use.number for use in shown[made[0].id].uses] == [two.number]
    assert [use.evidence_id for use in shown[made[1].id].uses] == [made[0].id]
    assert not any(row.uses for row in (await evidence.shown(made, by=office.owner)).values())
    given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=one.id, received=received)
    own = await evidence.attach(given, by=office.leader)
    assert (await evidence.shown([own], by=office.leader))[own.id].uses == ()
    assert await Blob.filter(zone_id=zone.id).count() == 1


async def test_evidence_is_read_by_whoever_may_read_the_item(office):
    item = await office.received()
    made = await evidence.attach(words(item), by=office.owner)
    for scope in (office.owner, office.leader, office.overseer, office.inspector):
        assert (await evidence.readable(made.id, by=scope)).id == made.id
    with pytest.raises(NotFound):
        await evidence.readable(made.id, by=office.stranger)
    with pytest.raises(NotFound):
        await evidence.of_item(item.id, by=office.stranger, after=None, limit=10)


async def test_lists_go_on_after_a_row(office):
    item = await office.received()
    made = [(await evidence.attach(words(item, str(n)), by=office.owner)).id for n in range(5)]
    first = await evidence.of_item(item.id, by=office.owner, after=None, limit=3)
    rest = await evidence.of_item(item.id, by=office.owner, after=first[-1].id, limit=3)
    assert [row.id for row in first + rest] == made


# reviewing


async def test_an_accepted_piece_tells_nobody(office):
    made = await evidence.attach(words(await office.received()), by=office.owner)
    reviewed = await evidence.review(made.id, by=office.leader, verdict=Review.ACCEPTED)
    assert (reviewed.review, reviewed.reviewed_by) == (Review.ACCEPTED, office.people["leader"].id)
    assert await Reminder.filter(zone_id=office.zone.id, kind=ReminderKind.RETURNED).count() == 0


@pytest.mark.parametrize("verdict", [Review.REJECTED, Review.MORE_WANTED])
async def test_a_piece_that_will_not_do_is_told_to_the_owner_once_with_its_reason(office, verdict):
    item = await office.received()
    made = await evidence.attach(words(item), by=office.owner)
    for _ in range(2):
        await evidence.review(made.id, by=office.overseer, verdict=verdict, reason="请补充验收单")
    (reminder,) = await Reminder.filter(zone_id=office.zone.id, kind=ReminderKind.RETURNED)
    assert reminder.person_id == office.people["owner"].id
    assert "请补充验收单" in reminder.summary
    assert await AuditRow.filter(zone_id=office.zone.id, action="evidence.reviewed").count() == 1


async def test_a_rejected_piece_no_longer_closes_an_item_until_the_word_is_taken_back(office):
    item = await office.received()
    made = await evidence.attach(words(item), by=office.owner)
    await evidence.review(made.id, by=office.leader, verdict=Review.REJECTED, reason="不是本事项的材料")
    with pytest.raises(Conflict) as refused:
        await ledger.request_close_out(item.id, by=office.owner)
    assert refused.value.code == "evidence_missing"
    await evidence.review(made.id, by=office.leader, verdict=Review.ACCEPTED)
    await ledger.request_close_out(item.id, by=office.owner)


async def test_a_word_against_needs_its_reason(office):
    made = await evidence.attach(words(await office.received()), by=office.owner)
    with pytest.raises(Invalid, match="required"):
        await evidence.review(made.id, by=office.leader, verdict=Review.REJECTED, reason=" ")
    with pytest.raises(Invalid, match="bad_verdict"):
        await evidence.review(made.id, by=office.leader, verdict=Review.PENDING)


async def test_nobody_reviews_their_own(office):
    item = await office.received()
    by_leader = await evidence.attach(words(item), by=office.leader)
    with pytest.raises(Forbidden, match="same_person"):
        await evidence.review(by_leader.id, by=office.leader, verdict=Review.ACCEPTED)
    for scope in (office.owner, office.inspector):
        with pytest.raises(Forbidden, match="not_your_step"):
            await evidence.review(by_leader.id, by=scope, verdict=Review.ACCEPTED)
    with pytest.raises(NotFound):
        await evidence.review(by_leader.id, by=office.stranger, verdict=Review.ACCEPTED)


async def test_after_the_close_out_no_word_is_changed(office):
    item = await office.received()
    made = await evidence.attach(words(item), by=office.owner)
    await ledger.request_close_out(item.id, by=office.owner)
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    await ledger.oversight_review(item.id, by=office.overseer, passed=True)
    with pytest.raises(Conflict, match="wrong_state"):
        await evidence.review(made.id, by=office.second_overseer, verdict=Review.ACCEPTED)


# many words at once


async def pieces(office: Office, count: int) -> list[Evidence]:
    """As many, each of an item of its own."""
    return [await evidence.attach(words(await office.received()), by=office.owner) for _ in range(count)]


def accepted(rows: list[Evidence], **more) -> list[Word]:
    return [Word(evidence_id=row.id, verdict=Review.ACCEPTED, **more) for row in rows]


async def test_each_of_many_words_is_answered_on_its_own(office):
    fine, unreasoned, other, wanting = await pieces(office, 4)
    item = await ledger.readable(other.item_id, by=office.leader)
    own = await evidence.attach(words(item), by=office.leader)
    said = [
        *accepted([fine]),
        Word(evidence_id=unreasoned.id, verdict=Review.REJECTED),
        *accepted([own]),
        Word(evidence_id=uuid4(), verdict=Review.ACCEPTED),
        Word(evidence_id=fine.id, verdict=Review.MORE_WANTED, reason="缺验收单"),
        Word(evidence_id=wanting.id, verdict=Review.MORE_WANTED, reason="缺验收单"),
    ]
    answers = await evidence.review_each(said, by=office.leader)
    assert [getattr(answer, "code", None) for answer in answers] == [
        *(None, "required", "same_person", "not_found", "duplicate", None)
    ]
    assert [(await Evidence.get(id=row.id)).review for row in (fine, unreasoned, own, wanting)] == [
        *(Review.ACCEPTED, Review.PENDING, Review.PENDING, Review.MORE_WANTED)
    ]


async def test_many_words_take_no_more_statements_than_a_few(office):
    few, many = await pieces(office, 2), await pieces(office, 12)
    heard = []
    for rows in (few, many):
        with statements() as said:
            answers = await evidence.review_each(accepted(rows), by=office.leader)
        assert [answer.review for answer in answers] == [Review.ACCEPTED] * len(rows)
        heard.append(len(said))
    assert heard[0] == heard[1]


async def test_the_same_words_again_change_nothing_and_tell_nobody(office):
    rows = await pieces(office, 3)
    said = [Word(evidence_id=row.id, verdict=Review.REJECTED, reason="不是本事项的材料") for row in rows]
    for _ in range(2):
        answers = await evidence.review_each(said, by=office.overseer)
        assert [answer.review for answer in answers] == [Review.REJECTED] * 3
    assert await AuditRow.filter(zone_id=office.zone.id, action="evidence.reviewed").count() == 3
    assert await Reminder.filter(zone_id=office.zone.id, kind=ReminderKind.RETURNED).count() == 3
    assert [await count(await ledger.readable(row.item_id, by=office.owner)) for row in rows] == [0, 0, 0]


async def test_an_owner_hears_once_of_all_pieces_of_an_item_that_will_not_do(office):
    item = await office.received()
    rows = [await evidence.attach(words(item, f"第{number}份"), by=office.owner) for number in range(3)]
    reasons = ("缺验收单", "看不清日期", "缺验收单")
    said = [
        Word(evidence_id=row.id, verdict=Review.MORE_WANTED, reason=why) for row, why in zip(rows, reasons, strict=True)
    ]
    await evidence.review_each(said, by=office.leader)
    (reminder,) = await Reminder.filter(zone_id=office.zone.id, kind=ReminderKind.RETURNED)
    assert "3份佐证材料" in reminder.summary and reminder.summary.endswith("缺验收单；看不清日期")


async def test_two_batches_over_the_same_pieces_both_end(office):
    rows = await pieces(office, 6)
    forward = evidence.review_each(accepted(rows), by=office.leader)
    backward = evidence.review_each(accepted(rows[::-1]), by=office.overseer)
    await asyncio.gather(forward, backward)
    assert await AuditRow.filter(zone_id=office.zone.id, action="evidence.reviewed").count() == 12


async def test_the_reviewer_finds_since_when_it_holds(office):
    item = await office.received()
    made = await evidence.attach(words(item, effective_on=date(2026, 11, 20)), by=office.owner)
    found = await evidence.review(made.id, by=office.leader, verdict=Review.ACCEPTED, effective_on=date(2026, 11, 18))
    assert (found.effective_on, found.found_effective_on) == (date(2026, 11, 20), date(2026, 11, 18))
    tomorrow = clock.today() + timedelta(days=1)
    with pytest.raises(Invalid, match="effective_in_future"):
        await evidence.review(made.id, by=office.leader, verdict=Review.ACCEPTED, effective_on=tomorrow)


async def test_what_is_closed_is_answered_with_the_word_that_stands_or_refused(office):
    item = await office.received()
    made = await evidence.attach(words(item), by=office.owner)
    await evidence.review(made.id, by=office.leader, verdict=Review.ACCEPTED)
    await ledger.request_close_out(item.id, by=office.owner)
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    await ledger.oversight_review(item.id, by=office.overseer, passed=True)
    (again,) = await evidence.review_each(accepted([made]), by=office.leader)
    assert again.review is Review.ACCEPTED
    (refused,) = await evidence.review_each(accepted([made]), by=office.overseer)
    assert refused.code == "wrong_state"
