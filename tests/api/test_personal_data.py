"""我的资料 over HTTP: a copy of it, and a request for deletion from the phone to the console."""

import json
from typing import Any

import pytest

from models.base.scope import Role
from models.organization import Person, Unit, Zone
from tests.api.conftest import Desk, Phone, person

MY_DATA, DELETION, REQUESTS = "/api/mini/my-data", "/api/mini/my-data/deletion", "/api/console/deletion-requests"


@pytest.fixture
async def admin(desk_of: Any, zone: Zone, bureau: Unit) -> Desk:
    desk: Desk = await desk_of((await person(zone, bureau, "何平", Role.ADMIN)).id)
    return desk


async def test_a_phone_takes_a_copy_of_what_is_kept_about_its_person(phone: Phone, wang: Person) -> None:
    answer = await phone.get(MY_DATA)
    sections = answer.content["sections"]
    assert (answer.status, sections["person"][0]["phone"]) == (200, wang.phone)
    assert [row["openid"] for row in sections["bindings"]] == [phone.openid]
    assert sections["items"] == [] and answer.headers["cache-control"] == "no-store"


async def test_copies_are_taken_rarely(phone: Phone) -> None:
    statuses = [(await phone.get(MY_DATA)).status for _ in range(8)]
    assert statuses[:6] == [200] * 6 and statuses[-1] == 429


async def test_an_account_is_deleted_on_request_and_its_phone_may_bind_anew(
    phone: Phone, wang: Person, admin: Desk
) -> None:
    assert (await phone.get(DELETION)).content["request"] is None
    asked = await phone.write(DELETION)
    assert (asked.status, asked.content["request"]["state"]) == (201, "waiting")
    (waiting,) = (await admin.get(REQUESTS)).content["items"]
    assert (waiting["person_id"], waiting["name"]) == (str(wang.id), "王静")
    decide = f"{REQUESTS}/{waiting['id']}/decide"
    assert (await admin.post(decide, {"accept": False})).code == "required"
    assert (await admin.post(decide, {"accept": True})).status == 204
    assert (await admin.get(REQUESTS)).content["items"] == []
    assert (await phone.refresh()).code == "refresh_expired"
    assert (await phone.sign_in()).content["state"] == "to_bind"
    assert (await phone.enter()).content["state"] == "signed_in"
    assert phone.openid in json.dumps((await phone.get(MY_DATA)).content)


async def test_a_request_is_withdrawn_on_the_phone(phone: Phone, admin: Desk) -> None:
    await phone.write(DELETION)
    assert (await phone.write(f"{DELETION}/withdraw")).content["request"]["state"] == "withdrawn"
    assert (await admin.get(REQUESTS)).content["items"] == []
