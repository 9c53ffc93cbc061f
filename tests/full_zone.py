"""A zone with one of everything that has an id, and somebody for every route: for tests that go over all of them."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from models import accounts, evidence, feedback, ledger, lookbacks, organization, packs, personal_data, reminders
from models.accounts import Feed, Signer
from models.base import clock, database
from models.base.ids import new_id
from models.base.outbox import Promise, PromiseState
from models.base.scope import SEPARATED, Role, Scope
from models.escalations import Action, Draft
from models.feedback import FeedbackKind
from models.ledger import Matter
from models.lookbacks import Every, PlanFacts, Population, RelapsePattern, SeriesFacts
from models.organization import Person, PostRank, UnbindingProposal, Zone
from models.packs import PackSubject
from models.reminders import ReminderKind
from tests.lookback_zone import REQUIREMENT, Office, furnish

EVERYBODY, KEEPER, READER = "everybody", "keeper", "reader"
"""One holds every role that one person may, one keeps the accounts, one reads the log (domain.md §2)."""


@dataclass
class FullZone:
    """`ids` by the name under which a route takes them; items stand in each of their states."""

    office: Office
    ids: dict[str, list[UUID]] = field(default_factory=dict)

    async def person(self, name: str) -> Person:
        """`EVERYBODY`, `KEEPER`, or one of the office."""
        return await Person.get(id=self.office.people[name])

    def first(self, name: str) -> str:
        """One id as a request writes it."""
        return str(self.ids[name][0])

    def add(self, name: str, *ids: UUID) -> None:
        """More ids; a driver's own subclass of UUID is no JSON."""
        self.ids.setdefault(name, []).extend(UUID(str(each)) for each in ids)


async def fill(zone: Zone, signer: Signer) -> FullZone:
    """Everything that a fresh zone can hold, made by the rules that make it."""
    office = await furnish(zone)
    most = set(Role) - SEPARATED | {Role.ADMIN}
    await office.appoint(EVERYBODY, "root", PostRank.MEMBER, *((role, "root") for role in most))
    await office.appoint(KEEPER, "root", PostRank.MEMBER, (Role.SECURITY_ADMIN, "root"))
    await office.appoint(READER, "root", PostRank.MEMBER, (Role.AUDITOR, "root"))
    full = FullZone(office)
    await _items(full)
    await _visits(full)
    await _people(full, signer)
    full.add("unit_id", office.units["A"].id)
    full.add("campaign_id", office.campaign or new_id())
    await _packs(full)
    return full


async def _items(full: FullZone) -> None:
    office, oversight = full.office, await full.office.scope("oversight")
    closed = (await office.closed_item()).id
    owner, leader = await office.scope("owner A"), await office.scope("leader A")
    draft, issued, received, asked = [await _draft(full, oversight) for _ in range(4)]
    for item in (issued, received, asked):
        await ledger.issue(item, by=oversight, although_similar=True)
    for item in (received, asked):
        await ledger.receive(item, by=owner)
    words = evidence.Submission(client_id=new_id(), kind=evidence.Kind.TEXT, item_id=asked, text="已办结。")
    full.add("evidence_id", (await evidence.attach(words, by=owner)).id)
    photo = evidence.Submission(client_id=new_id(), kind=evidence.Kind.PHOTO, item_id=asked)
    full.add("upload_id", (await evidence.begin(photo, length=1000, sha256=None, by=owner)).id)
    await ledger.request_close_out(asked, by=owner)
    await ledger.unit_review(asked, by=leader, passed=True)
    full.add("item_id", draft, issued, received, asked, closed)
    made = await Draft.create(
        zone_id=office.zone.id,
        item_id=issued,
        cycle=1,
        timer_id=new_id(),
        action=Action.REMINDER_LETTER,
        addressee_id=office.people["owner A"],
        level=2,
        reason="逾期。",
        drafted_at=clock.now(),
    )
    full.add("draft_id", made.id)


async def _draft(full: FullZone, oversight: Scope) -> UUID:
    full.office.made += 1
    matter = Matter(
        list=ledger.ListKind.TASK,
        title=f"第{full.office.made}件事项",
        requirement=REQUIREMENT,
        classification="internal",
        owner_id=full.office.people["owner A"],
        unit_id=full.office.units["A"].id,
        due_days=10,
    )
    drafted = await ledger.draft(matter, campaign_id=full.office.campaign or new_id(), by=oversight)
    return UUID(str(drafted.id))


