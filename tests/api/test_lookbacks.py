"""Look-backs over HTTP: planned and drawn at the console, recorded on phones, replayed, co-signed, typed from paper."""

from base64 import b64encode
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateways.store import Store
from miniprogram_mock.wechat.endpoints.links import draw_code
from models import lookbacks
from models.base import clock
from models.base.settings import Settings
from models.lookbacks import DrawRecord, verify
from models.organization import Person, Zone
from tests import photos
from tests.api.conftest import Answer, Desk, Json, Phone
from tests.lookback_zone import Office, furnish

VISITS = "/api/mini/lookbacks/visits"
PLANS = "/api/console/lookbacks"
TWO = ("effective", "relapse")
SEEN: Json = {"verdict": "effective", "seen": "现场整洁。", "visited_at": "2026-07-01T10:20:00+08:00"}


@pytest.fixture
async def office(server: str, zone: Zone) -> Office:
    """The small zone, with one closed item."""
    office = await furnish(zone)
    await office.closed_item("A")
    return office


@pytest.fixture
async def overseer(office: Office, desk_of: Any) -> Desk:
    """The overseer at the console, past the change of the first password."""
    desk: Desk = await desk_of(office.people["oversight"])
    return desk


@pytest.fixture
def phone_for(office: Office, phone_of: Any) -> Any:
    """`await phone_for("inspector 1")`: that person's phone, signed in."""

    async def make(name: str) -> Phone:
        phone: Phone = await phone_of((await Person.get(id=office.people[name])).phone)
        assert (await phone.enter()).status == 200
        return phone

    return make


async def to_cosign(phone: Phone) -> bool:
    """Whether the one visit of the list waits for this phone's signature."""
    (visit,) = (await phone.get(VISITS)).content["items"]
    return bool(visit["to_cosign"])


async def planned(overseer: Desk, **facts: Any) -> Json:
    body = {"name": "半年回头看", "population": {}, "percent": 100, **facts}
    answer = await overseer.post(PLANS, body)
    assert answer.status == 201, answer.text
    plan: Json = answer.content
    return plan


async def drawn(office: Office, overseer: Desk, *inspectors: str, **facts: Any) -> Json:
    """The one visit of a plan with these inspectors."""
    pool = [str(office.people[name]) for name in inspectors]
    plan = await planned(overseer, inspectors=pool, **facts)
    assert (await overseer.post(f"{PLANS}/{plan['id']}/draw", {"seed": "20260701"})).status == 200
    (visit,) = (await overseer.get(f"{PLANS}/{plan['id']}/visits")).content["items"]
    return visit


def record(phone: Phone, visit: Json, key: str | None = None, **facts: Any) -> Any:
    return phone.write(f"{VISITS}/{visit['id']}/records", {**SEEN, **facts}, key)


async def test_oversight_plans_previews_and_draws_and_the_record_verifies(office: Office, overseer: Desk) -> None:
    plan = await planned(overseer, population={"closed_from": "2020-01-01", "list": "problem"}, strata="unit")
    preview = (await overseer.get(f"{PLANS}/{plan['id']}/preview")).content
    assert (preview["size"], preview["count"], preview["set_aside"]) == (1, 1, 0)
    asked = {"seed": "20260701", "population_hash": preview["population_hash"]}
    draw = (await overseer.post(f"{PLANS}/{plan['id']}/draw", asked)).content
    assert (draw["drawn"], draw["verified"], draw["seed"]) == (1, True, "20260701")
    assert (await overseer.get(f"{PLANS}/{plan['id']}/draw")).content == draw
    printed = await overseer.get(f"{PLANS}/{plan['id']}/draw/record")
    assert verify(DrawRecord.model_validate_json(printed.text)) == []
    (shown,) = (await overseer.get(PLANS)).content["items"]
    assert (shown["visits"], shown["recorded"]) == (1, 0)


async def test_a_plan_says_either_a_count_or_a_ratio(overseer: Desk) -> None:
    answer = await overseer.post(PLANS, {"name": "计划", "population": {}, "count": 3, "percent": 5})
    assert (answer.status, answer.code) == (422, "invalid_body")
    assert "只填一项" in answer.content["faults"][0]["detail"]


async def test_an_undrawn_plan_has_no_draw_to_show(overseer: Desk) -> None:
    plan = await planned(overseer)
    assert (await overseer.get(f"{PLANS}/{plan['id']}/draw")).code == "not_drawn"


