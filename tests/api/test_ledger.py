"""The ledger over HTTP: the office at its console, cadres and leaders on their phones."""

import io
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import xlsxwriter

from models import ledger
from models.base import clock
from models.organization import Zone
from tests.api.conftest import Answer, Client, Desk, Phone
from tests.office import Office, open_office

Enter = Callable[[str], Awaitable[Phone]]
LATER = f"{clock.today().year + 3}-03-01"


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
def enter(phone_of: Any, office: Office) -> Enter:
    """`await enter("owner")`: the signed-in phone of whoever has that part."""

    async def make(part: str) -> Phone:
        phone: Phone = await phone_of(office.people[part].phone)
        assert (await phone.enter()).status == 200
        return phone

    return make


@pytest.fixture
async def console(desk_of: Any, office: Office) -> Client:
    """The overseer at the console, past the change of the first password."""
    desk: Desk = await desk_of(office.people["overseer"].id)
    return desk


def matter(office: Office, **changed: Any) -> dict[str, Any]:
    return office.matter(**changed).model_dump(mode="json", exclude_none=True)


async def drafted(console: Client, office: Office, **changed: Any) -> dict[str, Any]:
    body = {"campaign_id": str(office.campaign.id), "matter": matter(office, **changed)}
    answer = await console.post("/api/console/items", body)
    assert answer.status == 201, answer.text
    return answer.content


async def issued(console: Client, office: Office, **changed: Any) -> str:
    draft = await drafted(console, office, **changed)
    answer = await console.post(f"/api/console/items/{draft['id']}/issue", {"although_similar": True})
    assert answer.status == 200, answer.text
    return draft["id"]


async def test_a_matter_goes_from_the_console_through_three_phones_to_its_close_out(
    console: Client, office: Office, enter: Enter
) -> None:
    item = await issued(console, office)
    owner, leader, second = await enter("owner"), await enter("leader"), await enter("second_overseer")
    mine = await owner.get("/api/mini/items")
    assert [(line["id"], line["state_label"]) for line in mine.content["items"]] == [(item, "待签收")]
    detail = await owner.get(f"/api/mini/items/{item}")
    assert [step["label"] for step in detail.content["next_actions"]] == ["签收"]
    received = await owner.write(f"/api/mini/items/{item}/receive", {"note": "已安排专人"})
    assert (received.status, received.content["state"]) == (200, "received")
    await owner.write(f"/api/mini/items/{item}/reports", {"text": "已完成现场核对"})
    refused = await owner.write(f"/api/mini/items/{item}/close-out", {})
    assert (refused.status, refused.code) == (409, "evidence_missing")
    await ledger.count_evidence(await ledger.readable(item, by=office.owner))  # type: ignore[arg-type]
    assert (await owner.write(f"/api/mini/items/{item}/close-out", {})).content["state"] == "unit_review"
    waiting = await leader.get("/api/mini/items/to-review")
    assert [line["id"] for line in waiting.content["items"]] == [item]
    passed = await leader.write(f"/api/mini/items/{item}/unit-review", {"passed": True})
    assert passed.content["state"] == "oversight_review"
    closed = await second.write(f"/api/mini/items/{item}/oversight-review", {"passed": True})
    assert (closed.content["state_label"], closed.content["cycles"][0]["first_pass"]) == ("已销号", True)
    story = await owner.get(f"/api/mini/items/{item}/timeline")
    labels = [moment["label"] for moment in story.content["items"]]
    assert labels == ["复核销号", "初审通过", "申请销号", "反馈进展", "签收", "交办", "起草"]


async def test_a_phone_shows_who_asked_and_who_answers_for_it(office: Office, enter: Enter) -> None:
    item, owner = (await office.issued()).id, await enter("owner")
    await office.absent("leader", "colleague")
    told = (await owner.get(f"/api/mini/items/{item}/responsible")).content
    people = {part: person.name for part, person in office.people.items()}
    assert (told["campaign"], told["issued_by"]) == (office.campaign.name, people["overseer"])
    assert [(rung["label"], rung["name"], rung["acting"]) for rung in told["chain"]] == [
        ("责任人", people["owner"], None),
        ("单位负责人", people["leader"], people["colleague"]),
        ("上级", people["upper"], None),
        *(("监督机构", people[part], None) for part in ("overseer", "second_overseer")),
    ]
    assert told["chain"][0]["office"] == "单位cz 职务0"


