"""Packs: who may have one made, what is in it, and that whatever is changed in one is named."""

import io
import re
import struct
import tracemalloc
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import asyncpg
import orjson
import pytest
from obstore.store import MemoryStore

from gateways.store import Keys, Store
from gateways.store import made as made_key
from gateways.store.keys import HEADER
from models import organization, packs
from models.base import audit
from models.base.audit import AuditRow
from models.base.errors import Conflict, Forbidden, NotFound, Unavailable
from models.base.scope import Grant, Role, Scope
from models.evidence import Evidence, Kind, address
from models.organization import Zone
from models.packs import NotSealedYet, Pack, PackState, PackSubject, Stopped
from models.packs.verifying.container import MOST_DIRECTORY
from tests.lookback_zone import drawn, furnish, recorded, says
from tests.office import Office, open_office
from tests.packing import Files, closed, closed_with_evidence, opened, packed, photographed, rewritten, verified

ITEM, CAMPAIGN = PackSubject.ITEM, PackSubject.CAMPAIGN


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"file://{tmp_path}/objects")


@pytest.fixture
async def pack(office: Office, store: Store) -> bytes:
    """Of one closed item, in a zone that went on."""
    item_id = await closed_with_evidence(office, store)
    while await audit.seal(office.zone.id):
        pass
    for _ in range(3):
        await office.received()
        await audit.seal(office.zone.id)
    return (await packed(office, store, ITEM, item_id))[0]


@pytest.fixture
def files(pack: bytes) -> Files:
    return opened(pack)


def named(mismatches: list[packs.Mismatch]) -> str:
    return "\n".join(f"{mismatch.name}: {mismatch.reason}" for mismatch in mismatches)


# what is in it


async def test_a_pack_holds_the_items_file_and_verifies(files: Files, pack: bytes) -> None:
    assert named(verified(pack)) == ""
    kinds = sorted(re.sub(r"[0-9a-f]{64}|ZL-\w+-\d+-\d+", "*", name) for name in files)
    assert kinds == [
        *("README.txt", "audit/proof.jsonl", "items/*/audit.jsonl", "items/*/item.json", "items/*/timeline.pdf"),
        *("manifest.json", "originals/*.jpg"),
    ]
    facts = orjson.loads(next(content for name, content in files.items() if name.endswith("item.json")))
    assert [piece["kind"] for piece in facts["evidence"]] == ["photo", "text", "paper_reference"]
    assert [piece["review"] for piece in facts["evidence"]] == ["more_wanted", "accepted", "pending"]
    assert [moment["label"] for moment in facts["timeline"]][:3] == ["起草", "交办", "签收"]


async def test_a_pack_is_an_archive_that_any_program_opens(pack: bytes) -> None:
    assert zipfile.ZipFile(io.BytesIO(pack)).testzip() is None


async def test_a_campaigns_pack_holds_a_photo_of_two_items_once(office: Office, store: Store) -> None:
    for _ in range(2):
        await closed_with_evidence(office, store)
    await office.draft()
    content, made = await packed(office, store, CAMPAIGN, office.campaign.id)
    assert named(verified(content)) == ""
    names = list(opened(content))
    assert sum(name.startswith("originals/") for name in names) == 1
    assert sum(name.endswith("item.json") for name in names) == 2
    assert made.classification == "internal"


async def test_it_holds_no_telephone_number_and_no_openid(office: Office, store: Store, files: Files) -> None:
    await organization.bind(office.zone.id, office.people["owner"].id, "o-owner", by=office.owner)
    item_id = await closed_with_evidence(office, store)
    content = b"".join(opened((await packed(office, store, ITEM, item_id))[0]).values())
    for person in office.people.values():
        assert (person.phone or "").encode() not in content
    assert b"o-owner" not in content


async def test_what_the_store_has_lost_is_named(office: Office, store: Store) -> None:
    item_id = await closed_with_evidence(office, store)
    (photo,) = await Evidence.filter(item_id=item_id, kind=Kind.PHOTO)
    await store.delete(address(office.zone.id, photo.sha256 or ""))
    content, made = await packed(office, store, ITEM, item_id)
    assert made.lost == [f"originals/{photo.sha256}.jpg"]
    assert named(verified(content)) == f"originals/{photo.sha256}.jpg: was lost already when the pack was made"


