"""A small zone with closed items and inspectors, for the tests of the look-backs."""

import secrets
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from models import evidence, ledger, lookbacks, organization
from models.base import clock
from models.base.audit import AuditRow
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.ledger import Item, ListKind, Matter
from models.lookbacks import LookbackPlan, PlanFacts, Population, Verdict, Visit, VisitFacts, VisitRecord
from models.organization import Appointment, Person, Post, PostRank, RoleGrant, Unit, UnitKind, Zone

REQUIREMENT = "清理占道堆物；恢复围挡\n公示责任人"


@dataclass
class Office:
    """Who is who: two departments with an owner and a leader each, oversight, three inspectors (one of them in A)."""

    zone: Zone
    people: dict[str, UUID] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    campaign: UUID | None = None
    made: int = 0

    async def scope(self, name: str) -> Scope:
        return await organization.scope_of(self.people[name])

    async def appoint(self, name: str, unit: str, rank: PostRank, *roles: tuple[Role, str]) -> None:
        number = len(self.people) + 1
        person = await Person.create(
            zone_id=self.zone.id, staff_no=f"S{number:03}", name=name, phone=f"199{secrets.randbelow(10**8):08}"
        )
        self.people[name] = person.id
        post = await Post.create(zone_id=self.zone.id, unit=self.units[unit], title=name, rank=rank)
        await Appointment.create(zone_id=self.zone.id, person=person, post=post, from_on=date(2020, 1, 1))
        for role, where in roles:
            await RoleGrant.create(zone_id=self.zone.id, person=person, role=role, unit=self.units[where])

    async def unit(self, name: str, kind: UnitKind, parent: str | None = None) -> None:
        above = self.units.get(parent or "")
        path = f"{above.path if above else '/'}{name}/"
        self.units[name] = await Unit.create(
            zone_id=self.zone.id, code=name, name=name, kind=kind, parent=above, path=path
        )

    async def closed_item(self, unit: str = "A", *, kind: ListKind = ListKind.PROBLEM) -> Item:
        """One item of the unit's owner, issued, proved in words, reviewed by two others, closed."""
        self.made += 1
        oversight = await self.scope("oversight")
        drafted = await ledger.draft(
            Matter(
                list=kind,
                title=f"第{self.made}件事项",
                requirement=REQUIREMENT,
                classification="internal",
                area="工程建设",
                owner_id=self.people[f"owner {unit}"],
                unit_id=self.units[unit].id,
                due_days=10,
            ),
            campaign_id=await self._campaign(oversight),
            by=oversight,
        )
        await ledger.issue(drafted.id, by=oversight, although_similar=True)
        await self.close(drafted.id, unit)
        return await Item.get(id=drafted.id)

    async def close(self, item_id: UUID, unit: str) -> None:
        item_id = UUID(str(item_id))  # a database driver's own subclass is no JSON
        oversight, owner = await self.scope("oversight"), await self.scope(f"owner {unit}")
        await ledger.receive(item_id, by=owner)
        words = evidence.Submission(client_id=new_id(), kind=evidence.Kind.TEXT, item_id=item_id, text="已办结。")
        await evidence.attach(words, by=owner)
        await ledger.request_close_out(item_id, by=owner)
        await ledger.unit_review(item_id, by=await self.scope(f"leader {unit}"), passed=True)
        await ledger.oversight_review(item_id, by=oversight, passed=True)

    async def _campaign(self, oversight: Scope) -> UUID:
        if self.campaign is None:
            self.campaign = (await ledger.create_campaign(by=oversight, name="年度监督台账")).id
        return self.campaign


async def furnish(zone: Zone) -> Office:
    """The office of a fresh zone."""
    office = Office(zone)
    await office.unit("root", UnitKind.WORK_COMMITTEE)
    await office.unit("discipline", UnitKind.DISCIPLINE_COMMITTEE, "root")
    for unit in ("A", "B"):
        await office.unit(unit, UnitKind.DEPARTMENT, "root")
        await office.appoint(f"owner {unit}", unit, PostRank.MEMBER, (Role.CADRE, unit))
        await office.appoint(f"leader {unit}", unit, PostRank.PRINCIPAL, (Role.UNIT_LEADER, unit))
    await office.appoint("oversight", "discipline", PostRank.PRINCIPAL, (Role.OVERSIGHT, "root"))
    for name, unit in (("inspector 1", "discipline"), ("inspector 2", "discipline"), ("inspector A", "A")):
        await office.appoint(name, unit, PostRank.MEMBER, (Role.INSPECTOR, "root"))
    await office.appoint("other oversight", "B", PostRank.MEMBER, (Role.OVERSIGHT, "B"))
    return office


def says(verdict: Verdict = Verdict.EFFECTIVE, **facts: Any) -> VisitFacts:
    return VisitFacts(**{"verdict": verdict, "seen": "现场整洁。", "visited_at": clock.now(), **facts})


async def planned(office: Office, **facts: Any) -> LookbackPlan:
    said = {"name": "半年回头看", "population": Population(), "percent": 100, **facts}
    return await lookbacks.plan(PlanFacts(**said), by=await office.scope("oversight"))


async def drawn(office: Office, **facts: Any) -> list[Visit]:
    plan = await planned(office, **facts)
    await lookbacks.draw_visits(plan.id, by=await office.scope("oversight"), seed="7")
    return await Visit.filter(plan_id=plan.id).order_by("id")


async def scope_of(office: Office, person_id: UUID | None) -> Scope:
    return await office.scope(next(name for name, known in office.people.items() if known == person_id))


async def recorded(office: Office, visit: Visit, facts: VisitFacts, **said: Any) -> VisitRecord:
    by = await scope_of(office, visit.inspector_id)
    return await lookbacks.record_visit(visit.id, facts, by=by, **{"client_id": new_id(), **said})


async def acts(subject_id: UUID) -> list[str]:
    return await AuditRow.filter(subject_id=subject_id).order_by("id").values_list("action", flat=True)  # type: ignore[return-value]