async def test_what_is_issued_at_the_console_is_asked_by_the_office(
    console: Client, office: Office, enter: Enter
) -> None:
    item, owner = await issued(console, office), await enter("owner")
    assert (await owner.get(f"/api/mini/items/{item}/responsible")).content["issued_by"] == "监督机构"


async def test_a_return_from_the_console_names_every_empty_field(console: Client, office: Office) -> None:
    item = await office.reviewed()
    answer = await console.post(f"/api/console/items/{item.id}/oversight-review", {"passed": False})
    assert (answer.status, answer.code) == (422, "required")
    assert [fault["pointer"] for fault in answer.content["faults"]] == ["/reason", "/missing"]


async def test_an_extension_goes_from_the_owner_to_the_leader_to_the_console(
    console: Client, office: Office, enter: Enter
) -> None:
    item = await office.received()
    owner, leader = await enter("owner"), await enter("leader")
    asked = await owner.write(f"/api/mini/items/{item.id}/extension", {"reason": "汛期停工", "new_due_on": LATER})
    assert asked.content["extension"]["state_label"] == "待单位负责人同意"
    await leader.write(f"/api/mini/items/{item.id}/extension/decision", {"granted": True})
    done = await console.post(f"/api/console/items/{item.id}/extension/decision", {"granted": True})
    assert (done.status, done.content["due_on"]) == (200, LATER)


async def test_another_persons_item_and_one_that_is_not_there_are_answered_alike(office: Office, enter: Enter) -> None:
    item, stranger = await office.issued(), await enter("stranger")

    def told(answer: Answer) -> tuple[int, str, str]:
        return answer.status, answer.code, answer.content["detail"]

    real, none = f"/api/mini/items/{item.id}", f"/api/mini/items/{uuid4()}"
    assert told(await stranger.get(real)) == told(await stranger.get(none))
    body: dict[str, Any] = {}
    assert told(await stranger.write(f"{real}/receive", body)) == told(await stranger.write(f"{none}/receive", body))


async def test_a_cadre_has_nothing_to_do_at_the_console_routes(office: Office, enter: Enter) -> None:
    owner = await enter("owner")
    answer = await owner.get("/api/console/items")
    assert answer.status == 401


async def test_what_is_marked_too_high_is_refused_with_an_explanation(console: Client, office: Office) -> None:
    body = {"campaign_id": str(office.campaign.id), "matter": {**matter(office), "classification": "秘密"}}
    answer = await console.post("/api/console/items", body)
    assert (answer.status, answer.code) == (422, "classification_too_high")


async def test_a_draft_is_changed_under_its_version(console: Client, office: Office) -> None:
    draft = await drafted(console, office)
    path, body = f"/api/console/items/{draft['id']}", matter(office, title="改过的标题")
    assert (await console.call("PUT", path, json=body)).status == 428
    version = {"If-Match": f'"{draft["version"]}"'}
    changed = await console.call("PUT", path, json=body, headers=version)
    assert (changed.status, changed.content["title"]) == (200, "改过的标题")
    assert (await console.call("PUT", path, json=body, headers=version)).code == "changed_meanwhile"


async def test_a_similar_open_item_is_listed_in_the_refusal(console: Client, office: Office) -> None:
    words = {"title": "核对长河路雨污分流工程款", "requirement": "逐笔核对，形成书面说明。"}
    first = await office.issued(**words)
    second = await drafted(console, office, **words)
    answer = await console.post(f"/api/console/items/{second['id']}/issue", {})
    assert (answer.status, answer.code) == (409, "similar_open_item")
    assert answer.content["similar"][0]["number"] == first.number


async def test_side_states_are_set_from_the_console(console: Client, office: Office) -> None:
    item = await office.received()
    path = f"/api/console/items/{item.id}"
    suspended = await console.post(f"{path}/suspend", {"reason": "等待批复", "until": LATER})
    assert (suspended.content["state"], suspended.content["suspended_until"]) == ("suspended", LATER)
    assert (await console.post(f"{path}/resume", {})).content["state"] == "received"
    goal = {"reason": "成因复杂", "stage_goal": "完成首批回访", "next_review_on": LATER}
    assert (await console.post(f"{path}/long-term", goal)).content["state_label"] == "持续整改"
    stage = {"finding": "达到目标", "stage_goal": "完成全部", "next_review_on": LATER}
    assert (await console.post(f"{path}/stage-review", stage)).content["stage_goal"] == "完成全部"
    assert (await console.post(f"{path}/cancel", {"reason": "部署调整"})).content["state"] == "cancelled"
    assert (await console.post(f"{path}/cancel", {"reason": "另一理由"})).code == "wrong_state"


