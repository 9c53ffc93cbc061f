"""Every list of phones and of the console says as much to the database for many rows as for a few."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from pydantic import BaseModel

from api.app import collect
from api.wire import Route
from models import (
    accounts,
    deliveries,
    escalations,
    evidence,
    feedback,
    ledger,
    lookbacks,
    organization,
    packs,
    personal_data,
)
from models.accounts import Feed, Signer
from models.base import alarms, calendar, clock
from models.base.alarms import AlarmKind
from models.base.ids import new_id
from models.base.outbox import Promise, PromiseState
from models.base.scope import Grant, Role, Scope
from models.deliveries import Channel, Delivery
from models.escalations import Action, Draft
from models.feedback import FeedbackKind
from models.ledger import Item
from models.lookbacks import Every, LookbackPlan, PlanFacts, Population, RelapsePattern, SeriesFacts, Visit
from models.months import FIGURES, MonthFigure, MonthRestatement
from models.organization import Appointment, Person, Post, PostRank, UnbindingProposal, Unit, UnitKind, Zone
from models.packs import PackSubject
from tests.counting import statements
from tests.office import SINCE, Office, open_office

pytestmark = pytest.mark.usefixtures("database")


def is_list(route: Route) -> bool:
    return (
        route.method == "GET"
        and route.audience in {"mini", "console"}
        and isinstance(route.reply, type)
        and issubclass(route.reply, BaseModel)
        and "items" in route.reply.model_fields
        and route.reply.model_fields["items"].annotation is not int  # a preview counts items
    )


LISTS = {route.name: route for route in collect() if is_list(route)}


class FullZone:
    """A zone in which `grow` makes one more of everything that some list shows."""

    def __init__(self, office: Office) -> None:
        self.office, self.grown = office, 0
        everything = tuple(Grant(role, "/") for role in Role)
        self.boss = replace(office.overseer, grants=everything)
        self.signer = Signer("s" * 32)

    async def begin(self) -> None:
        self.item: Item = await self.office.received()
        facts = PlanFacts(name="半年回头看", population=Population(), percent=100)
        self.plan: LookbackPlan = await lookbacks.plan(facts, by=self.boss)

    async def grow(self) -> None:
        self.grown += 1
        person = await self._newcomer()
        await self._of_the_ledger()
        await self._of_the_organization(person)
        await lookbacks.declare_recusal(self.office.people["inspector"].id, person.id, by=self.boss)
        await self._of_the_office(person)
        await Delivery.filter(zone_id=self.office.zone.id).update(state="sent")

    async def _of_the_ledger(self) -> None:
        office, owner = self.office, self.office.owner
        await office.issued(title=f"清理河道堆物第{self.grown}次", requirement="清理河道堆物")
        await office.requested()
        await ledger.report(self.item.id, by=owner, text=f"第{self.grown}次进展")
        words = evidence.Submission(
            client_id=new_id(), kind=evidence.Kind.TEXT, item_id=self.item.id, text=f"第{self.grown}份说明"
        )
        await evidence.attach(words, by=owner)
        await ledger.create_campaign(by=self.boss, name=f"第{self.grown}本台账")
        closed = await office.closed()
        await Visit.create(
            zone_id=office.zone.id,
            plan_id=self.plan.id,
            item_id=closed.id,
            cycle=1,
            unit_path=closed.unit_path,
            inspector_id=office.people["inspector"].id,
            due_on=clock.today(),
        )
        await self._of_the_lookbacks()
        await lookbacks.issue_site_code(office.units["cz"].id, f"{self.grown}号站", by=self.boss)
        await self._of_the_months(closed)

    async def _of_the_lookbacks(self) -> None:
        name, everything = f"第{self.grown}次", Population(rested_days=90)
        await lookbacks.plan(PlanFacts(name=name, population=everything, count=1), by=self.boss)
        await lookbacks.save_population(name, everything, by=self.boss)
        series = SeriesFacts(name=name, population=everything, count=1, every=Every.MONTH)
        await lookbacks.begin_series(series, by=self.boss)

    async def _of_the_months(self, closed: Item) -> None:
        now, unit = clock.now(), {"unit_id": closed.unit_id, "unit_path": closed.unit_path}
        instants = dict.fromkeys(("first_at", "last_at", "proposed_at"), now)
        facts = {"list": closed.list, "area": f"领域{self.grown}", "items": [], "relapses": 3, "months": 6}
        await RelapsePattern.create(id=new_id(), zone_id=closed.zone_id, **unit, **facts, **instants)
        month = date(2026, 1, 1)
        path = f"/kfq/cz/{self.grown}/"
        new = await Unit.create(
            zone_id=closed.zone_id, code=f"m{self.grown}", name="单位", kind=UnitKind.DEPARTMENT, path=path
        )
        of_new = {"zone_id": closed.zone_id, "month": month, "unit_id": new.id, "unit_path": path}
        await MonthFigure.create(id=new_id(), frozen_at=now, **of_new, **dict.fromkeys(FIGURES, 1))
        restated = {"figure": "relapsed", "was": 1, "became": 2, "why": "回头看发现反弹。", "stated_at": now}
        await MonthRestatement.create(id=new_id(), **of_new, **restated)

    async def _newcomer(self) -> Person:
        office, number = self.office, self.grown
        path = f"/kfq/n{number}/"
        unit = await Unit.create(
            zone_id=office.zone.id, code=f"n{number}", name=f"新单位{number}", kind=UnitKind.DEPARTMENT, path=path
        )
        person = await Person.create(zone_id=office.zone.id, staff_no=f"N{number:03}", name=f"新人{number}")
        for where in (unit, office.units["cz"]):
            post = await Post.create(zone_id=office.zone.id, unit=where, title=f"科员{number}", rank=PostRank.MEMBER)
            await Appointment.create(zone_id=office.zone.id, person=person, post=post, from_on=SINCE)
        return person

    async def _of_the_organization(self, person: Person) -> None:
        day = clock.today() + timedelta(days=10 * self.grown)
        colleague = self.office.people["colleague"].id
        await organization.delegate(by=self.office.owner, delegate_id=colleague, from_on=day, until_on=day)
        await UnbindingProposal.create(zone_id=self.office.zone.id, person=person, proposed_at=clock.now())
        year = 2030 + self.grown
        holidays = [date(year, 10, 1)]
        await calendar.import_notice(by=self.boss, year=year, holidays=holidays, workdays=[], source="国办发明电")
        await accounts.create_account(person.id, f"login-{self.grown}", by=self.boss, signer=self.signer)
        await accounts.create_service_token(f"平台{self.grown}", {Feed.MONITORS}, 30, by=self.boss)

    async def _of_the_office(self, person: Person) -> None:
        step = {"condition": "days_to_due", "amount": 5, "level": 1, "tell": ["owner"], "action": "remind"}
        form = escalations.policy_form(f"policy_{self.grown}", f"策略{self.grown}", [step])
        await escalations.put_policy(form, by=self.boss, expected=0)
        await Draft.create(
            zone_id=self.office.zone.id,
            item_id=self.item.id,
            cycle=1,
            timer_id=new_id(),
            action=Action.INTERVIEW,
            addressee_id=self.office.people["owner"].id,
            level=4,
            reason="已逾期5个工作日",
            drafted_at=clock.now(),
        )
        await self._of_operations()
        await packs.ask(PackSubject.ITEM, (await self.office.issued()).id, by=self.boss)
        await feedback.submit(f"第{self.grown}条建议", kind=FeedbackKind.SUGGESTION, by=self.office.owner)
        await personal_data.ask_deletion(by=Scope(person.zone_id, f"person:{person.id}", person_id=person.id))

    async def _of_operations(self) -> None:
        zone_id, now = self.office.zone.id, clock.now()
        await deliveries.pause([*Channel][self.grown], "维护", by=self.boss)
        wrong = {f"job.{number}": "1项到期未办" for number in range(self.grown)}
        await alarms.settle(zone_id, AlarmKind.PROMISES_LATE, wrong)
        moments = {"due_at": now, "next_at": now, "made_at": now}
        await Promise.create(zone_id=zone_id, job="x.y", payload={}, state=PromiseState.QUARANTINED, **moments)

    def asked(self, route: Route) -> dict[str, Any]:
        """Who asks for the list, and for which one."""
        owner, inspector = self.office.people["owner"].id, self.office.inspector
        of_item = {"item_id": self.item.id}
        mini = {"mini.ledger.to_review": self.office.leader, "mini.lookbacks.mine": inspector}
        queries: dict[str, dict[str, Any]] = {
            "mini.evidence.page": of_item,
            "console.evidence.page": of_item,
            "console.items.similar": {"owner_id": owner, "title": "清理河道堆物", "requirement": "清理河道堆物"},
        }
        by = mini.get(route.name, self.office.owner) if route.audience == "mini" else self.boss
        given: dict[str, Any] = {"scope": by, "item_id": self.item.id, "plan_id": self.plan.id}
        if route.query:
            given["query"] = route.query(**queries.get(route.name, {}))
        return {name: value for name, value in given.items() if name in route.wants}


async def read(route: Route, zone: FullZone) -> tuple[int, int]:
    """How many rows the list showed, and in how many statements."""
    with statements() as heard:
        reply = await route.handler(**zone.asked(route))
    shown = orjson.loads(reply)["items"] if isinstance(reply, bytes) else reply.items
    return len(shown), len(heard)


async def test_no_list_asks_once_more_for_every_row(zone: Zone) -> None:
    full = FullZone(await open_office(zone))
    await full.begin()
    await full.grow()
    few = {name: await read(route, full) for name, route in LISTS.items()}
    for _ in range(3):
        await full.grow()
    many = {name: await read(route, full) for name, route in LISTS.items()}
    not_longer = [name for name in LISTS if not 0 < few[name][0] < many[name][0]]
    assert not_longer == [], "a list that did not grow proves nothing"
    assert [name for name in LISTS if few[name][1] == 0] == [], "a list whose statements were not heard proves nothing"
    dearer = {name: (few[name], many[name]) for name in LISTS if many[name][1] > few[name][1]}
    assert dearer == {}


def test_every_list_has_a_bound() -> None:
    """A list's form has a limit of at most 100, or its rule's own bound is said where it is read."""
    bounded = {name for name, route in LISTS.items() if route.query and "limit" in route.query.model_fields}
    assert {*LISTS} - bounded == BOUNDED_BY_THEIR_RULE


BOUNDED_BY_THEIR_RULE = {
    "console.deliveries.pauses",
    "console.escalations.policies",
    "console.items.similar",
    "console.organization.notices",
    "console.organization.units",
    "mini.handbook.mine",
    "mini.organization.colleagues",
    "mini.organization.delegations",
}
