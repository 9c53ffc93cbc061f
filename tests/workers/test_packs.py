"""Packs are built by workers, whatever happens to the worker; those past their time are removed."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest
from redis.asyncio import Redis

from gateways.store import Missing, Store
from gateways.wechat import WeChat
from models import evidence, packs
from models.base import clock
from models.base.audit import AuditRow
from models.base.settings import Settings
from models.organization import Zone
from models.packs import PackState, PackSubject
from tests.office import Office, open_office
from tests.packing import closed_with_evidence, opened
from workers import timelines
from workers.evidence import sweep_unnamed
from workers.packs import build, expire, sweep
from workers.relay import Context

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
async def context(settings: Settings, redis: Redis, tmp_path: Path) -> AsyncIterator[Context]:
    wechat = WeChat(settings.wechat, redis)
    yield Context(settings, redis, wechat, Store.open(f"file://{tmp_path}/objects"))
    await wechat.close()


async def asked(office: Office, context: Context) -> packs.Pack:
    item_id = await closed_with_evidence(office, context.store)
    return await packs.ask(PackSubject.ITEM, item_id, by=office.overseer)


async def test_a_pack_that_was_asked_for_is_built_and_verifies(office: Office, context: Context) -> None:
    waiting = await asked(office, context)
    await build(context)
    done = await packs.take(waiting.id, by=office.overseer)
    content = await context.store.read(packs.address(done))
    assert (done.state, done.size, done.files_done) == (PackState.DONE, len(content), done.files_total)
    verifying = packs.Verifying(io.BytesIO(content), lambda size: None)
    assert list(verifying.mismatches()) == []
    assert verifying.manifest and len(verifying.manifest.files) + 1 == done.files_total
    (made,) = await AuditRow.filter(zone_id=office.zone.id, action="pack.made")
    assert made.data["manifest_sha256"] == verifying.manifest_sha256 == done.manifest_sha256
    assert await AuditRow.filter(zone_id=office.zone.id, action="pack.taken").count() == 1


async def test_the_timeline_is_a_document_in_chinese_with_its_font(office: Office, context: Context) -> None:
    waiting = await asked(office, context)
    await build(context)
    files = opened(await context.store.read(packs.address(await packs.take(waiting.id, by=office.overseer))))
    pdf = next(content for name, content in files.items() if name.endswith("timeline.pdf"))
    assert b"NotoSansSC" in pdf
    with pypdfium2.PdfDocument(pdf) as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    for words in (waiting.name, "内部资料", "交办", "围挡已恢复", "档案〔2026〕8", "看不清日期", "已销号"):
        assert words in text.replace("\r\n", "").replace(" ", ""), words


async def test_no_word_of_anybodys_becomes_a_command_of_the_typesetter(office: Office, context: Context) -> None:
    evil = '#panic("x") $x$ @y <z> \\ *b* `c` // d #read("/etc/passwd")'
    item = await office.issued(title=evil[:60], requirement=evil)
    facts = (await packs.dossier(item.id, office.zone.id)).facts
    with pypdfium2.PdfDocument(await timelines.draw(facts)) as document:
        text = document[0].get_textpage().get_text_range()
    assert "#read" in text and "root:" not in text


class EndsMeanwhile(Store):
    """The store of a worker that is told to end while it reads an original."""

    stopping: asyncio.Event

    async def get(self, key: str) -> AsyncIterator[bytes]:
        self.stopping.set()
        async for chunk in super().get(key):
            yield chunk


async def test_a_worker_that_ends_puts_its_pack_back_and_leaves_nothing(
    office: Office, context: Context, tmp_path: Path
) -> None:
    waiting = await asked(office, context)
    ending = EndsMeanwhile.open(f"file://{tmp_path}/objects")
    ending.stopping = context.stopping
    await build(replace(context, store=ending))
    row = await packs.pack_of(waiting.id, by=office.overseer)
    assert (row.state, row.attempts) == (PackState.WAITING, 0)
    assert not list((tmp_path / "objects" / "packs").rglob("*.zip"))
    context.stopping.clear()
    await build(context)
    assert (await packs.pack_of(waiting.id, by=office.overseer)).state is PackState.DONE


async def test_a_pack_is_removed_after_a_week(
    office: Office, context: Context, clock_moves: Callable[..., None]
) -> None:
    waiting = await asked(office, context)
    await build(context)
    done = await packs.take(waiting.id, by=office.overseer)
    clock_moves(days=6, hours=23)
    await expire(context)
    assert await context.store.exists(packs.address(done))
    clock_moves(hours=2)
    await expire(context)
    assert (await packs.pack_of(done.id, by=office.overseer)).state is PackState.EXPIRED
    with pytest.raises(Missing):
        await context.store.read(packs.address(done))


async def test_the_sweep_of_evidence_leaves_packs_alone(office: Office, context: Context, tmp_path: Path) -> None:
    waiting = await asked(office, context)
    await build(context)
    done = packs.address(await packs.take(waiting.id, by=office.overseer))
    unnamed = evidence.address(office.zone.id, "0" * 64)
    for key in (done, unnamed):
        await context.store.put(key, b"named by nobody")
        os.utime(tmp_path / "objects" / key, (0, 0))
    await sweep_unnamed(context)
    assert await context.store.exists(done)
    assert not await context.store.exists(unnamed)


async def test_what_a_killed_builder_left_is_swept_once_it_cannot_be_wanted_any_more(
    context: Context, tmp_path: Path
) -> None:
    for age, name in ((7, "young"), (9, "old"), (9, "half.zip#1")):
        left = tmp_path / "objects" / "packs" / name
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_bytes(b"half a pack")
        then = (clock.now() - clock.offset() - timedelta(days=age)).timestamp()
        os.utime(left, (then, then))
    await sweep(context)
    assert [path.name for path in (tmp_path / "objects" / "packs").iterdir()] == ["young"]