async def test_a_workbook_comes_in_is_issued_and_goes_out(console: Client, office: Office) -> None:
    made = await console.post("/api/console/campaigns", {"name": "专项台账"})
    assert made.status == 201, made.text
    path = f"/api/console/campaigns/{made.content['id']}"
    data = workbook(office, 3)
    dry = await console.post(f"{path}/items/import?dry_run=true", data=data)
    assert (dry.status, dry.content["created"], dry.content["dry_run"]) == (200, 3, True)
    assert (await console.post(f"{path}/items/import", data=data)).content["created"] == 3
    done = await console.post(f"{path}/issue", {"although_similar": True})
    assert len(done.content["numbers"]) == 3
    listed = await console.get(f"/api/console/items?campaign_id={made.content['id']}&state=issued&limit=2")
    assert (len(listed.content["items"]), listed.content["next"] is None) == (2, False)
    export = f"{console.url}/api/console/items/export?state=issued"
    async with console.session.get(export, headers=console.headers) as file:
        assert (file.status, (await file.read())[:2]) == (200, b"PK")
    bad = await console.post(f"{path}/items/import", data=b"no workbook")
    assert (bad.status, bad.code) == (422, "not_a_workbook")


async def test_the_office_sees_what_issuing_would_send_and_sends_nothing_by_looking(
    console: Client, office: Office
) -> None:
    draft = await drafted(console, office, due_days=2)
    one = await console.get(f"/api/console/items/{draft['id']}/preview")
    all_ = await console.get(f"/api/console/campaigns/{office.campaign.id}/preview")
    assert (one.status, all_.status) == (200, 200), one.text
    assert one.content == all_.content
    assert one.content["people"] >= 1
    assert sum(day["messages"] for day in one.content["days"]) == one.content["messages"]
    assert "name" not in one.text
    assert (await console.get(f"/api/console/items/{draft['id']}")).content["state"] == "draft"
    item = await issued(console, office)
    assert (await console.get(f"/api/console/items/{item}/preview")).code == "wrong_state"
    assert (await console.get(f"/api/console/campaigns/{uuid4()}/preview")).code == "not_found"


async def test_a_policy_is_tried_on_an_item_at_the_console(console: Client, office: Office) -> None:
    draft, path = await drafted(console, office, due_days=2), "/api/console/policies/simulate"
    step = {"condition": "overdue", "amount": 1, "level": 2, "tell": ["unit_leader"], "action": "urge"}
    body = {"item_id": draft["id"], "policy": {"name": "试行", "steps": [step]}}
    (told,) = (await console.post(path, body)).content["items"]
    leader = office.people["leader"]
    assert (told["name"], told["person_id"], told["action"]) == (leader.name, str(leader.id), "urge")
    own = await console.post(path, {"item_id": draft["id"]})
    assert {one["policy_code"] for one in own.content["items"]} == {"near_due", "unacknowledged", "overdue"}
    assert (await console.post(path, {"item_id": draft["id"], "code": "nowhere"})).code == "unknown_policy"
    assert (await console.post(path, {"item_id": str(uuid4())})).code == "not_found"


async def test_an_escalation_is_held_from_the_console_with_a_reason(console: Client, office: Office) -> None:
    item = await office.received()
    path = f"/api/console/items/{item.id}/hold"
    soon = (clock.now() + timedelta(days=3)).isoformat()
    held = await console.call("PUT", path, json={"until": soon, "why": "已约定周五反馈"})
    assert held.status == 204, held.text
    far = {"until": (clock.now() + timedelta(days=90)).isoformat(), "why": "已约定"}
    assert (await console.call("PUT", path, json=far)).code == "bad_hold"
    assert (await console.call("PUT", path, json={"until": soon, "why": ""})).status == 422
    assert (await console.call("PUT", path, json={"until": soon[:19], "why": "没有时区"})).status == 422
    assert (await console.call("DELETE", path)).status == 204
    told = await console.get(f"/api/console/items/{item.id}/timeline")
    assert [moment["label"] for moment in told.content["items"][:2]] == ["恢复提醒", "暂缓提醒"]


def workbook(office: Office, rows: int) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet("事项")
        sheet.write_row(0, 0, ("清单", "标题", "要求", "责任人编号", "责任单位编码", "密级", "期限"))
        for number in range(1, rows + 1):
            facts = (
                "任务",
                f"第{number}件",
                "按要求办结。",
                office.people["owner"].staff_no,
                "cz",
                "内部",
                "10个工作日",
            )
            sheet.write_row(number, 0, facts)
    return file.getvalue()
