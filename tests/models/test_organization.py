"""Who may do what, who stands above whom, who stands in, and whose WeChat it is."""

import asyncio
from datetime import date
from uuid import UUID

import pytest

from models import organization
from models.base.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from models.base.ids import new_id
from models.base.scope import Grant, Role, Scope
from models.organization import Appointment, Person, Post, PostRank, RoleGrant, Unit, UnitKind, Zone

pytestmark = pytest.mark.usefixtures("database")
TODAY = date(2026, 11, 23)


class Bureau:
    """A committee over a department over a village; people are added by name."""

    def __init__(self, zone: Zone) -> None:
        self.zone, self.units, self.people = zone, dict[str, Unit](), dict[str, Person]()

    async def unit(self, code: str, kind: UnitKind, parent: str | None = None) -> None:
        above = self.units.get(parent or "")
        path = f"{above.path if above else '/'}{code}/"
        self.units[code] = await Unit.create(
            zone_id=self.zone.id, code=code, name=code, kind=kind, path=path, parent=above
        )

    async def person(self, name: str, unit: str, rank: PostRank, until_on: date | None = None) -> UUID:
        number = len(self.people)
        made = await Person.create(zone_id=self.zone.id, staff_no=f"P{number}", name=name, phone=f"1540000{number:04}")
        self.people[name] = made
        post = await Post.create(zone_id=self.zone.id, unit=self.units[unit], title=name, rank=rank)
        await Appointment.create(
            zone_id=self.zone.id, person=made, post=post, from_on=date(2024, 1, 1), until_on=until_on
        )
        return made.id

    async def role(self, name: str, role: Role, unit: str) -> None:
        await RoleGrant.create(zone_id=self.zone.id, person=self.people[name], role=role, unit=self.units[unit])


@pytest.fixture
async def bureau(zone: Zone) -> Bureau:
    made = Bureau(zone)
    await made.unit("KFQ", UnitKind.WORK_COMMITTEE)
    await made.unit("CYJ", UnitKind.DEPARTMENT, "KFQ")
    await made.unit("CUN", UnitKind.VILLAGE, "CYJ")
    await made.person("书记", "KFQ", PostRank.PRINCIPAL)
    await made.person("局长", "CYJ", PostRank.PRINCIPAL)
    await made.person("副局长", "CYJ", PostRank.DEPUTY)
    await made.person("科员", "CYJ", PostRank.MEMBER)
    return made


async def test_whom_one_may_ask_to_stand_in_is_found_nearby_and_by_name(bureau: Bureau) -> None:
    await bureau.person("村主任", "CUN", PostRank.PRINCIPAL)
    await bureau.person("离任者", "CYJ", PostRank.MEMBER, until_on=date(2025, 1, 1))
    scope = await organization.scope_of(bureau.people["科员"].id)
    near = await organization.colleagues(by=scope)
    assert {row["name"] for row in near} == {"书记", "局长", "副局长", "村主任"}
    assert [row["name"] for row in await organization.colleagues(by=scope, name="副")] == ["副局长"]


def ids(bureau: Bureau, *names: str) -> list[UUID]:
    return [bureau.people[name].id for name in names]


async def chain(bureau: Bureau, name: str, unit: str = "CYJ") -> organization.Chain:
    return await organization.chain_of(bureau.zone.id, bureau.people[name].id, bureau.units[unit].id, TODAY)


async def test_a_members_leader_is_the_sole_deputy_then_the_principal_then_the_parent(bureau: Bureau) -> None:
    found = await chain(bureau, "科员")
    assert [found.unit_leader, *found.upward] == ids(bureau, "副局长", "局长", "书记")


async def test_of_several_deputies_none_is_taken_for_the_one_in_charge(bureau: Bureau) -> None:
    await bureau.person("另一副局长", "CYJ", PostRank.DEPUTY)
    found = await chain(bureau, "科员")
    assert [found.unit_leader, *found.upward] == ids(bureau, "局长", "书记")


async def test_nobody_is_their_own_leader(bureau: Bureau) -> None:
    assert (await chain(bureau, "局长")).unit_leader == bureau.people["书记"].id
    assert (await chain(bureau, "副局长")).unit_leader == bureau.people["局长"].id
    top = await chain(bureau, "书记", "KFQ")
    assert (top.unit_leader, top.upward) == (None, [])


