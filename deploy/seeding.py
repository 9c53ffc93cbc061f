"""The sample zone, put into an empty installation once, for a demo. Each step may be repeated."""

import math
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from python_calamine import CalamineWorkbook

from deploy.sample.sheets import Cell, write_workbook
from deploy.secrets import keep_secret
from miniprogram_mock.phones import Fleet, Phone
from models import accounts, ledger, organization
from models.accounts import Account, Signer
from models.base import clock
from models.base.scope import Grant, Role, Scope
from models.ledger import Item
from models.organization import Binding, Person, RoleGrant, Zone

SAMPLE = Path(__file__).parent / "sample"
ZONE_CODE, ZONE_NAME = "lanchuan", "澜川经济开发区（虚构）"
CAMPAIGN = "2026年政治监督台账"
MADE_FOR = date(2026, 11, 10)
"""The day on which the sample's items are meant to be issued."""
CONSOLE_ROLES = (Role.ADMIN, Role.SECURITY_ADMIN, Role.AUDITOR, Role.OVERSIGHT)
PHONES = 24
CONSENTS = 3
MOST_PHONES = 10_000


async def seed(*, api_url: str, wechat_url: str, accounts_folder: Path, signer: Signer) -> None:
    """Zone, roster, accounts, drafts, phones, and the issue. Over the connection that is open."""
    zone = await zone_with_roster()
    await console_accounts(zone, accounts_folder, signer)
    campaign, by = await drafted_campaign(zone)
    await bind_phones(await owners_to_bind(zone), api_url=api_url, wechat_url=wechat_url)
    await ledger.issue_campaign(campaign.id, by=by, although_similar=True)


async def zone_with_roster() -> Zone:
    """The zone, and everybody in it."""
    zone = await Zone.get_or_none(code=ZONE_CODE) or await organization.create_zone(ZONE_CODE, ZONE_NAME)
    by = Scope(zone.id, "operator", grants=(Grant(Role.ADMIN, ""),))
    await organization.import_roster((SAMPLE / "roster.xlsx").read_bytes(), by=by)
    return zone


async def console_accounts(zone: Zone, folder: Path, signer: Signer) -> None:
    """A login for the first two people of each console role; credentials are kept in `folder`, a file each."""
    by = Scope.system(zone.id)
    for role in CONSOLE_ROLES:
        grants = RoleGrant.filter(zone_id=zone.id, role=role).select_related("person")
        for grant in await grants.order_by("person__staff_no").limit(2):
            login = grant.person.staff_no.lower()
            if (folder / login).exists():
                continue
            made = await Account.get_or_none(zone_id=zone.id, person_id=grant.person.id)
            credentials = await (
                accounts.reset_credentials(made.id, by=by, signer=signer)
                if made
                else accounts.create_account(grant.person.id, login, by=by, signer=signer)
            )
            shown = {"password": credentials.password, "totp_uri": credentials.totp_uri}
            facts = {"login": login, "name": grant.person.name, "role": role.value, **shown}
            keep_secret(folder, login, orjson.dumps(facts).decode())


async def drafted_campaign(zone: Zone) -> tuple[ledger.Campaign, Scope]:
    """The campaign with the sample's items as drafts, and who issues them."""
    overseer = await RoleGrant.filter(zone_id=zone.id, role=Role.OVERSIGHT).order_by("id").first()
    assert overseer is not None
    by = await organization.scope_of(overseer.person_id)  # type: ignore[attr-defined]
    made = next((found for found in await ledger.campaigns(by=by) if found.name == CAMPAIGN), None)
    campaign = made or await ledger.create_campaign(by=by, name=CAMPAIGN)
    await ledger.import_items(items_workbook(clock.today()), campaign_id=campaign.id, by=by)
    return campaign, by


def items_workbook(today: date) -> bytes:
    """The sample's items, their deadlines moved on by as many weeks as have passed since the day they were made for."""
    late = timedelta(weeks=max(0, math.ceil((today - MADE_FOR).days / 7)))
    book = CalamineWorkbook.from_path(SAMPLE / "items.xlsx")
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    due, requirement = (sheets["事项"][0].index(header) for header in ("期限", "要求"))
    for row in sheets["事项"][1:]:
        before = row[due]
        if isinstance(before, date):
            row[due] = before + late
            row[requirement] = str(row[requirement]).replace(_day(before), _day(before + late))
    with TemporaryDirectory() as folder:
        file = Path(folder, "items.xlsx")
        write_workbook(file, {name: [[cell(value) for value in row] for row in rows] for name, rows in sheets.items()})
        return file.read_bytes()


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"


def cell(value: object) -> Cell:
    """Calamine reads every number as a float, and an empty cell as an empty text."""
    if isinstance(value, float):
        return int(value)
    return value if isinstance(value, date) else str(value) or None


async def owners_to_bind(zone: Zone) -> list[str]:
    """Mobile numbers of some owners, those of urgent items first: their phones ring even in quiet hours."""
    drafts = Item.filter(zone_id=zone.id, state=ledger.State.DRAFT).order_by("-urgent", "id").limit(PHONES)
    owners = [item.owner_id for item in await drafts]  # type: ignore[attr-defined]
    return [person.phone for person in await Person.filter(zone_id=zone.id, id__in=owners) if person.phone]


async def bind_phones(numbers: list[str], *, api_url: str, wechat_url: str) -> None:
    """Register these phones at the mock platform, sign in, bind, and accept a few messages."""
    async with Fleet.open(numbers, api_url=api_url, wechat_url=wechat_url) as fleet:
        await fleet.register()
        await fleet.all(Phone.sign_in)
        for _ in range(CONSENTS):
            await fleet.all(Phone.consent)


async def register_bound_phones(wechat_url: str) -> None:
    """The mock platform keeps nothing over a restart: make it know the phones again, which keep their openids."""
    bound = await Binding.filter(unbound_at__isnull=True).select_related("person").limit(MOST_PHONES)
    numbers = [one.person.phone for one in bound if one.person.phone]
    async with Fleet.open(numbers, api_url="", wechat_url=wechat_url) as fleet:
        await fleet.register()
