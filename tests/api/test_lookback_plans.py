"""Planning look-backs over HTTP: previewed before it is saved, questioned, repeated, printed."""

from typing import Any

import pytest

from models.organization import Person, Zone
from tests.api.conftest import Desk, Json
from tests.lookback_zone import Office, furnish

PLANS = "/api/console/lookbacks"


@pytest.fixture
async def office(server: str, zone: Zone) -> Office:
    """The small zone, with one closed item."""
    office = await furnish(zone)
    await office.closed_item("A")
    return office


@pytest.fixture
async def overseer(office: Office, desk_of: Any) -> Desk:
    """The overseer at the console."""
    desk: Desk = await desk_of(office.people["oversight"])
    return desk


async def test_terms_are_previewed_before_anything_is_saved(overseer: Desk) -> None:
    seen = (await overseer.post(f"{PLANS}/preview", {"population": {}, "percent": 100, "strata": "risk"})).content
    assert (seen["size"], seen["count"], seen["could_go"], seen["revisited"], seen["joint_proposal"]) == (
        1,
        1,
        2,
        0,
        None,
    )
    assert seen["strata"] == [{"name": "usual", "label": "较低", "size": 1, "share": 1, "set_aside": 0}]
    assert (seen["burden"]["people"], seen["burden"]["warning"], seen["by_visits"]) == (1, None, {"1": 1})
    assert (await overseer.get(PLANS)).content["items"] == []


async def test_a_plan_that_visits_again_is_questioned_and_goes_on_with_a_reason(overseer: Desk) -> None:
    body: Json = {"name": "一", "population": {}, "percent": 100}
    first = (await overseer.post(PLANS, body)).content
    assert (await overseer.post(f"{PLANS}/{first['id']}/draw", {})).status == 200
    again = await overseer.post(PLANS, {**body, "name": "二"})
    assert (again.status, again.code, again.content["total"]) == (409, "visited_lately", 1)
    made = await overseer.post(PLANS, {**body, "name": "二", "although_visited": "群众再次反映"})
    assert (made.status, made.content["although_visited"]) == (201, "群众再次反映")


async def test_a_filter_is_saved_used_by_its_name_and_retired(overseer: Desk) -> None:
    saved = await overseer.post(f"{PLANS}/populations", {"name": "工程", "population": {"area": "工程建设"}})
    assert saved.status == 201, saved.text
    plan = await overseer.post(PLANS, {"name": "计划", "saved": "工程", "count": 1})
    assert plan.content["population"]["area"] == "工程建设"
    gone = await overseer.call("DELETE", f"{PLANS}/populations/{saved.content['id']}")
    assert gone.status == 200, gone.text
    assert (await overseer.get(f"{PLANS}/populations")).content["items"] == []
    assert (await overseer.post(PLANS, {"name": "再来", "saved": "工程", "count": 1})).code == "population_not_found"


async def test_a_series_is_set_up_paused_resumed_and_ended(overseer: Desk) -> None:
    body = {"name": "每月回头看", "population": {}, "percent": 10, "every": "month", "working_day": 3}
    made = await overseer.post(f"{PLANS}/series", body)
    assert (made.status, made.content["state"]) == (201, "active"), made.text
    assert made.content["next_on"] and made.content["terms"]["population"]["rested_days"] == 90
    place = f"{PLANS}/series/{made.content['id']}"
    assert (await overseer.get(place)).content == made.content
    assert (await overseer.get(f"{PLANS}/series")).content["items"] == [made.content]
    paused = (await overseer.post(f"{place}/pause")).content
    assert (paused["state"], paused["next_on"]) == ("paused", None)
    assert (await overseer.post(f"{place}/resume")).content == made.content
    assert (await overseer.post(f"{place}/end")).content["state"] == "ended"
    assert (await overseer.post(f"{place}/resume")).code == "series_ended"


async def test_an_inspector_declares_a_recusal_at_the_console_and_ends_it(office: Office, desk_of: Any) -> None:
    desk: Desk = await desk_of(office.people["inspector 1"])
    pair = {"person_id": str(office.people["inspector 1"]), "other_id": str(office.people["owner A"])}
    made = await desk.post(f"{PLANS}/recusals", pair)
    assert made.status == 201, made.text
    (line,) = (await desk.get(f"{PLANS}/recusals")).content["items"]
    assert (line["person"], line["other"]) == ("inspector 1", "owner A")
    ended = await desk.post(f"{PLANS}/recusals/{made.content['id']}/end")
    assert ended.content["ended_at"]
    assert (await desk.get(f"{PLANS}/recusals")).content["items"] == []
    assert (await desk.get(PLANS)).code == "role_missing"


async def test_the_page_to_print_holds_names_as_text_and_runs_nothing(office: Office, overseer: Desk) -> None:
    await Person.filter(zone_id=office.zone.id).update(name="<script>alert(1)</script>")
    plan = (await overseer.post(PLANS, {"name": "打印", "population": {}, "count": 1})).content
    assert (await overseer.get(f"{PLANS}/{plan['id']}/draw/page")).code == "not_drawn"
    drawn = (await overseer.post(f"{PLANS}/{plan['id']}/draw", {"seed": "20261202"})).content
    assert drawn["seed_from"] == "called"
    page = await overseer.get(f"{PLANS}/{plan['id']}/draw/page")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "<script" not in page.text and "&lt;script&gt;" in page.text
    assert drawn["population_hash"] in page.text