async def test_a_vacancy_passes_one_level_up(bureau: Bureau) -> None:
    villager = await bureau.person("网格员", "CUN", PostRank.MEMBER)
    found = await organization.chain_of(bureau.zone.id, villager, bureau.units["CUN"].id, TODAY)
    assert [found.unit_leader, *found.upward] == ids(bureau, "局长", "书记")


async def test_an_appointment_that_has_ended_leads_nobody(bureau: Bureau) -> None:
    await Appointment.filter(person_id=bureau.people["副局长"].id).update(until_on=date(2026, 11, 22))
    assert (await chain(bureau, "科员")).unit_leader == bureau.people["局长"].id


async def test_oversight_is_told_at_the_nearest_unit_that_has_it(bureau: Bureau) -> None:
    await bureau.role("书记", Role.OVERSIGHT, "KFQ")
    assert (await chain(bureau, "科员")).oversight == ids(bureau, "书记")
    await bureau.role("局长", Role.OVERSIGHT, "CYJ")
    assert (await chain(bureau, "科员")).oversight == ids(bureau, "局长")
    assert (await chain(bureau, "局长")).oversight == ids(bureau, "书记")


async def test_chains_of_many_are_the_chains_of_each_in_order(bureau: Bureau) -> None:
    unit = bureau.units["CYJ"].id
    owners = [(bureau.people[name].id, unit) for name in ("局长", "科员", "副局长", "科员")]
    many = await organization.chains_of(bureau.zone.id, owners, TODAY)
    assert many == [await organization.chain_of(bureau.zone.id, *owner, TODAY) for owner in owners]
    with pytest.raises(NotFound):
        await organization.chain_of(bureau.zone.id, new_id(), unit)


async def test_a_scope_carries_roles_over_subtrees_and_ends_with_the_person(bureau: Bureau) -> None:
    await bureau.role("局长", Role.UNIT_LEADER, "CYJ")
    await bureau.role("局长", Role.INSPECTOR, "KFQ")
    person = bureau.people["局长"]
    scope = await organization.scope_of(person.id)
    assert scope.zone_id == bureau.zone.id
    assert set(scope.grants) == {Grant(Role.UNIT_LEADER, "/KFQ/CYJ/"), Grant(Role.INSPECTOR, "/KFQ/")}
    await Person.filter(id=person.id).update(active=False)
    with pytest.raises(Unauthenticated):
        await organization.scope_of(person.id)


async def test_matters_of_an_absent_person_go_to_the_delegate_and_on(bureau: Bureau) -> None:
    clerk, deputy, head = ids(bureau, "科员", "副局长", "局长")
    await absent(bureau, "科员", "副局长")
    assert await organization.stand_in(bureau.zone.id, clerk, TODAY) == deputy
    assert await organization.stand_in(bureau.zone.id, clerk, date(2027, 2, 1)) == clerk
    await absent(bureau, "副局长", "局长")
    assert await organization.stand_in(bureau.zone.id, clerk, TODAY) == head


async def absent(bureau: Bureau, name: str, delegate: str) -> organization.Delegation:
    by = await organization.scope_of(bureau.people[name].id)
    return await organization.delegate(
        by=by, delegate_id=bureau.people[delegate].id, from_on=TODAY, until_on=date(2026, 12, 31)
    )


async def test_a_delegation_cannot_run_in_a_circle_even_when_made_at_once(bureau: Bureau) -> None:
    both = await asyncio.gather(
        absent(bureau, "科员", "副局长"), absent(bureau, "副局长", "科员"), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in both) == ["Conflict", "Delegation"]


async def test_delegating_twice_is_one_absence_and_ending_it_brings_matters_back(bureau: Bureau) -> None:
    first, again = await absent(bureau, "科员", "副局长"), await absent(bureau, "科员", "副局长")
    assert first.id == again.id
    with pytest.raises(Conflict, match="already_delegated"):
        await absent(bureau, "科员", "局长")
    clerk = bureau.people["科员"].id
    by = await organization.scope_of(clerk)
    await organization.end_delegation(first.id, by=by)
    assert (await organization.end_delegation(first.id, by=by)).ended_at is not None
    assert await organization.stand_in(bureau.zone.id, clerk, TODAY) == clerk