async def test_an_original_that_rotted_in_the_store_is_named(office: Office, store: Store) -> None:
    item_id = await closed_with_evidence(office, store)
    (photo,) = await Evidence.filter(item_id=item_id, kind=Kind.PHOTO)
    await _replace(store, address(office.zone.id, photo.sha256 or ""), b"another photo")
    assert "not the file that its name promises" in named(verified((await packed(office, store, ITEM, item_id))[0]))


@pytest.mark.parametrize("place", [HEADER.size, HEADER.size + 2 * 2**20])
async def test_a_sealed_original_that_no_longer_opens_is_named_and_the_rest_is_packed(
    office: Office, tmp_path: Path, place: int
) -> None:
    store = Store.open(f"file://{tmp_path}/sealed", keys=Keys.read(made_key(), "aes-256-gcm"))
    item_id = await closed_with_evidence(office, store)
    (photo,) = await Evidence.filter(item_id=item_id, kind=Kind.PHOTO)
    key = address(office.zone.id, photo.sha256 or "")
    assert named(verified((await packed(office, store, ITEM, item_id))[0])) == ""
    await _replace(store, key, await store.read(key) + bytes(3 * 2**20))
    kept = tmp_path / "sealed" / key
    kept.write_bytes(flipped_at(kept.read_bytes(), place))
    content, packing = await packed(office, store, ITEM, item_id)
    assert packing.lost == [f"originals/{photo.sha256}.jpg"]
    assert f"originals/{photo.sha256}.jpg: was lost already when the pack was made" in named(verified(content))


async def test_without_the_store_there_is_no_pack(office: Office, store: Store) -> None:
    class Away(Store):
        async def get(self, key: str) -> AsyncIterator[bytes]:
            raise Unavailable("store_unavailable", "存放材料的地方暂时用不了。")
            yield b""

    item_id = await closed_with_evidence(office, store)
    with pytest.raises(Unavailable, match="store_unavailable"):
        await packed(office, Away(MemoryStore()), ITEM, item_id)


async def test_a_pack_waits_for_the_log_to_be_sealed(office: Office, store: Store, database: str) -> None:
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            await other.execute("select pg_current_xact_id()")
            item_id = await closed_with_evidence(office, store)
            with pytest.raises(NotSealedYet):
                await packed(office, store, ITEM, item_id)
    finally:
        await other.close()
    assert named(verified((await packed(office, store, ITEM, item_id))[0])) == ""


async def test_many_large_files_take_little_memory(office: Office, store: Store) -> None:
    item = await office.received()
    for number in range(8):
        photo = await photographed(office, store, item, f"#0000{number:02x}")
        blob = address(office.zone.id, photo.sha256 or "")
        await _replace(store, blob, await store.read(blob) + bytes(8 * 2**20))  # 64 MB in all
    pack = await packs.drawn_up(ITEM, item.id, by=office.overseer)
    tracemalloc.start()
    made = packs.Made(pack, store, _pdf)
    async for _ in made.stream():
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.size > 64 * 2**20 > 3 * peak


async def _replace(store: Store, key: str, content: bytes) -> None:
    """As a disk that rots does; the store itself never replaces anything."""
    await store.delete(key)
    await store.put(key, content)


async def _pdf(facts: object) -> bytes:
    return b"%PDF"


# whatever is changed is named


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


async def test_one_altered_byte_of_any_file_is_named(files: Files) -> None:
    for name in files:
        if name != "manifest.json":
            assert named(verified(closed({**files, name: flipped(files[name])}))) == (
                f"{name}: is not what the manifest names: its content was altered"
            )


async def test_one_altered_byte_of_the_archive_itself_is_found(pack: bytes) -> None:
    unseen = [place for place in range(0, len(pack), 97) if not verified(flipped_at(pack, place))]
    headers = [place for place in unseen if not harmless(pack, place)]
    assert headers == []


def flipped_at(pack: bytes, place: int) -> bytes:
    return pack[:place] + bytes([pack[place] ^ 1]) + pack[place + 1 :]


