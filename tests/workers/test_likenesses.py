"""What looks like what is found whenever it comes, exactly, and asked of the reviewer alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from redis.asyncio import Redis

from gateways.store import Store
from gateways.wechat import WeChat
from models import evidence, ledger, organization
from models.base.scope import Scope
from models.base.settings import Settings
from models.evidence import RADIUS, Alike, Evidence, Kind, Likeness, Look, Submission, Use
from models.organization import Zone
from tests.corpus.scenes import CHANGES, jpeg, scenes
from tests.office import Office, open_office
from workers import looks
from workers.evidence import compare, derive
from workers.likenesses import Copy, Looks, columns
from workers.relay import Context, Relay

REPORT = (
    "11月{day}日会同镇街对长河路雨污分流工程款逐笔核对，共核对合同{count}份、支付凭证37张，差额已全部追回并在村务公开栏公示，"
    "台账随附。"
)
OTHER_REPORT = "窗口已公布一次性告知清单，抽查办件六十件，未再发现让企业往返跑的情况，满意度回访记录存政务服务中心。"


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
async def context(settings: Settings, redis: Redis, tmp_path: Path, database: str) -> AsyncIterator[Context]:
    wechat = WeChat(settings.wechat, redis)
    yield Context(settings, redis, wechat, Store.open(f"file://{tmp_path}/objects"))
    await wechat.close()


async def photo(office: Office, context: Context, content: bytes) -> Evidence:
    async def sent():
        yield content

    item = await office.received()
    received = await evidence.take_in(office.zone.id, Kind.PHOTO, sent(), store=context.store)
    given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=item.id, received=received)
    return await evidence.attach(given, by=office.owner)


async def words(office: Office, text: str) -> Evidence:
    item = await office.received()
    return await evidence.attach(
        Submission(client_id=uuid4(), kind=Kind.TEXT, item_id=item.id, text=text), by=office.owner
    )


async def uses(row: Evidence, by: Scope) -> tuple[Use, ...]:
    return (await evidence.shown([row], by=by))[row.id].uses


async def test_a_photo_cropped_and_sent_for_another_item_is_asked_about_at_both(office, context):
    scene = scenes()["china"]
    first = await photo(office, context, jpeg(scene))
    await Relay(context).drain()
    second = await photo(office, context, CHANGES["cropped by 10 %"](scene))
    await Relay(context).drain()
    for row, other in ((first, second), (second, first)):
        (use,) = await uses(row, office.overseer)
        assert (use.evidence_id, use.item_id, use.alike, use.readable) == (
            *(other.id, other.item_id, Alike.LOOKS_ALIKE),
            True,
        )
        assert "请对照" in use.alike.question
    assert await uses(first, office.owner) == ()


async def test_other_scenes_are_not_asked_about(office, context):
    pictures = scenes()
    rows = [await photo(office, context, jpeg(pictures[name])) for name in ("china", "flower", "coffee", "page")]
    await Relay(context).drain()
    assert await Look.filter(zone_id=office.zone.id, kind=Kind.PHOTO).count() >= 9 * len(rows)
    assert await Likeness.filter(zone_id=office.zone.id).count() == 0


async def test_the_same_file_is_said_to_be_the_same_and_not_alike_as_well(office, context):
    content = jpeg(scenes()["coffee"])
    first, second = await photo(office, context, content), await photo(office, context, content)
    await Relay(context).drain()
    (use,) = await uses(second, office.leader)
    assert (use.evidence_id, use.alike) == (first.id, Alike.SAME_FILE)


async def test_a_statement_pasted_with_other_figures_is_asked_about(office, context):
    first, second, other = [
        await words(office, text)
        for text in (REPORT.format(day=18, count=12), REPORT.format(day=20, count=15), OTHER_REPORT)
    ]
    await Relay(context).drain()
    (use,) = await uses(second, office.leader)
    assert (use.evidence_id, use.alike) == (first.id, Alike.READS_ALIKE)
    assert await uses(other, office.leader) == ()


async def test_a_short_statement_is_nobodys_copy(office, context):
    for _ in range(2):
        await words(office, "已按要求完成整改，请予销号。")
    await Relay(context).drain()
    assert await Look.filter(zone_id=office.zone.id).count() == 0


async def test_whoever_may_not_open_the_other_piece_is_told_so(office, context):
    """The leader reviews their own unit's; the other piece was issued to another unit."""
    scene = scenes()["rocket"]
    theirs = await ledger.issue(
        (await office.draft(owner_id=office.people["stranger"].id, unit_id=office.units["rd"].id)).id,
        by=office.overseer,
        although_similar=True,
    )
    await ledger.receive(theirs.id, by=office.stranger)

    async def sent():
        yield jpeg(scene)

    received = await evidence.take_in(office.zone.id, Kind.PHOTO, sent(), store=context.store)
    given = Submission(client_id=uuid4(), kind=Kind.PHOTO, item_id=theirs.id, received=received)
    await evidence.attach(given, by=office.stranger)
    row = await photo(office, context, jpeg(scene, quality=50))
    await Relay(context).drain()
    assert [use.readable for use in await uses(row, office.leader)] == [False]
    assert [use.readable for use in await uses(row, office.overseer)] == [True]


