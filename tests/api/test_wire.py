"""What the wire does for every route."""

import asyncio
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from api.wire import ANYONE_BOUND, PUBLIC, Routes, Schema, read_cursor, write_cursor
from models.base import audit
from models.base.errors import Invalid
from models.base.ids import new_id
from models.base.settings import Settings
from models.organization import Zone
from tests.api.conftest import Client, Phone, environment, free_port, serving

THING = {"title": "签收", "count": 0}


class Empty(Schema):
    pass


async def _handler() -> None: ...


@pytest.mark.parametrize(
    "declared",
    [
        {"summary": "没有角色"},
        {"roles": PUBLIC},
        {"roles": "admin", "summary": "角色不是集合"},
        {"roles": PUBLIC, "summary": "读接口没有请求体", "body": Empty},
    ],
)
def test_a_route_without_audience_roles_or_summary_is_refused_when_it_is_declared(declared: dict) -> None:
    with pytest.raises((TypeError, ValueError)):
        Routes("mini", tag="试验").get("/x", **declared)(_handler)
    with pytest.raises(ValueError):
        Routes("everybody", tag="试验")


def test_a_handler_must_take_every_part_of_its_path_and_nothing_unknown() -> None:
    async def takes_nothing(scope: object) -> None: ...

    with pytest.raises(TypeError):
        Routes("mini", tag="试验").get("/<item_id:uuid>", roles=ANYONE_BOUND, summary="路径")(takes_nothing)


async def test_every_fault_of_a_body_is_named_at_once_by_pointer_in_chinese(anyone: Client) -> None:
    body = {"title": "", "count": "3", "checks": [{"note": "好"}, {"note": "太长的一句话"}], "colour": "red"}
    answer = await anyone.post("/api/mini/probe/echo", body)
    assert (answer.status, answer.code) == (422, "invalid_body")
    faults = {fault["pointer"]: fault["detail"] for fault in answer.content["faults"]}
    assert faults == {
        "/title": "这一项至少 1 个字。",
        "/count": "这一项应为整数。",
        "/checks/1/note": "这一项最多 5 个字。",
        "/colour": "没有这一项，请去掉。",
    }


async def test_a_query_is_read_as_strictly_as_a_body(anyone: Client) -> None:
    good = await anyone.get("/api/mini/probe/listed?limit=7&kind=a&kind=b")
    assert good.content == {"after": None, "limit": 7, "kind": ["a", "b"]}
    for query in ("limit=101", "limit=x", "limit=1&limit=2", "colour=red"):
        assert (await anyone.get(f"/api/mini/probe/listed?{query}")).code == "invalid_query"


async def test_every_reply_carries_a_request_id_and_safe_headers(anyone: Client) -> None:
    own = await anyone.get("/healthz", headers={"X-Request-ID": "phone-0001"})
    forged = await anyone.get("/healthz", headers={"X-Request-ID": "a b;c<script>"})
    for answer in (own, forged, await anyone.get("/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert own.headers["x-request-id"] == "phone-0001"
    assert "script" not in forged.headers["x-request-id"]


async def test_an_unknown_failure_is_logged_with_its_request_and_leaks_nothing(anyone: Client, log: Path) -> None:
    answer = await anyone.get("/api/mini/probe/broken", headers={"X-Request-ID": "phone-0002"})
    assert (answer.status, answer.code) == (500, "internal")
    assert "RuntimeError" not in answer.text and "138" not in answer.text
    assert '"request_id":"phone-0002"' in await asyncio.to_thread(log.read_text)


async def test_a_wrong_address_and_a_wrong_method_are_problems_too(anyone: Client) -> None:
    missing = await anyone.get("/api/mini/nothing")
    assert (missing.status, missing.code) == (404, "no_such_route")
    wrong = await anyone.post("/healthz")
    assert (wrong.status, wrong.code) == (405, "method_not_allowed")
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_what_can_be_read_can_be_asked_about_without_its_body(anyone: Client) -> None:
    read, asked = await anyone.get("/healthz"), await anyone.call("HEAD", "/healthz")
    assert (asked.status, asked.text) == (200, "")
    assert asked.headers["content-length"] == read.headers["content-length"]
    assert (await anyone.call("HEAD", "/api/mini/items")).status == 401


async def limited(anyone: Client, address: str, times: int) -> list[int]:
    headers = {"X-Forwarded-For": address}
    return [(await anyone.get("/api/mini/probe/limited", headers=headers)).status for _ in range(times)]


async def test_behind_a_proxy_of_ours_each_address_has_its_own_limit(
    settings: Settings, redis: object, tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    port = free_port()
    told = environment(settings, ZHUOLUO_PROXIES="1")
    with serving(tmp_path / "log", ["tests/api/probe.py", str(port)], port, told) as url:
        anyone = Client(url, http)
        assert await limited(anyone, "203.0.113.1", 4) == [200, 200, 200, 429]
        assert await limited(anyone, "203.0.113.2", 1) == [200]
        assert await limited(anyone, "203.0.113.3, 203.0.113.1", 1) == [429]  # what the proxy itself saw counts


async def test_asking_too_often_is_refused_with_the_time_to_wait_whatever_address_is_made_up(anyone: Client) -> None:
    made_up = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(4)]
    answers = [await anyone.get("/api/mini/probe/limited", headers=headers) for headers in made_up]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[3].code == "too_many_requests"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60


async def test_the_same_write_sent_again_happens_once_and_is_answered_alike(phone: Phone, zone: Zone) -> None:
    key = str(uuid4())
    first = await phone.write("/api/mini/probe/acts", THING, key)
    again = await phone.write("/api/mini/probe/acts", THING, key)
    assert (first.status, again.status) == (200, 200)
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert await _acts(zone) == 1


async def test_another_write_under_a_used_key_is_refused(phone: Phone, zone: Zone) -> None:
    key = str(uuid4())
    await phone.write("/api/mini/probe/acts", THING, key)
    other = await phone.write("/api/mini/probe/acts", {**THING, "title": "反馈"}, key)
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert await _acts(zone) == 1


async def test_the_same_write_twice_at_once_happens_once(phone: Phone, zone: Zone) -> None:
    key, slow = str(uuid4()), {**THING, "count": 300}
    answers = await asyncio.gather(*(phone.write("/api/mini/probe/acts", slow, key) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert {answer.code for answer in answers if answer.status == 409} == {"in_progress"}
    assert await _acts(zone) == 1


async def test_a_refused_write_leaves_nothing_and_may_be_sent_again_under_its_key(phone: Phone, zone: Zone) -> None:
    key, refused = str(uuid4()), {**THING, "title": "refuse"}
    for _ in range(2):
        assert (await phone.write("/api/mini/probe/acts", refused, key)).code == "wrong_state"
    assert await _acts(zone) == 0
    assert (await phone.write("/api/mini/probe/acts", THING, key)).status == 200


async def test_a_write_of_a_phone_needs_a_key(phone: Phone) -> None:
    assert (await phone.post("/api/mini/probe/acts", THING)).code == "idempotency_key_missing"


def test_a_cursor_gives_back_its_key_and_a_made_up_one_is_refused() -> None:
    key = new_id()
    assert read_cursor(write_cursor("a", key), str, type(key)) == ("a", key)
    assert read_cursor(None, str) is None
    for forged in ("x", "%%%", write_cursor("a"), write_cursor("a", "b"), write_cursor("\0", key)):
        with pytest.raises(Invalid):
            read_cursor(forged, str, type(key))


async def _acts(zone: Zone) -> int:
    return await audit.AuditRow.filter(zone_id=zone.id, action="probe.acted").count()
