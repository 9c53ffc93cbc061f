"""投诉建议: said by a person, answered once by whoever looks after their unit, seen by nobody else."""

import pytest

from models import feedback, organization
from models.base.errors import Conflict, Forbidden, NotFound
from models.base.scope import Scope
from models.feedback import MOST_WAITING, FeedbackKind, FeedbackState
from models.organization import Appointment, RoleGrant, Zone
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def complained(office: Office, text: str = "同一件事提醒了三次") -> feedback.Feedback:
    return await feedback.submit(text, kind=FeedbackKind.COMPLAINT, by=office.owner)


async def test_a_complaint_waits_until_it_is_answered_and_its_author_sees_the_answer(office: Office) -> None:
    made = await complained(office)
    (waiting,) = await feedback.received(by=office.overseer)
    assert (waiting.id, waiting.person.name) == (made.id, office.people["owner"].name)
    await feedback.answer(made.id, "已合并提醒", by=office.overseer)
    assert await feedback.received(by=office.overseer) == []
    (mine,) = await feedback.mine(by=office.owner)
    assert (mine.state, mine.answer) == (FeedbackState.ANSWERED, "已合并提醒")
    assert await feedback.mine(by=office.colleague) == []


async def test_an_answer_is_given_once(office: Office) -> None:
    made = await complained(office)
    first = await feedback.answer(made.id, "已合并提醒", by=office.overseer)
    again = await feedback.answer(made.id, "已合并提醒", by=office.second_overseer)
    assert (again.answered_by, again.answered_at) == (first.answered_by, first.answered_at)
    with pytest.raises(Conflict, match="already_answered"):
        await feedback.answer(made.id, "不予采纳", by=office.overseer)


async def test_only_those_who_look_after_the_authors_unit_answer_and_never_the_author(office: Office) -> None:
    made = await complained(office)
    elsewhere = await RoleGrant.create(
        zone_id=office.zone.id, person=office.people["stranger"], role="oversight", unit=office.units["rd"]
    )
    stranger = await organization.scope_of(office.people["stranger"].id)
    assert await feedback.received(by=stranger) == []
    with pytest.raises(NotFound):
        await feedback.answer(made.id, "已阅", by=stranger)
    with pytest.raises(Forbidden):
        await feedback.answer(made.id, "已阅", by=office.leader)
    await elsewhere.delete()
    own = await feedback.submit("希望字大一些", kind=FeedbackKind.SUGGESTION, by=office.overseer)
    with pytest.raises(Conflict, match="same_person"):
        await feedback.answer(own.id, "同意", by=office.overseer)


async def test_who_has_no_post_is_heard_by_whoever_looks_after_the_whole_zone(office: Office) -> None:
    await Appointment.filter(person_id=office.people["owner"].id).delete()
    made = await complained(office)
    assert [one.id for one in await feedback.received(by=office.overseer)] == [made.id]


async def test_one_person_may_have_only_so_many_waiting(office: Office) -> None:
    for number in range(MOST_WAITING):
        await complained(office, f"第{number}条")
    with pytest.raises(Conflict, match="too_many_waiting"):
        await complained(office)
    waiting = await feedback.received(by=office.overseer, limit=3)
    assert [one.text for one in waiting] == ["第0条", "第1条", "第2条"]
    await feedback.answer(waiting[0].id, "已改", by=office.overseer)
    await complained(office)


async def test_the_product_itself_has_nothing_to_complain_of(zone: Zone) -> None:
    with pytest.raises(Forbidden):
        await feedback.submit("……", kind=FeedbackKind.COMPLAINT, by=Scope.system(zone.id))