async def test_of_two_that_come_together_the_later_finds_the_first(office, context):
    """Two workers with a copy each, which neither has read since."""
    rows = [await words(office, REPORT.format(day=day, count=12)) for day in (18, 20)]
    seen = [looks.of_words(row.text) for row in rows]
    await asyncio.gather(
        *(
            evidence.compare(row.zone_id, row.id, Kind.TEXT, own, among=Looks())
            for row, own in zip(rows, seen, strict=True)
        )
    )
    (likeness,) = await Likeness.filter(zone_id=office.zone.id)
    assert {likeness.evidence_id, likeness.other_id} == {row.id for row in rows}
    assert await Look.filter(zone_id=office.zone.id).order_by("number").values_list("number", flat=True) == [1, 2]


async def test_comparing_again_changes_nothing(office, context):
    scene = scenes()["coins"]
    rows = [await photo(office, context, jpeg(scene, quality)) for quality in (90, 60)]
    rows += [await words(office, REPORT.format(day=day, count=12)) for day in (18, 20)]
    await Relay(context).drain()
    before = await Look.all().count(), await Likeness.all().count()
    for row in rows:
        job = derive if row.kind is Kind.PHOTO else compare
        await job(context, row.zone_id, {"evidence_id": str(row.id)})
    assert before[1] == 2
    assert (await Look.all().count(), await Likeness.all().count()) == before


async def test_another_zones_pieces_are_never_met(office, context):
    far = await open_office(await organization.create_zone(code="far", name="另一开发区"))
    rows = [await words(where, REPORT.format(day=18, count=12)) for where in (office, far)]
    await Relay(context).drain()
    assert [await uses(row, by) for row, by in zip(rows, (office.leader, far.leader), strict=True)] == [(), ()]


async def test_a_worker_that_lost_its_copy_reads_it_again(office, context):
    first = await words(office, REPORT.format(day=18, count=12))
    await Relay(context).drain()
    (own,) = looks.of_words(first.text)
    for search in (context.looks, Looks()):
        assert await search.near(office.zone.id, Kind.TEXT, [own], within=0) == {1: 0}


@pytest.mark.parametrize("within", [0, 31, RADIUS[Kind.PHOTO], 90])
def test_the_search_finds_what_comparing_one_by_one_finds(within):
    random = np.random.default_rng(5)
    bits = random.integers(0, 2, (70_000, 256), dtype=np.uint8)
    asked = bits[[0, 33_000, 69_999]].copy()
    for place, flipped in enumerate((0, 20, 44)):
        asked[place, random.permutation(256)[:flipped]] ^= 1
    copy = Copy()
    for part in np.split(np.packbits(bits, axis=1), 7):
        copy.add(range(copy.last + 1, copy.last + 1 + len(part)), part.tobytes())
    one_by_one = np.min([(bits != look).sum(axis=1) for look in asked], axis=0)
    expected = {place + 1: int(one_by_one[place]) for place in np.flatnonzero(one_by_one <= within)}
    assert copy.near(columns(np.packbits(asked, axis=1).tobytes()), within) == expected
    assert len(expected) >= 1
