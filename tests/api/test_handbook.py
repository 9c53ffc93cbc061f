"""案头册 over HTTP."""

from typing import Any

import pytest

from models.organization import Zone
from tests.api.conftest import Phone
from tests.office import Office, open_office


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def test_a_phone_reads_its_book(phone_of: Any, office: Office) -> None:
    item = await office.issued()
    phone: Phone = await phone_of(office.people["owner"].phone)
    await phone.enter()
    book = (await phone.get("/api/mini/handbook")).content
    assert [duty["unit"] for duty in book["duties"]] == ["单位cz"]
    assert [(one["number"], one["state_label"]) for one in book["items"]] == [(item.number, "待签收")]
    assert book["more"] is False
