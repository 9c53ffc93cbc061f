"""案头册: duties from appointments, items from the ledger, without anybody filling it in."""

from datetime import date

import pytest

from models import handbook
from models.base import clock
from models.base.errors import Forbidden
from models.base.scope import Scope
from models.organization import Appointment, PostRank, Zone
from tests.office import Office, open_office

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


async def test_a_cadres_book_holds_their_post_and_their_own_open_items(office: Office) -> None:
    item = await office.issued()
    await office.closed()
    await office.issued(owner_id=office.people["colleague"].id)
    book = await handbook.handbook(by=office.owner)
    assert [one.id for one in book.items] == [item.id] and not book.more
    (duty,) = book.duties
    assert (duty.unit, duty.rank, duty.open_items) == ("单位cz", PostRank.MEMBER, 0)


async def test_a_leaders_book_counts_what_is_open_and_late_below_them(office: Office, clock_moves) -> None:  # type: ignore[no-untyped-def]
    await office.issued()
    await office.requested()
    await office.closed()
    await office.draft()
    await office.issued(owner_id=office.people["stranger"].id, unit_id=office.units["rd"].id)
    clock_moves(days=60)
    (unit,) = (await handbook.handbook(by=office.leader)).duties
    (zone,) = (await handbook.handbook(by=office.upper)).duties
    assert (unit.open_items, unit.overdue_items) == (2, 1)  # what waits for a review is no delay of the owner
    assert (zone.open_items, zone.overdue_items) == (3, 2)


async def test_who_stands_in_finds_the_items_of_the_absent(office: Office) -> None:
    item = await office.issued()
    await office.absent("owner", "colleague")
    assert [one.id for one in (await handbook.handbook(by=office.colleague)).items] == [item.id]


async def test_a_post_that_ended_is_no_duty(office: Office) -> None:
    await Appointment.filter(person_id=office.people["owner"].id).update(until_on=date(2024, 6, 1))
    book = await handbook.handbook(by=office.owner)
    assert (book.duties, book.as_of) == ([], clock.today())


async def test_the_product_itself_has_no_book(zone: Zone) -> None:
    with pytest.raises(Forbidden):
        await handbook.handbook(by=Scope.system(zone.id))