async def test_a_visit_comes_with_the_items_facts_filled_in(office: Office, overseer: Desk, phone_for: Any) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    phone = await phone_for("inspector 1")
    (mine,) = (await phone.get(VISITS, params={"recorded": "false"})).content["items"]
    assert mine == visit
    detail = (await phone.get(f"{VISITS}/{visit['id']}")).content
    assert detail["checklist"] == ["清理占道堆物", "恢复围挡", "公示责任人"]
    assert (detail["owner"], detail["records"]) == ("owner A", [])


async def test_another_inspectors_visit_does_not_exist(office: Office, overseer: Desk, phone_for: Any) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    other, cadre = await phone_for("inspector 2"), await phone_for("owner A")
    assert (await other.get(VISITS)).content["items"] == []
    assert (await other.get(f"{VISITS}/{visit['id']}")).code == "not_found"
    assert (await record(other, visit)).code == "not_found"
    assert (await cadre.get(VISITS)).code == "role_missing"


async def test_a_record_replayed_from_an_offline_queue_is_one_record(
    office: Office, overseer: Desk, phone_for: Any
) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    phone, key = await phone_for("inspector 1"), str(uuid4())
    facts: Json = {"verdict": "relapse", "checks": [{"line": 0, "finding": "unmet", "note": "又有堆物"}]}
    first: Answer = await record(phone, visit, key, **facts)
    assert (first.status, first.content["effect"]) == (201, "reopened"), first.text
    assert (await record(phone, visit, key, **facts)).content == first.content
    assert (await record(phone, visit, key, **{**facts, "seen": "另一番情况"})).code == "client_id_reused"
    assert (await record(phone, visit)).code == "already_recorded"
    item = (await overseer.get(f"/api/console/items/{visit['item_id']}")).content
    assert (item["state"], item["cycle"]) == ("issued", 2)


