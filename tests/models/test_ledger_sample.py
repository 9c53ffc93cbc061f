"""The sample zone's three hundred items, imported and issued as the office would."""

from pathlib import Path

import pytest

from deploy.seeding import items_workbook
from models import ledger, organization
from models.base import clock
from models.base.scope import Grant, Role, Scope
from models.ledger import Cycle, Filters, Item, State
from models.organization import Zone
from models.reminders import Reminder
from tests.counting import statements

pytestmark = pytest.mark.usefixtures("database")
SAMPLE = Path(__file__).parents[2] / "deploy" / "sample"


@pytest.fixture
def roster() -> bytes:
    return (SAMPLE / "roster.xlsx").read_bytes()


@pytest.fixture
def workbook() -> bytes:
    return items_workbook(clock.today())


def office_of(zone: Zone) -> Scope:
    return Scope(zone.id, "account:office", grants=(Grant(Role.ADMIN, "/"), Grant(Role.OVERSIGHT, "/")))


async def test_three_hundred_items_are_imported_issued_and_told_with_few_statements(
    zone: Zone, roster: bytes, workbook: bytes
) -> None:
    office = office_of(zone)
    await organization.import_roster(roster, by=office)
    campaign = await ledger.create_campaign(by=office, name="2026年政治监督台账")
    with statements() as heard:
        imported = await ledger.import_items(workbook, campaign_id=campaign.id, by=office)
    assert (imported.created, len(heard) <= 60) == (300, True)
    with statements() as heard:
        issued = await ledger.issue_campaign(campaign.id, by=office, although_similar=True)
    assert len(issued.numbers) == len(set(issued.numbers)) == 300
    assert len(heard) / 300 <= 20
    assert await Item.filter(state=State.ISSUED).count() == await Cycle.all().count() == 300
    assert await Reminder.filter(kind="to_receive").count() == 300
    again = await ledger.import_items(
        await ledger.export_items(by=office, filters=Filters()), campaign_id=campaign.id, by=office
    )
    assert (again.settled, again.created) == (300, 0)