def harmless(pack: bytes, place: int) -> bool:
    """Of an entry's header: its time, its rights, the version that made it; no byte of any file."""
    return opened(flipped_at(pack, place)) == opened(pack)


async def test_a_missing_and_an_added_file_are_named(files: Files) -> None:
    for name in files:
        found = named(verified(closed({path: content for path, content in files.items() if path != name})))
        assert f"{name}: is missing" in found
    assert named(verified(closed({**files, "originals/new.jpg": b"x"}))) == "originals/new.jpg: is not in the manifest"


async def test_two_files_in_each_others_place_are_named(files: Files) -> None:
    one, two = (next(name for name in files if name.endswith(end)) for end in ("timeline.pdf", ".jpg"))
    found = named(verified(closed({**files, one: files[two], two: files[one]})))
    assert one in found and two in found


async def test_a_pack_cut_off_or_with_something_appended_is_refused(pack: bytes) -> None:
    for content in (pack[:-1], pack[: len(pack) // 2], b"", pack + b"x", pack + bytes(100_000), b"PK" * 50):
        assert named(verified(content)).startswith("pack: is no")


async def test_a_name_that_stands_twice_is_named(files: Files) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = closed([*files.items(), ("README.txt", b"another one")])
    assert named(verified(twice)) == "README.txt: stands in the archive twice"


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/evil", "a/../../evil", "C:evil", "items\\..\\evil", "folder/"])
async def test_a_name_that_leads_out_is_named_and_never_opened(files: Files, name: str) -> None:
    found = named(verified(closed({**files, name: b""})))
    assert "has a name that leads out of the pack" in found


async def test_another_format_is_said_to_be_unknown(files: Files) -> None:
    manifest = files["manifest.json"].replace(b"zhuoluo-pack/1", b"zhuoluo-pack/9")
    assert "'zhuoluo-pack/9' is not one that this version knows" in named(
        verified(closed({**files, "manifest.json": manifest}))
    )


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b"{}", b'{"format": "zhuoluo-pack/1"}', b"\xff", b"[" * 100_000, b'{"format": 1}']
)
async def test_what_is_no_manifest_is_said_so(files: Files, manifest: bytes) -> None:
    assert named(verified(closed({**files, "manifest.json": manifest}))).startswith("manifest.json: ")


async def test_a_manifest_with_a_size_hash_or_path_that_can_be_none_is_said_so(files: Files) -> None:
    manifest = orjson.loads(files["manifest.json"])
    for wrong in ({"size": -1}, {"size": "many"}, {"sha256": "x"}, {"path": []}, {"path": ""}, {"what": None}):
        changed = manifest | {"files": [manifest["files"][0] | wrong, *manifest["files"][1:]]}
        found = named(verified(closed({**files, "manifest.json": orjson.dumps(changed)})))
        assert found == "manifest.json: is no manifest"
    twice = manifest | {"files": manifest["files"] * 2}
    assert "names a file twice" in named(verified(closed({**files, "manifest.json": orjson.dumps(twice)})))


# a careful forger, who makes the manifest agree


def path_of(files: Files, end: str) -> str:
    return next(name for name in files if name.endswith(end))


