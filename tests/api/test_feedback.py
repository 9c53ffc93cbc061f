"""投诉建议 over HTTP: from the phone to the console, and the answer back to the phone."""

from typing import Any

import pytest

from models.base.scope import Role
from models.organization import Unit, Zone
from tests.api.conftest import Desk, Phone, person

MINE, RECEIVED = "/api/mini/feedback", "/api/console/feedback"


@pytest.fixture
async def overseer(desk_of: Any, zone: Zone, bureau: Unit) -> Desk:
    desk: Desk = await desk_of((await person(zone, bureau, "周敏", Role.OVERSIGHT)).id)
    return desk


async def test_a_suggestion_is_answered_on_the_console_and_the_phone_sees_it(phone: Phone, overseer: Desk) -> None:
    body = {"kind": "suggestion", "text": "同一件事请不要重复提醒"}
    made = await phone.write(MINE, body, key="0193a5b0-7c1e-7000-8000-00000000f001")
    again = await phone.write(MINE, body, key="0193a5b0-7c1e-7000-8000-00000000f001")
    assert (made.status, made.content["state"], again.content) == (201, "waiting", made.content)
    (waiting,) = (await overseer.get(RECEIVED)).content["items"]
    assert (waiting["id"], waiting["author"]) == (made.content["id"], "王静")
    address = f"{RECEIVED}/{waiting['id']}/answer"
    assert (await overseer.post(address, {"answer": "已合并提醒"})).content["state"] == "answered"
    assert (await overseer.post(address, {"answer": "另一个答复"})).code == "already_answered"
    assert (await overseer.get(RECEIVED)).content["items"] == []
    (mine,) = (await phone.get(MINE)).content["items"]
    assert (mine["answer"], "author" in mine) == ("已合并提醒", False)


async def test_what_is_empty_too_long_or_of_no_kind_is_refused(phone: Phone) -> None:
    for wrong in ({"kind": "praise", "text": "好"}, {"kind": "complaint", "text": ""}, {"text": "好"}):
        assert (await phone.write(MINE, wrong)).code == "invalid_body"
    assert (await phone.write(MINE, {"kind": "complaint", "text": "长" * 2001})).code == "invalid_body"
    assert (await phone.get(MINE)).content == {"items": [], "next": None}