async def _packs(full: FullZone) -> None:
    """One pack that waits to be made."""
    asked = await packs.ask(
        PackSubject.CAMPAIGN, UUID(full.first("campaign_id")), by=await full.office.scope("oversight")
    )
    full.add("pack_id", asked.id)


async def _visits(full: FullZone) -> None:
    """One plan drawn, with everybody as the only inspector, and one not drawn."""
    office, oversight = full.office, await full.office.scope("oversight")
    everybody = office.people[EVERYBODY]
    facts = PlanFacts(name="半年回头看", population=Population(), percent=100, inspectors=(everybody,))
    drawn = await lookbacks.plan(facts, by=oversight)
    await lookbacks.draw_visits(drawn.id, by=oversight)
    rest = {"name": "年终回头看", "population": Population(rested_days=90)}
    waiting = await lookbacks.plan(facts.model_copy(update=rest), by=oversight)
    saved = await lookbacks.save_population("工程建设", Population(area="工程建设"), by=oversight)
    full.add("population_id", saved.id)
    monthly = SeriesFacts(name="每月回头看", population=Population(), percent=10, every=Every.MONTH)
    full.add("series_id", (await lookbacks.begin_series(monthly, by=oversight)).id)
    declared = await lookbacks.declare_recusal(everybody, office.people["owner B"], by=await office.scope(EVERYBODY))
    full.add("recusal_id", declared.id)
    full.add("plan_id", drawn.id, waiting.id)
    full.add("pattern_id", await _pattern(full))
    full.add("site_id", (await lookbacks.issue_site_code(office.units["A"].id, "长河路工地", by=oversight)).id)
    full.add("visit_id", *[visit.id for visit in await lookbacks.visits_of(drawn.id, by=oversight)])


async def _pattern(full: FullZone) -> UUID:
    unit, now = full.office.units["A"], clock.now()
    facts = {"list": ledger.ListKind.PROBLEM, "area": "工程建设", "items": [], "relapses": 3, "months": 6}
    instants = dict.fromkeys(("first_at", "last_at", "proposed_at"), now)
    made = await RelapsePattern.create(
        id=new_id(), zone_id=full.office.zone.id, unit=unit, unit_path=unit.path, **facts, **instants
    )
    return UUID(str(made.id))


async def _people(full: FullZone, signer: Signer) -> None:
    office, zone_id = full.office, full.office.zone.id
    everybody, keeper, owner = await office.scope(EVERYBODY), await office.scope(KEEPER), office.people["owner A"]
    today = clock.today()
    absent = await organization.delegate(
        by=everybody, delegate_id=owner, from_on=today, until_on=today + timedelta(days=7)
    )
    full.add("delegation_id", absent.id)
    full.add("person_id", owner)
    person = await Person.get(id=owner)
    proposed = await UnbindingProposal.create(zone_id=zone_id, person=person, proposed_at=clock.now())
    full.add("proposal_id", proposed.id)
    login = f"yusuo-{zone_id.hex[-8:]}"
    made = await accounts.create_account(
        office.people["other oversight"], login, by=Scope.system(zone_id), signer=signer
    )
    full.add("account_id", made.account.id)
    token, _ = await accounts.create_service_token("国资平台", {*Feed}, 30, by=keeper)
    full.add("token_id", token.id)
    await reminders.remind(
        zone_id, office.people[EVERYBODY], ReminderKind.INFORMED, subject=("zone", zone_id), summary="试", key="try"
    )
    full.add("reminder_id", *[row.id for row in await reminders.Reminder.filter(zone_id=zone_id)])
    full.add("feedback_id", (await feedback.submit("少发消息", kind=FeedbackKind.SUGGESTION, by=everybody)).id)
    full.add("request_id", (await personal_data.ask_deletion(by=await office.scope("owner A"))).id)
    now = clock.now()
    stuck = Promise(
        zone_id=zone_id, job="x.y", payload={}, state=PromiseState.QUARANTINED, due_at=now, next_at=now, made_at=now
    )
    await stuck.save()
    full.add("promise_id", stuck.id)


async def rows_of(zone_id: UUID) -> dict[str, str]:
    """Every row of the zone, by table; but for sessions, which note when they were last used."""
    tables = await database.fetch(
        "select table_name from information_schema.columns where column_name = 'zone_id' and table_schema = 'public'"
        " and table_name <> 'console_session'"
    )
    return {
        table["table_name"]: str(
            await database.fetch(
                f"select count(*), md5(string_agg(t::text, '|' order by t::text)) from {table['table_name']} t"
                " where zone_id = $1",
                zone_id,
            )
        )
        for table in tables
    }
