"""Packs made in a test's zone, and archives taken apart and put together again otherwise."""

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import orjson

from gateways.store import Store
from models import evidence, ledger, packs
from models.evidence import Evidence, Kind, Review, Submission
from models.packs import Made, Mismatch, PackSubject
from tests import photos
from tests.office import Office

Files = dict[str, bytes]


async def drawn_simply(facts: dict[str, Any]) -> bytes:
    """A timeline that costs nothing; the real one is tests/workers/test_timelines."""
    return b"%PDF-1.7 " + str(facts["item"]["title"]).encode()


async def closed_with_evidence(office: Office, store: Store, colour: str = "teal") -> UUID:
    """A closed item that a photo, words and a paper file show done; the words were found good."""
    item = await office.received()
    photo = await photographed(office, store, item, colour)
    words = Submission(client_id=uuid4(), kind=Kind.TEXT, item_id=item.id, text="已完成整改，现场整洁。")
    paper = Submission(client_id=uuid4(), kind=Kind.PAPER_REFERENCE, item_id=item.id, paper_reference="档案〔2026〕8号")
    said = await evidence.attach(words, by=office.owner)
    await evidence.attach(paper, by=office.owner)
    await evidence.review(photo.id, by=office.leader, verdict=Review.MORE_WANTED, reason="看不清日期")
    await evidence.review(said.id, by=office.leader, verdict=Review.ACCEPTED)
    await ledger.report(item.id, by=office.owner, text="围挡已恢复")
    await ledger.request_close_out(item.id, by=office.owner)
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    await ledger.oversight_review(item.id, by=office.overseer, passed=True)
    return item.id


async def photographed(office: Office, store: Store, item: ledger.Item, colour: str) -> Evidence:
    async def sent() -> AsyncIterator[bytes]:
        yield photos.jpeg(colour=colour)

    received = await evidence.take_in(office.zone.id, Kind.PHOTO, sent(), store=store)
    given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=item.id, received=received)
    return await evidence.attach(given, by=office.owner)


async def packed(office: Office, store: Store, subject: PackSubject, subject_id: UUID) -> tuple[bytes, Made]:
    """The pack's bytes, without a worker."""
    pack = await packs.drawn_up(subject, subject_id, by=office.overseer)
    made = Made(pack, store, drawn_simply)
    return b"".join([chunk async for chunk in made.stream()]), made


def verified(pack: bytes) -> list[Mismatch]:
    return packs.verify(io.BytesIO(pack))


def opened(pack: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def closed(files: Files | list[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these, in their order; a list may name a file twice."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return out.getvalue()


def rewritten(files: Files, path: str, change: Callable[[bytes], bytes]) -> Files:
    """As a careful forger does it: the file changed, and the manifest made to agree."""
    changed = {**files, path: change(files[path])}
    assert changed[path] != files[path]
    manifest = orjson.loads(files["manifest.json"])
    for file in manifest["files"]:
        if file["path"] == path:
            file |= {"size": len(changed[path]), "sha256": hashlib.sha256(changed[path]).hexdigest()}
    return changed | {"manifest.json": orjson.dumps(manifest)}
