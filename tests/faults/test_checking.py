"""The checks themselves: they find nothing where all is well, and notice each harm that is planted."""

import os
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from tortoise.transactions import in_transaction

from models.base import database
from tests.faults.arena import Arena, opened
from tests.faults.checking import Finding, check
from tests.faults.landing import land
from tests.faults.opening import set_up
from tests.faults.stage import GATHERED, SUBSCRIBE, TEMPLATE, Stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arena(data_dir: Any) -> AsyncIterator[Arena]:
    """One for all of these tests, an installation of its own whatever the environment has in mind."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("ZHUOLUO_")]:
            environment.delenv(name)
        async with opened(data_dir / "faults-checking") as arena:
            yield arena


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(arena: Arena) -> Stage:
    """The owner told over subscribe, the colleague over template, an acknowledgement, everything ended."""
    stage = await set_up(arena, Random(1))
    await stage.stock_all()
    await stage.issue("owner")
    reminder = await stage.remind("colleague")
    await arena.move(GATHERED)
    await land(stage)
    await stage.acknowledge("colleague", reminder)
    await land(stage)
    return stage


async def found_after(stage: Stage, *harm: str) -> list[Finding]:
    """What is found where these statements were carried out; they are taken back, and no worker ever sees them."""
    async with in_transaction() as transaction:
        for statement in harm:
            await database.execute(statement, [stage.zone.id] if "$1" in statement else [])
        found = await check(stage)
        await transaction.rollback()
    return found


async def test_where_all_is_well_nothing_is_found(stage: Stage) -> None:
    assert await check(stage) == []


@pytest.mark.parametrize(
    "harm",
    [
        "delete from delivery where zone_id = $1 and channel = 'subscribe'",
        "delete from reminder where zone_id = $1 and kind = 'to_receive'",
        "update delivery set state = 'sending' where zone_id = $1 and channel = 'subscribe'",
        "update delivery set state = 'unknown' where zone_id = $1 and channel = 'subscribe'",
        "update outbox set state = 'quarantined' where zone_id = $1 and job = 'reminders.acknowledged'",
        "delete from outbox where zone_id = $1 and job = 'reminders.acknowledged'",
        "update escalation_timer set due_at = '2020-01-01' where zone_id = $1",
        "update escalation_timer set state = 'fired' where zone_id = $1",
    ],
)
async def test_what_is_lost_is_noticed(stage: Stage, harm: str) -> None:
    assert "lost" in {finding.kind for finding in await found_after(stage, harm)}


@pytest.mark.parametrize(
    "harm",
    [
        "update consent set remaining = remaining + 5 where zone_id = $1",
        "update delivery set begun_at = begun_at + interval '11 hours' where zone_id = $1",
    ],
)
async def test_a_consent_too_many_and_a_message_at_night_are_noticed(stage: Stage, harm: str) -> None:
    assert {finding.kind for finding in await found_after(stage, harm)} == {"other"}


async def test_what_is_called_sent_and_never_left_is_noticed(stage: Stage) -> None:
    before, stage.after = stage.after, await stage.arena.last()  # as if the platform had taken nothing
    found = await check(stage)
    stage.after = before
    assert {finding.kind for finding in found} == {"lost"}


async def test_a_message_that_nobody_owes_is_noticed(stage: Stage) -> None:
    harm = "update delivery set state = 'superseded' where zone_id = $1 and channel = 'template'"
    assert {finding.kind for finding in await found_after(stage, harm)} == {"duplicate"}


async def test_a_changed_row_of_the_log_is_noticed(stage: Stage) -> None:
    harm = "update audit set actor = 'person:nobody' where zone_id = $1 and action = 'reminder.acknowledged'"
    (finding,) = await found_after(stage, "alter table audit disable trigger user", harm)
    assert "does not match its hash" in finding.what


@pytest.mark.parametrize(("channel", "path"), [("subscribe", SUBSCRIBE), ("template", TEMPLATE)])
async def test_a_second_message_of_a_push_is_noticed(stage: Stage, channel: str, path: str) -> None:
    """The last of all: what the platform took cannot be taken back."""
    (row,) = await database.fetch(
        "select * from delivery where zone_id = $1 and channel = $2 and state = 'sent'", stage.zone.id, channel
    )
    await send(stage, path, str(row["openid"]), row["id"].hex, account="mini" if channel == "subscribe" else "service")
    assert [
        finding for finding in await check(stage) if finding.what == f"2 {channel} messages of delivery {row['id']}"
    ]


async def send(stage: Stage, path: str, openid: str, reference: str, *, account: str) -> None:
    """The platform takes a message under a valid token, as from a worker that sent blindly again."""
    known, page = stage.arena.stack.environment, f"pages/inbox?r={reference}"
    service = "" if account == "mini" else "SERVICE_"
    asked = {
        "grant_type": "client_credential",
        "appid": known[f"ZHUOLUO_WECHAT_{service}APPID"],
        "secret": known[f"ZHUOLUO_WECHAT_{service}SECRET"],
    }
    token = (await stage.arena.platform.ask("POST", "/cgi-bin/stable_token", json=asked))["access_token"]
    template = "ZL_TODO" if account == "mini" else "ZL_NOTICE"
    data = {"thing1": {"value": "您有1项待办，请进入小程序查看"}}
    message = {"touser": openid, "template_id": template, "page": page, "data": data}
    if service:
        message["miniprogram"] = {"appid": known["ZHUOLUO_WECHAT_APPID"], "pagepath": page}
    url = f"{stage.arena.stack.wechat_url}{path}"
    async with aiohttp.request("POST", url, params={"access_token": token}, json=message) as response:
        answer = await response.json(content_type=None)
        assert answer["errcode"] == 0, answer
