"""Signals: one plain sentence each, to reviewers only, about files and never about people."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from models import evidence
from models.accounts import Signer
from models.base import clock
from models.evidence import Brought, Evidence, Kind, Nonce, Signal, Submission, nonces
from models.organization import Zone
from tests.office import Office, open_office


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def submitted(office: Office, claimed_at=None, **said: Any) -> Evidence:
    item = await office.received()
    given = Submission(client_id=uuid4(), kind=Kind.TEXT, item_id=item.id, text="见照片。", captured_at=claimed_at)
    row = await evidence.attach(given, by=office.owner)
    await evidence.trace(office.zone.id, row.id, said)
    return row


async def seen(office: Office, row: Evidence, part: str = "leader") -> tuple[Signal, ...]:
    return (await evidence.shown([row], by=office.scopes[part]))[row.id].signals


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({"taken_at": timedelta(hours=-5)}, "unlike_claim", "请核对"),
        ({"taken_at": timedelta(hours=5)}, "dated_ahead", "时钟可能不准"),
        ({"taken_at": timedelta(days=-30)}, "before_cycle", "早于本轮办理开始"),
        ({"software": "Adobe Photoshop 26.1"}, "edited", "可能只是裁剪或压缩"),
        ({"issuer": "一家相机厂", "intact": True}, "credential", "没有核实签发者"),
        ({"issuer": "一家相机厂", "intact": False}, "credential_broken", "已不一致"),
        ({"issuer": "一家公司", "intact": True, "generated": True}, "generated", "人工智能生成"),
    ],
)
async def test_what_does_not_fit_together_is_said_in_a_sentence(office, said, code, words):
    if isinstance(said.get("taken_at"), timedelta):
        said = {"taken_at": clock.now() + said["taken_at"]}
    row = await submitted(office, claimed_at=clock.now(), **said)
    signals = {signal.code: signal.sentence for signal in await seen(office, row)}
    assert words in signals[code]


async def test_a_claim_from_the_future_is_asked_about_whatever_the_kind(office):
    row = await submitted(office, claimed_at=clock.now() + timedelta(hours=1))
    assert [signal.code for signal in await seen(office, row)] == ["dated_ahead"]


async def test_an_ordinary_photo_says_nothing(office):
    row = await submitted(office, claimed_at=clock.now(), taken_at=clock.now(), software="HarmonyOS 5.0")
    assert await seen(office, row) == ()


async def test_a_photo_whose_exif_a_messenger_took_away_says_nothing(office):
    assert await seen(office, await submitted(office)) == ()


async def test_signals_are_for_reviewers(office):
    row = await submitted(office, software="GIMP 3.0")
    assert await seen(office, row, "owner") == ()
    assert len(await seen(office, row, "overseer")) == 1


async def test_traces_are_kept_as_first_read(office):
    row = await submitted(office, software="GIMP 3.0")
    await evidence.trace(office.zone.id, row.id, {})
    assert [signal.code for signal in await seen(office, row)] == ["edited"]


def test_distance_is_measured_over_the_globe():
    wuhan, beijing = (30.59, 114.31), (39.90, 116.40)
    assert evidence.apart(wuhan, beijing) == pytest.approx(1052, abs=5)
    assert evidence.apart(wuhan, wuhan) == 0


SIGNER = Signer("s" * 32)


def test_a_nonce_is_good_for_its_visit_and_person_alone():
    visit, person = uuid4(), uuid4()
    given = evidence.issue(visit, person, signer=SIGNER)
    assert len(given) < nonces.LONGEST
    assert evidence.examine(given, visit, person, signer=SIGNER) is Nonce.GOOD
    for other in ((uuid4(), person), (visit, uuid4()), (visit, None)):
        assert evidence.examine(given, *other, signer=SIGNER) is Nonce.FOREIGN
    for forged in (given[:-4] + "AAA=", "x", Signer("t" * 32).seal(nonces.PURPOSE, [str(visit), str(person)])):
        assert evidence.examine(forged, visit, person, signer=SIGNER) is Nonce.FOREIGN
    assert evidence.examine("", visit, person, signer=SIGNER) is Nonce.ABSENT


@pytest.mark.parametrize(
    ("brought", "code", "words"),
    [
        (Brought(nonce=Nonce.ABSENT), "no_nonce", "不影响效力"),
        (Brought(nonce=Nonce.FOREIGN), "foreign_nonce", "请核对是不是本人填写"),
        (Brought(clock_skew=1800), "clock_skew", "快 30 分钟"),
        (Brought(clock_skew=-7200), "clock_skew", "慢 120 分钟"),
        (Brought(nonce=Nonce.GOOD, clock_skew=-300), None, ""),
        (Brought(), None, ""),
    ],
)
async def test_what_a_phone_brought_along_is_said_in_a_sentence(office, brought, code, words):
    item = await office.received()
    given = Submission(client_id=uuid4(), kind=Kind.TEXT, item_id=item.id, text="已清理。", brought=brought)
    signals = await seen(office, await evidence.attach(given, by=office.owner))
    assert [signal.code for signal in signals] == ([code] if code else [])
    assert all(words in signal.sentence for signal in signals)


async def test_what_a_phone_brings_along_makes_no_other_submission(office):
    item = await office.received()
    given = Submission(client_id=uuid4(), kind=Kind.TEXT, item_id=item.id, text="已清理。")
    first = await evidence.attach(given, by=office.owner)
    again = await evidence.attach(replace(given, brought=Brought(clock_skew=900)), by=office.owner)
    assert (again.id, again.clock_skew) == (first.id, None)