async def test_another_persons_delegation_is_not_found_and_ones_self_is_no_delegate(bureau: Bureau) -> None:
    made = await absent(bureau, "科员", "副局长")
    head = bureau.people["局长"].id
    by = await organization.scope_of(head)
    with pytest.raises(NotFound):
        await organization.end_delegation(made.id, by=by)
    with pytest.raises(Invalid, match="delegate_is_self"):
        await organization.delegate(by=by, delegate_id=head, from_on=TODAY, until_on=TODAY)


async def test_who_has_left_office_has_no_stand_in(bureau: Bureau) -> None:
    (clerk,) = ids(bureau, "科员")
    await Appointment.filter(person_id=clerk).update(until_on=date(2026, 11, 22))
    assert await organization.stand_in(bureau.zone.id, clerk, TODAY) is None
    assert await organization.stand_in(bureau.zone.id, clerk, date(2026, 11, 22)) == clerk


async def bind(bureau: Bureau, name: str, openid: str) -> organization.Binding:
    person = bureau.people[name]
    by = Scope(bureau.zone.id, f"person:{person.id}", person_id=person.id)
    return await organization.bind(bureau.zone.id, person.id, openid, by=by)


async def test_of_ten_people_binding_one_wechat_at_once_one_wins(bureau: Bureau) -> None:
    names = ["书记", "局长", "副局长", "科员"]
    results = await asyncio.gather(*(bind(bureau, name, "wx") for name in names), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Binding", "Conflict", "Conflict", "Conflict"]


async def test_one_person_binding_ten_wechats_at_once_gets_one(bureau: Bureau) -> None:
    results = await asyncio.gather(*(bind(bureau, "科员", f"wx{n}") for n in range(10)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, Conflict)]
    assert len(refused) == 9 and {result.code for result in refused} == {"person_bound_elsewhere"}


async def test_binding_the_same_pair_twice_is_one_binding(bureau: Bureau) -> None:
    assert (await bind(bureau, "科员", "wx")).id == (await bind(bureau, "科员", "wx")).id


async def test_rebinding_needs_the_admin(bureau: Bureau) -> None:
    first = await bind(bureau, "科员", "old")
    person = bureau.people["科员"].id
    with pytest.raises(Forbidden):
        await organization.unbind(bureau.zone.id, person, why="asked", by=await organization.scope_of(person))
    admin = Scope(bureau.zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    await organization.unbind(bureau.zone.id, person, why="asked", by=admin)
    assert await organization.binding_of(bureau.zone.id, person) is None
    assert (await bind(bureau, "科员", "new")).id != first.id


async def test_a_number_of_another_zone_is_not_in_the_roster(bureau: Bureau) -> None:
    other = await organization.create_zone("other", "另一开发区")
    with pytest.raises(NotFound):
        await organization.person_by_phone(other.id, "15400000003")
    assert (await organization.person_by_phone(bureau.zone.id, "15400000003")).name == "科员"


async def test_settings_are_checked_all_at_once_and_null_takes_the_default(zone: Zone) -> None:
    admin = Scope(zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    with pytest.raises(Invalid) as refused:
        await organization.change_settings(
            by=admin, changes={"quiet_from": "25:00", "daily_budget": 0, "working_hours": ["12:00-09:00"]}
        )
    assert {fault.pointer for fault in refused.value.faults} == {"/quiet_from", "/daily_budget", "/working_hours"}
    assert (await organization.change_settings(by=admin, changes={"daily_budget": 5})).daily_budget == 5
    assert (await organization.change_settings(by=admin, changes={"daily_budget": None})).daily_budget == 3


@pytest.mark.parametrize("wrong", [["aa-bb"], ["09:00-25:00"], ["9-17"], ["09:00-12:00-13:00-14:00"]])
async def test_working_hours_that_no_clock_shows_are_refused(zone: Zone, wrong: list[str]) -> None:
    """They would be read by every timer of the zone."""
    admin = Scope(zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    with pytest.raises(Invalid):
        await organization.change_settings(by=admin, changes={"working_hours": wrong})


async def test_a_zone_maps_the_neutral_levels_to_its_own_colours(zone: Zone) -> None:
    admin = Scope(zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    assert (await organization.settings_of(zone.id)).level_colours[4] == "red"
    own = ["blue", "green", "yellow", "orange", "red"]
    assert (await organization.change_settings(by=admin, changes={"level_colours": own})).level_colours == own
    for wrong in (own[:4], ["mauve", *own[1:]]):
        with pytest.raises(Invalid):
            await organization.change_settings(by=admin, changes={"level_colours": wrong})
