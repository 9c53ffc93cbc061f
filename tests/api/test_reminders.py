"""Inbox, consent, burden, policies and drafts over HTTP."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from models import reminders
from models.base import clock
from models.base.ids import new_id
from models.base.scope import Role
from models.escalations import Action, Draft
from models.organization import Person, Unit, Zone
from models.reminders import ReminderKind
from tests.api.conftest import Client, Phone, person


async def remind(person: Person, kind: ReminderKind = ReminderKind.OVERDUE) -> UUID:
    made = await reminders.remind(
        person.zone_id, person.id, kind, ("item", new_id()), "河道清淤：已逾期1个工作日", key=str(uuid4())
    )
    assert made is not None
    return made


@pytest.fixture
async def overseer(desk_of: Any, zone: Zone, bureau: Unit) -> Client:
    """Somebody of oversight at the console."""
    desk: Client = await desk_of((await person(zone, bureau, "周敏", Role.OVERSIGHT)).id)
    return desk


async def test_a_phone_reads_its_inbox_and_acknowledges(phone: Phone, wang: Person) -> None:
    reminder = await remind(wang)
    box = (await phone.get("/api/mini/inbox")).content
    assert [item["id"] for item in box["items"]] == [str(reminder)]
    assert box["counts"] == {"overdue": 1}
    address = f"/api/mini/inbox/{reminder}/acknowledge"
    first = await phone.write(address, {"note": "已安排"})
    again = await phone.write(address, {})
    assert (first.status, first.content["state"]) == (200, "acknowledged")
    assert again.content == first.content
    assert (await phone.get("/api/mini/inbox")).content == {"items": [], "next": None, "counts": {}}


async def test_anothers_reminder_is_not_found_and_a_new_item_is_received(
    phone: Phone, wang: Person, zone: Zone, bureau: Unit
) -> None:
    other = await remind(await person(zone, bureau, "赵强", Role.CADRE))
    assert (await phone.write(f"/api/mini/inbox/{other}/acknowledge", {})).code == "not_found"
    new = await remind(wang, ReminderKind.TO_RECEIVE)
    assert (await phone.write(f"/api/mini/inbox/{new}/acknowledge", {})).code == "receive_the_item"
    assert (await phone.get("/api/mini/inbox?limit=0")).status == 422


async def test_a_phone_is_told_what_to_ask_consent_for_and_sees_its_own_burden(phone: Phone, wang: Person) -> None:
    assert (await phone.get("/api/mini/messages/consent")).content == {"template_ids": ["ZL_TODO"], "remaining": 0}
    body = {"report_id": str(uuid4()), "choices": {"ZL_TODO": "accept"}}
    assert (await phone.write("/api/mini/messages/consent", body)).status == 204
    wrong = {**body, "choices": {"OTHER": "accept"}}
    assert (await phone.write("/api/mini/messages/consent", wrong)).code == "unknown_template"
    await remind(wang)
    burden = (await phone.get("/api/mini/messages/burden")).content
    assert (burden["reminders"], burden["messages"], burden["daily_budget"]) == (1, 0, 3)
    assert (burden["quiet_from"], burden["quiet_until"]) == ("20:00", "08:00")


async def test_the_office_changes_a_policy_only_from_its_newest_version(overseer: Client) -> None:
    listed = (await overseer.get("/api/console/policies")).content["items"]
    assert {policy["code"] for policy in listed} == {"near_due", "unacknowledged", "overdue", "important"}
    step = {"condition": "days_to_due", "amount": 5, "level": 1, "tell": ["owner"], "action": "remind"}
    address, body = "/api/console/policies/near_due", {"name": "临期", "steps": [step]}

    async def put(version: str | None, content: Any = body) -> Any:
        headers = {"If-Match": f'"{version}"'} if version else {}
        return await overseer.call("PUT", address, json=content, headers=headers)

    assert (await put(None)).code == "if_match_missing"
    made = await put("0")
    assert (made.status, made.headers["etag"]) == (200, '"2"')  # the shipped one became version 1
    assert (await put("0", {**body, "name": "另一个"})).code == "policy_changed"
    bad = await put("2", {**body, "steps": [{**step, "level": 9}]})
    assert (bad.status, bad.content["faults"][0]["pointer"]) == (422, "/steps/0/level")
    assert (await overseer.call("DELETE", address)).content["active"] is False
    listed = (await overseer.get("/api/console/policies")).content["items"]
    assert {policy["code"]: policy["active"] for policy in listed} == {
        "near_due": False,
        "unacknowledged": True,
        "overdue": True,
        "important": True,
    }


async def test_the_office_decides_on_drafts_and_sees_units_never_people(
    overseer: Client, zone: Zone, wang: Person
) -> None:
    draft = await Draft.create(
        zone_id=zone.id,
        item_id=new_id(),
        cycle=1,
        timer_id=new_id(),
        action=Action.INTERVIEW,
        addressee_id=wang.id,
        level=4,
        reason="河道清淤：已逾期5个工作日",
        drafted_at=clock.now(),
    )
    (shown,) = (await overseer.get("/api/console/drafts")).content["items"]
    assert shown["id"] == str(draft.id)
    # Wang holds no post, so nobody oversees her by unit: the draft may be seen, but not decided on
    decided = await overseer.post(f"/api/console/drafts/{draft.id}/decide", {"approve": True})
    assert decided.code == "not_found"
    assert (await overseer.get("/api/console/deliveries?state=sent")).content == {"items": [], "next": None}
    assert set((await overseer.get("/api/console/deliveries/outcomes")).content["counts"].values()) == {0}
    burden = (await overseer.get("/api/console/deliveries/burden")).content
    assert all("person" not in key for unit in burden["items"] for key in unit)


async def test_a_phone_reaches_nothing_of_the_console(phone: Phone) -> None:
    for path in ("policies", "drafts", "deliveries", "deliveries/burden"):
        assert (await phone.get(f"/api/console/{path}")).status == 401