@pytest.mark.parametrize("stated", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
async def test_an_instant_that_no_clock_can_tell_is_refused(
    office: Office, overseer: Desk, phone_for: Any, stated: str
) -> None:
    visit, phone = await drawn(office, overseer, "inspector 1"), await phone_for("inspector 1")
    words = {"kind": "text", "visit_id": visit["id"], "text": "说明", "captured_at": stated}
    for answer in (await record(phone, visit, visited_at=stated), await phone.write("/api/mini/evidence", words)):
        assert (answer.status, answer.code) == (422, "invalid_body")
        assert answer.content["faults"][0]["pointer"].endswith("_at")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_population_of_no_calendar_is_refused(overseer: Desk, day: str) -> None:
    for end in ("closed_from", "closed_until"):
        answer = await overseer.post(PLANS, {"name": "计划", "population": {end: day}, "percent": 100})
        assert (answer.status, answer.content["faults"][0]["pointer"]) == (422, f"/population/{end}")


async def test_a_visits_evidence_is_for_whoever_may_see_the_visit(
    office: Office, overseer: Desk, phone_for: Any, desk_of: Any
) -> None:
    visit, phone = await drawn(office, overseer, "inspector 1"), await phone_for("inspector 1")
    body = {"kind": "text", "visit_id": visit["id"], "text": "看到围挡已恢复。"}
    piece = f"/evidence/{(await phone.write('/api/mini/evidence', body)).content['id']}"
    listed = f"/evidence?visit_id={visit['id']}"
    elsewhere: Desk = await desk_of(office.people["other oversight"])
    colleague = await phone_for("inspector 2")
    for path in (piece, listed):
        assert (await phone.get(f"/api/mini{path}")).status == 200
        assert (await overseer.get(f"/api/console{path}")).status == 200
        for answer in (await elsewhere.get(f"/api/console{path}"), await colleague.get(f"/api/mini{path}")):
            assert (answer.status, answer.code) == (404, "not_found")


async def test_evidence_of_a_visit_is_for_the_item_that_was_visited(
    office: Office, overseer: Desk, phone_for: Any
) -> None:
    visit, phone = await drawn(office, overseer, "inspector 1"), await phone_for("inspector 1")
    other, body = await office.closed_item("B"), {"kind": "text", "visit_id": visit["id"], "text": "已恢复围挡。"}
    refused = await phone.write("/api/mini/evidence", body | {"item_id": str(other.id)})
    assert (refused.status, refused.code) == (422, "not_the_visits_item")
    assert (await phone.write("/api/mini/evidence", body | {"item_id": visit["item_id"]})).status == 201


async def test_place_is_optional_and_kept_coarse_on_request(office: Office, overseer: Desk, phone_for: Any) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    place = {"latitude": 30.592849, "longitude": 114.305539, "coarse": True}
    answer = await record(await phone_for("inspector 1"), visit, place=place)
    assert answer.content["place"] == {"latitude": 30.59, "longitude": 114.31, "coarse": True}


async def test_mostly_effective_without_a_follow_up_is_refused_in_words(
    office: Office, overseer: Desk, phone_for: Any
) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    answer = await record(await phone_for("inspector 1"), visit, verdict="mostly_effective")
    assert (answer.status, answer.code) == (422, "invalid_body")
    assert "后续" in answer.content["faults"][0]["detail"]


async def test_evidence_submitted_to_a_visit_is_shown_with_it(office: Office, overseer: Desk, phone_for: Any) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    phone = await phone_for("inspector 1")
    words = {"kind": "text", "visit_id": visit["id"], "text": "现场与台账一致。"}
    piece = await phone.write("/api/mini/evidence", words)
    assert piece.status == 201, piece.text
    answer = await record(phone, visit, evidence=[piece.content["id"]])
    assert answer.content["evidence"] == [piece.content["id"]]
    detail = (await phone.get(f"{VISITS}/{visit['id']}")).content
    assert detail["evidence"] == [piece.content["id"]]
    assert (await record(phone, visit, evidence=[str(uuid4())], correction_reason="补材料")).code == "unknown_evidence"


async def test_a_phone_takes_the_visits_nonce_along_and_brings_it_back(
    office: Office, overseer: Desk, phone_for: Any
) -> None:
    visit, phone = await drawn(office, overseer, "inspector 1"), await phone_for("inspector 1")
    nonce = (await phone.get(f"{VISITS}/{visit['id']}")).content["nonce"]
    words = {"kind": "text", "visit_id": visit["id"], "text": "现场整洁。"}
    assert (await phone.write("/api/mini/evidence", {**words, "nonce": nonce})).status == 201
    assert (await record(phone, visit, nonce=nonce)).status == 201
    shown = (await overseer.get(f"{PLANS}/visits/{visit['id']}")).content
    assert (shown["nonce"], shown["signals"]) == (None, [])
    (piece,) = (await overseer.get("/api/console/evidence", params={"visit_id": visit["id"]})).content["items"]
    assert piece["signals"] == []


async def test_without_a_nonce_and_with_a_clock_that_is_off_a_record_is_taken_and_both_are_told(
    office: Office, overseer: Desk, phone_for: Any
) -> None:
    visit, phone = await drawn(office, overseer, "inspector 1"), await phone_for("inspector 1")
    phone.headers["Phone-Time"] = (clock.now() + timedelta(hours=2)).isoformat()
    assert (await record(phone, visit)).status == 201
    shown = (await overseer.get(f"{PLANS}/visits/{visit['id']}")).content
    assert [signal["code"] for signal in shown["signals"]] == ["no_nonce", "clock_skew"]
    for nonsense in ("yesterday", "2026-07-01", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"):
        phone.headers["Phone-Time"] = nonsense
        assert (await record(phone, visit, correction_reason=nonsense)).status == 201


async def test_a_photo_in_parts_brings_the_nonce_and_the_clock_of_its_beginning(
    office: Office, overseer: Desk, phone_for: Any
) -> None:
    visit, phone = await drawn(office, overseer, "inspector 1"), await phone_for("inspector 1")
    nonce = (await phone.get(f"{VISITS}/{visit['id']}")).content["nonce"]
    await send_in_parts(phone, visit, photos.jpeg(colour="teal"), nonce=nonce)
    await send_in_parts(phone, visit, photos.jpeg(colour="olive"))
    phone.headers["Phone-Time"] = (clock.now() + timedelta(hours=2)).isoformat()
    await send_in_parts(phone, visit, photos.jpeg(colour="navy"), nonce="of somebody else")
    shown = (await overseer.get("/api/console/evidence", params={"visit_id": visit["id"]})).content["items"]
    assert {frozenset(signal["code"] for signal in piece["signals"]) for piece in shown} == {
        frozenset(),
        frozenset({"no_nonce"}),
        frozenset({"foreign_nonce", "clock_skew"}),
    }


async def send_in_parts(phone: Phone, visit: Json, photo: bytes, **said: str) -> None:
    """By tus: the requests after the first come from a phone whose clock has been set right."""
    told = {"kind": "photo", "visit_id": visit["id"], "client_id": str(uuid4()), **said}
    words = ",".join(f"{name} {b64encode(value.encode()).decode()}" for name, value in told.items())
    tus = {"Tus-Resumable": "1.0.0"}
    beginning = {**tus, "Upload-Length": str(len(photo)), "Upload-Metadata": words}
    begun = await phone.post("/api/mini/evidence/uploads", headers=beginning)
    assert begun.status == 201, begun.text
    path = begun.headers["location"]
    for start, part in ((0, photo[:500]), (500, photo[500:])):
        sending = {**tus, "Content-Type": "application/offset+octet-stream", "Upload-Offset": str(start)}
        answer = await phone.call("PATCH", path, data=part, headers={**sending, "Phone-Time": clock.now().isoformat()})
        assert answer.status == 204, answer.text


async def test_the_second_inspector_cosigns(office: Office, overseer: Desk, phone_for: Any) -> None:
    visit = await drawn(office, overseer, "inspector 1", "inspector 2", team=2)
    lead, other = [await phone_for(name) for name in visit["inspectors"]]
    path = f"{VISITS}/{visit['id']}/cosignature"
    assert (await other.write(path, {"record_id": str(uuid4())})).code == "not_recorded"
    seen = (await record(lead, visit)).content["id"]
    assert [await to_cosign(phone) for phone in (lead, other)] == [False, True]
    signed = await other.write(path, {"record_id": seen})
    assert [kept["cosigned"] for kept in signed.content["records"]] == [True]
    assert not await to_cosign(other)


async def test_nobody_cosigns_a_correction_unseen(office: Office, overseer: Desk, phone_for: Any) -> None:
    visit = await drawn(office, overseer, "inspector 1", "inspector 2", team=2)
    lead, other = [await phone_for(name) for name in visit["inspectors"]]
    path = f"{VISITS}/{visit['id']}/cosignature"
    seen = (await record(lead, visit)).content["id"]
    corrected = (await record(lead, visit, correction_reason="补充情况")).content["id"]
    assert (await other.write(path, {"record_id": seen})).code == "record_changed"
    assert (await other.write(path, {"record_id": corrected})).status == 200


async def test_oversight_types_in_a_record_from_paper(office: Office, overseer: Desk) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    path, key = f"{PLANS}/visits/{visit['id']}/records", {"Idempotency-Key": str(uuid4())}
    body = {**SEEN, "paper": "档案柜3-12"}
    assert (await overseer.post(path, body)).code == "idempotency_key_missing"
    answer = await overseer.post(path, body, headers=key)
    assert (answer.status, answer.content["source"]) == (201, "paper"), answer.text
    assert (await overseer.post(path, body, headers=key)).content["id"] == answer.content["id"]
    shown = (await overseer.get(f"{PLANS}/visits/{visit['id']}")).content
    assert [kept["paper"] for kept in shown["records"]] == ["档案柜3-12"]


async def draw_two(office: Office, overseer: Desk) -> None:
    """Two visits of inspector 1 to one unit."""
    await office.closed_item("A")
    plan = await planned(overseer, inspectors=[str(office.people["inspector 1"])])
    assert (await overseer.post(f"{PLANS}/{plan['id']}/draw", {})).status == 200


async def test_one_stop_records_several_items_once_however_often_it_is_sent(
    office: Office, overseer: Desk, phone_for: Any
) -> None:
    await draw_two(office, overseer)
    phone, key = await phone_for("inspector 1"), str(uuid4())
    visits = (await phone.get(VISITS)).content["items"]
    found = [{"visit_id": visit["id"], "verdict": verdict} for visit, verdict in zip(visits, TWO, strict=True)]
    body = {"seen": "沿线整洁。", "interview": "社区每周巡查。", "visited_at": SEEN["visited_at"], "records": found}
    first, again = [await phone.write(f"{VISITS}/records", body, key) for _ in range(2)]
    assert (first.status, again.content) == (201, first.content), first.text
    assert [kept["effect"] for kept in first.content["records"]] == ["confirmed", "reopened"]
    assert {(kept["interview"], kept["together"]) for kept in first.content["records"]} == {("社区每周巡查。", key)}
    assert (await phone.write(f"{VISITS}/records", body | {"seen": "另一番情况。"}, key)).code == "client_id_reused"
    late = await phone.write(f"{VISITS}/records", body)
    assert (late.status, late.code) == (409, "already_recorded") and late.content["visit_id"] in str(visits)


async def test_a_stop_brings_the_nonce_of_each_visit_and_how_the_clock_stood(
    office: Office, overseer: Desk, phone_for: Any
) -> None:
    await draw_two(office, overseer)
    phone, key = await phone_for("inspector 1"), str(uuid4())
    opened, unopened = [visit["id"] for visit in (await phone.get(VISITS)).content["items"]]
    nonce = (await phone.get(f"{VISITS}/{opened}")).content["nonce"]
    phone.headers["Phone-Time"] = (clock.now() + timedelta(hours=2)).isoformat()
    found: list[Json] = [{"visit_id": visit, "verdict": "effective"} for visit in (opened, unopened)]
    body = {"seen": "沿线整洁。", "visited_at": SEEN["visited_at"], "records": [found[0] | {"nonce": nonce}, found[1]]}
    first = await phone.write(f"{VISITS}/records", body, key)
    again = await phone.write(f"{VISITS}/records", body | {"records": found}, key)
    assert (first.status, again.content) == (201, first.content), first.text
    for visit, codes in ((opened, ["clock_skew"]), (unopened, ["no_nonce", "clock_skew"])):
        shown = (await overseer.get(f"{PLANS}/visits/{visit}")).content
        assert [signal["code"] for signal in shown["signals"]] == codes


async def test_the_day_is_a_list_of_units_without_a_coordinate(office: Office, overseer: Desk, phone_for: Any) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    phone = await phone_for("inspector 1")
    answer = await phone.get(f"{VISITS}/itinerary")
    (stop,) = answer.content["stops"]
    assert (stop["unit"], [line["id"] for line in stop["visits"]]) == ("A", [visit["id"]])
    await record(phone, visit, place={"latitude": 30.592849, "longitude": 114.305539})
    (stop,) = (await phone.get(f"{VISITS}/itinerary", params={"on": "2026-07-01"})).content["stops"]
    assert [line["id"] for line in stop["visits"]] == [visit["id"]]
    assert "30.59" not in str(stop) and "itude" not in str(stop)
    assert (await phone.get(f"{VISITS}/itinerary", params={"on": "2026-06-30"})).content["stops"] == []


async def test_what_was_found_last_time_comes_with_the_form(office: Office, overseer: Desk, phone_for: Any) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    phone = await phone_for("inspector 1")
    assert (await phone.get(f"{VISITS}/{visit['id']}")).content["last_time"] is None
    await record(phone, visit, checks=[{"line": 1, "finding": "partly", "note": "缺一段"}])
    later = await drawn(office, overseer, "inspector 1", name="年终回头看", although_visited="群众再次反映")
    last = (await phone.get(f"{VISITS}/{later['id']}")).content["last_time"]
    assert (last["verdict_label"], last["checks"][1]["note"]) == ("整改到位", "缺一段")


async def test_a_sites_code_stands_with_the_visits_of_its_unit_until_it_is_revoked(
    office: Office, overseer: Desk, phone_for: Any, settings: Settings
) -> None:
    visit = await drawn(office, overseer, "inspector 1")
    phone, sites = await phone_for("inspector 1"), f"{PLANS}/sites"
    assert visit["site_codes"] == []
    asked = {"unit_id": str(office.units["A"].id), "name": "长河路工地"}
    made = await overseer.post(sites, asked)
    assert (made.status, made.content["unit"], made.content["drawn_at"]) == (201, "A", None), made.text
    assert "scene" not in made.content
    (line,) = (await phone.get(VISITS)).content["items"]
    (scene,) = line["site_codes"]
    assert len(scene) == 32 and (await phone.get(f"{VISITS}/{visit['id']}")).content["site_codes"] == [scene]
    (listed,) = (await overseer.get(sites, params={"unit_id": asked["unit_id"]})).content["items"]
    assert listed == made.content
    early = await overseer.post(f"{sites}/posters", {"site_ids": [made.content["id"]]})
    assert (early.status, early.code) == (409, "site_code_not_drawn")
    zone_id, site_id = office.zone.id, UUID(made.content["id"])
    key = lookbacks.picture_key(zone_id, site_id)
    await Store.open(settings.store_url).put(key, draw_code(scene, 430, "JPEG"))  # as the worker does
    await lookbacks.site_drawn(zone_id, site_id)
    printed = await overseer.post(f"{sites}/posters", {"site_ids": [made.content["id"]]})
    assert (printed.status, printed.headers["content-type"]) == (200, "application/pdf")
    assert printed.headers["content-disposition"] == 'attachment; filename="posters.pdf"'
    await overseer.post(f"{sites}/{made.content['id']}/revoke", {})
    (line,) = (await phone.get(VISITS)).content["items"]
    assert line["site_codes"] == []


async def test_no_answer_counts_visits_by_person(office: Office, overseer: Desk) -> None:
    """domain.md §5.1: no check-in counts, no rankings of people."""
    visit = await drawn(office, overseer, "inspector 1")
    plan = (await overseer.get(f"{PLANS}/{visit['plan_id']}")).content
    assert {name for name, value in plan.items() if type(value) is int} == {
        *("percent", "team", "visit_days", "visits", "recorded")
    }
    assert await lookbacks.progress(office.zone.id, []) == {}
