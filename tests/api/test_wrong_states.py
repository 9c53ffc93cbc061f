"""What has ended stays as it is: every step of the document is tried on a closed item, by those whose step it was."""

from typing import Any
from uuid import uuid4

from tests.api.conftest import Desk, Phone
from tests.api.simplest import DOCUMENT, simplest
from tests.full_zone import FullZone, rows_of

REFUSED = {"wrong_state", "not_your_step", "not_found"}
"""Nobody is found to urge by the owner, who is urged by others."""
CLOSED = -1
"""The last of the items of a full zone."""


async def test_no_step_moves_a_closed_item(full: FullZone, phone_of: Any, desk_of: Any) -> None:
    desk: Desk = await desk_of(full.office.people["oversight"])
    phones: list[Phone] = [await phone_of((await full.person(name)).phone) for name in ("owner A", "leader A")]
    assert {(await phone.enter()).status for phone in phones} == {200}
    before, tried, passed = await rows_of(full.office.zone.id), 0, list[Any]()
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            if "{item_id}" not in path or method == "get":
                continue
            content = operation.get("requestBody", {}).get("content", {})
            asked = {"json": simplest(content["application/json"]["schema"])} if content else {}
            headers = {"Idempotency-Key": str(uuid4()), "If-Match": '"1"'}
            for caller in phones if path.startswith("/api/mini") else [desk]:
                place = path.replace("{item_id}", str(full.ids["item_id"][CLOSED]))
                answer = await caller.call(method.upper(), place, headers=headers, **asked)
                tried += 1
                if not answer.content or answer.content.get("code") not in REFUSED:
                    passed.append((method, path, answer.text))
    assert passed == []
    assert tried > 20
    assert await rows_of(full.office.zone.id) == before