FORGERIES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "words of evidence": ("item.json", lambda c: c.replace("现场整洁".encode(), "现场脏乱".encode()), "evidence "),
    "a paper file's number": ("item.json", lambda c: c.replace("8号".encode(), "9号".encode()), "evidence "),
    "a review": ("item.json", lambda c: c.replace(b'"more_wanted"', b'"accepted"'), "its review is not the one"),
    "a review's reason": ("item.json", lambda c: c.replace("看不清".encode(), "看得清".encode()), "its review"),
    "a report's words": ("item.json", lambda c: c.replace("围挡已恢复".encode(), "围挡未恢复".encode()), "its words"),
    "a moment's time": (
        "item.json",
        lambda c: re.sub(rb'("at": "20\d\d-)\d\d', rb"\g<1>01", c, count=1),
        "another time",
    ),
    "a row": ("audit.jsonl", lambda c: c.replace(b"item.issued", b"item.closed"), "does not match its hash"),
    "a block": ("proof.jsonl", lambda c: re.sub(rb'("previous":").', rb"\g<1>x", c, count=1), "cannot be read"),
    "another block": ("proof.jsonl", lambda c: b"\n".join(c.splitlines()[1:]), "is not the block"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_what_the_log_pins_cannot_be_forged(files: Files, forgery: str) -> None:
    end, change, reason = FORGERIES[forgery]
    assert reason in named(verified(closed(rewritten(files, path_of(files, end), change))))


async def test_a_piece_of_evidence_left_out_is_named(files: Files) -> None:
    def without_words(content: bytes) -> bytes:
        facts = orjson.loads(content)
        facts["evidence"] = [piece for piece in facts["evidence"] if piece["kind"] != "text"]
        return orjson.dumps(facts)

    found = named(verified(closed(rewritten(files, path_of(files, "item.json"), without_words))))
    assert "stands in the log, but not here" in found


async def test_an_invented_row_with_a_hash_of_its_own_is_not_in_the_chain(files: Files) -> None:
    def invented(content: bytes) -> bytes:
        row = orjson.loads(content.splitlines()[0]) | {"id": str(uuid4()), "action": "item.closed"}
        row["hash"] = audit.hash_of_line(row).hex()
        return content + orjson.dumps(row) + b"\n"

    found = named(verified(closed(rewritten(files, path_of(files, "audit.jsonl"), invented))))
    assert "does not stand in the sealed chain" in found


async def test_a_proof_of_another_chain_is_named(files: Files) -> None:
    manifest = orjson.loads(files["manifest.json"])
    manifest["chain"]["hash"] = "00" * 32
    found = named(verified(closed({**files, "manifest.json": orjson.dumps(manifest)})))
    assert "is not the block to which" in found and "does not stand in the sealed chain" in found


async def test_what_people_said_at_a_visit_is_packed_and_pinned_to_where_it_was_said(zone: Zone, store: Store) -> None:
    there = await furnish(zone)
    item = await there.closed_item()
    (visit,) = await drawn(there, inspectors=(there.people["inspector 1"],))
    await recorded(there, visit, says(seen="围挡完好。\n场地整洁。", interview="社区反映每周有人巡查。"))
    pack = await packs.drawn_up(ITEM, item.id, by=await there.scope("oversight"))
    content = b"".join([chunk async for chunk in packs.Made(pack, store, _pdf).stream()])
    assert named(verified(content)) == ""
    files = opened(content)
    for seen, interview in (
        ("围挡完好。\n场地整洁。", "社区反映从未有人巡查。"),
        ("围挡完好。", "场地整洁。\n社区反映每周有人巡查。"),
    ):

        def forged(facts: bytes, said: tuple[str, str] = (seen, interview)) -> bytes:
            changed = orjson.loads(facts)
            (record,) = changed["visits"][0]["records"]
            record["seen"], record["interview"] = said
            return orjson.dumps(changed)

        found = named(verified(closed(rewritten(files, path_of(files, "item.json"), forged))))
        assert "its verdict or words are not those that the log pins" in found


# an archive made to do harm


async def test_a_file_larger_than_its_manifest_says_is_read_no_further(files: Files) -> None:
    bomb = closed({**files, "README.txt": bytes(300 * 2**20)})
    assert len(bomb) < 2**20
    tracemalloc.start()
    found = named(verified(bomb))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.startswith("README.txt: is larger than")
    assert peak < 16 * 2**20


async def test_a_huge_manifest_is_read_no_further(files: Files) -> None:
    assert "manifest.json: is larger than" in named(verified(closed({**files, "manifest.json": bytes(70 * 2**20)})))


async def test_a_directory_that_says_it_is_huge_is_not_read(pack: bytes) -> None:
    size = struct.pack("<L", MOST_DIRECTORY + 1)
    assert "has a directory larger" in named(verified(pack[:-10] + size + pack[-6:]))


async def test_entries_that_share_their_bytes_are_named(files: Files) -> None:
    content = bytearray(closed({"a": b"x" * 100, "b": b"y" * 100}, zipfile.ZIP_STORED))
    second = content.rindex(b"PK\x01\x02")
    struct.pack_into("<L", content, second + 42, 0)
    assert "shares its bytes with another entry" in named(verified(bytes(content)))


# asking


async def test_asking_twice_while_it_is_under_way_is_one_pack(office: Office, store: Store) -> None:
    item = await office.issued()
    first, second = [await packs.ask(ITEM, item.id, by=office.overseer) for _ in range(2)]
    assert first.id == second.id
    assert (first.name, first.unit_path) == (item.number, item.unit_path)
    assert await AuditRow.filter(zone_id=office.zone.id, action="pack.asked").count() == 1


async def test_only_oversight_of_the_unit_may_ask_and_see(office: Office) -> None:
    item = await office.issued()
    for stranger in (office.owner, office.leader, office.inspector):
        with pytest.raises(Forbidden):
            await packs.ask(ITEM, item.id, by=stranger)
    elsewhere = overseer_of(office, "/kfq/rd/")
    with pytest.raises(NotFound):
        await packs.ask(ITEM, item.id, by=elsewhere)
    asked = await packs.ask(CAMPAIGN, office.campaign.id, by=office.overseer)
    assert await packs.packs(by=elsewhere) == []
    for look in (packs.pack_of, packs.cancel, packs.take):
        with pytest.raises(NotFound):
            await look(asked.id, by=elsewhere)
    assert [seen.id for seen in await packs.packs(by=office.second_overseer)] == [asked.id]


def overseer_of(office: Office, path: str) -> Scope:
    return Scope(office.zone.id, "person:x", person_id=uuid4(), grants=(Grant(Role.OVERSIGHT, path),))


async def test_a_campaigns_pack_holds_what_its_asker_oversees(office: Office, store: Store) -> None:
    mine, other = (
        await office.issued(),
        await office.issued(unit_id=office.units["rd"].id, owner_id=stranger_of(office)),
    )
    by = overseer_of(office, mine.unit_path)
    pack = await packs.drawn_up(CAMPAIGN, office.campaign.id, by=by)
    assert [item.id for item in await packs.items_in(pack)] == [mine.id]
    whole = await packs.drawn_up(CAMPAIGN, office.campaign.id, by=office.overseer)
    assert {item.id for item in await packs.items_in(whole)} == {mine.id, other.id}


def stranger_of(office: Office) -> object:
    return office.people["stranger"].id


async def test_there_is_nothing_to_pack_of_a_draft(office: Office) -> None:
    draft = await office.draft()
    for subject, subject_id in ((ITEM, draft.id), (CAMPAIGN, office.campaign.id)):
        with pytest.raises(Conflict, match="nothing_to_pack"):
            await packs.ask(subject, subject_id, by=office.overseer)


# building


async def test_a_builder_that_is_not_heard_of_is_followed_by_another(office: Office, clock_moves: Callable) -> None:
    await packs.ask(ITEM, (await office.issued()).id, by=office.overseer)
    first = await packs.begin()
    assert first and await packs.begin() is None
    clock_moves(seconds=61)
    second = await packs.begin()
    assert second and second.id == first.id and packs.address(second) != packs.address(first)
    with pytest.raises(Stopped):
        await packs.go_on(first, 1)
    await packs.put_back(first)
    assert (await Pack.get(id=first.id)).state is PackState.BUILDING


async def test_a_pack_that_is_never_finished_is_given_up(office: Office, clock_moves: Callable) -> None:
    asked = await packs.ask(ITEM, (await office.issued()).id, by=office.overseer)
    for _ in range(6):
        await packs.begin()
        clock_moves(seconds=61)
    given_up = await packs.pack_of(asked.id, by=office.overseer)
    assert given_up.state is PackState.FAILED and given_up.reason
    assert await packs.begin() is None


async def test_a_cancelled_pack_stops_its_builder(office: Office) -> None:
    asked = await packs.ask(ITEM, (await office.issued()).id, by=office.overseer)
    building = await packs.begin()
    assert building
    for _ in range(2):
        assert (await packs.cancel(asked.id, by=office.overseer)).state is PackState.CANCELLED
    with pytest.raises(Stopped):
        await packs.go_on(building, 1)
    with pytest.raises(Conflict, match="pack_not_ready"):
        await packs.take(asked.id, by=office.overseer)
    assert await AuditRow.filter(zone_id=office.zone.id, action="pack.cancelled").count() == 1
