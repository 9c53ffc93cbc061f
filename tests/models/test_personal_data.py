"""A person's own data: all of it to take away; the account to be deleted, with only the record of work left."""

import json
import re
from typing import Any

import pytest

from models import accounts, deliveries, organization, personal_data
from models.accounts import Signer
from models.base import database as postgres
from models.base.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from models.base.scope import Grant, Role, Scope
from models.deliveries import Consent, Delivery
from models.ledger import Item
from models.organization import Binding, RoleGrant, Zone
from models.personal_data import SECTIONS, DeletionState
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")
TEMPLATE = "ZL_TODO"


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


@pytest.fixture
async def admin(office: Office) -> Scope:
    """Somebody else of the zone, its administrator."""
    person = office.people["stranger"]
    await RoleGrant.create(zone_id=office.zone.id, person=person, role="admin", unit=office.units["kfq"])
    return await organization.scope_of(person.id)


async def bound(office: Office, openid: str = "o-owner") -> Binding:
    person = office.people["owner"]
    return await organization.bind(office.zone.id, person.id, openid, unionid="u-owner", by=office.owner)


async def copied(by: Scope) -> dict[str, Any]:
    sections: dict[str, Any] = json.loads(await personal_data.copy(by=by))["sections"]
    return sections


async def test_everything_about_a_person_is_in_their_copy_and_nothing_of_others(office: Office) -> None:
    await bound(office)
    item = await office.requested()
    other = await office.issued(owner_id=office.people["colleague"].id)
    sections = await copied(office.owner)
    assert sections["person"][0]["phone"] == office.people["owner"].phone
    assert [row["number"] for row in sections["items"]] == [item.number]
    assert [row["openid"] for row in sections["bindings"]] == ["o-owner"]
    assert sections["reminders"] and sections["deliveries"] and sections["appointments"] and sections["roles"]
    assert str(other.number) not in json.dumps(sections)
    assert {*sections} == {*SECTIONS}


NAMES_SOMEBODY = re.compile(
    r"person_id|owner_id|inspector_id|delegate_id|addressee_id|openid|submitted_by|said_by|recorded_by|asked_by|phone"
)
TOLD_ELSEWHERE = {"cycle": "the rounds of an item, which is told of"}


async def test_no_table_that_names_a_person_is_left_out(database: str) -> None:
    columns = await postgres.fetch(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
    )
    naming = {row["table_name"] for row in columns if NAMES_SOMEBODY.fullmatch(row["column_name"])}
    told = set(re.findall(r"(?:from|join) (\w+)", " ".join(SECTIONS.values())))
    assert naming - told - TOLD_ELSEWHERE.keys() == set()


async def test_a_request_waits_once_and_may_be_withdrawn(office: Office, admin: Scope) -> None:
    first, again = await personal_data.ask_deletion(by=office.owner), await personal_data.ask_deletion(by=office.owner)
    assert first.id == again.id
    assert [one.person.name for one in await personal_data.deletions(by=admin)] == [office.people["owner"].name]
    await personal_data.withdraw_deletion(by=office.owner)
    await personal_data.withdraw_deletion(by=office.owner)
    assert await personal_data.deletions(by=admin) == []
    with pytest.raises(Conflict, match="already_decided"):
        await personal_data.decide_deletion(first.id, by=admin, accept=True)
    last = await personal_data.my_deletion(by=office.owner)
    assert last is not None and last.state is DeletionState.WITHDRAWN


async def test_a_deleted_account_is_signed_out_unbound_and_forgotten_but_its_work_stays(
    office: Office, admin: Scope
) -> None:
    signer = Signer("s" * 32)
    tokens = await accounts.open_sign_in(await bound(office), signer=signer)
    await deliveries.credit(office.zone.id, "o-owner", TEMPLATE)
    await deliveries.follow(office.zone.id, "s-owner", "u-owner")
    item = await office.received()
    sent = await Delivery.filter(person_id=office.people["owner"].id).first()
    assert sent is not None
    await Delivery.filter(id=sent.id).update(openid="o-owner", state="sent")
    request = await personal_data.ask_deletion(by=office.owner)
    for _ in range(2):
        decided = await personal_data.decide_deletion(request.id, by=admin, accept=True)
        assert decided.state is DeletionState.DELETED
    with pytest.raises(Unauthenticated):
        await accounts.refresh(tokens.refresh, signer=signer)
    assert await organization.binding_by_openid("o-owner") is None
    assert not await Consent.exists(zone_id=office.zone.id)
    assert "o-owner" not in await whole_database() and "u-owner" not in await whole_database()
    assert await Item.exists(id=item.id, owner_id=office.people["owner"].id)
    assert (await bound(office, "o-owner")).openid == "o-owner"  # whoever comes back is welcome


async def whole_database() -> str:
    """Every row of the tables that knew the phone, as text."""
    tables = ("binding", "consent", "follower", "delivery", "sign_in", "audit", "deletion_request")
    rows = [await postgres.fetch(f"select t::text as row from {table} t") for table in tables]
    return "\n".join(row["row"] for part in rows for row in part)


async def test_a_refusal_says_why_and_only_an_admin_decides(office: Office, admin: Scope) -> None:
    request = await personal_data.ask_deletion(by=office.owner)
    with pytest.raises(Forbidden):
        await personal_data.decide_deletion(request.id, by=office.overseer, accept=True)
    with pytest.raises(Invalid):
        await personal_data.decide_deletion(request.id, by=admin, accept=False)
    await personal_data.decide_deletion(request.id, by=admin, accept=False, reason="交接完成后再办")
    last = await personal_data.my_deletion(by=office.owner)
    assert last is not None and (last.state, last.reason) == (DeletionState.REFUSED, "交接完成后再办")
    assert (await personal_data.ask_deletion(by=office.owner)).id != request.id


async def test_another_zones_admin_finds_no_request(office: Office) -> None:
    request = await personal_data.ask_deletion(by=office.owner)
    other = await organization.create_zone("other", "另一开发区")
    with pytest.raises(NotFound):
        await personal_data.decide_deletion(
            request.id, by=Scope(other.id, "operator", grants=(Grant(Role.ADMIN, ""),)), accept=True
        )
