"""A small zone with somebody in every part that an item needs, and shortcuts through an item's life."""

import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from models import escalations, ledger, organization
from models.base import clock
from models.base.scope import Role, Scope
from models.ledger import Campaign, Item, ListKind, Matter
from models.organization import Appointment, Person, Post, PostRank, RoleGrant, Unit, UnitKind, Zone
from models.reminders import Reminder, ReminderKind

SINCE = date(2024, 1, 1)


@dataclass
class Office:
    """The zone's people by their part; `campaign` holds the items."""

    zone: Zone
    campaign: Campaign
    units: dict[str, Unit]
    people: dict[str, Person]
    scopes: dict[str, Scope] = field(default_factory=dict)
    drafted: int = 0

    def __getattr__(self, part: str) -> Scope:
        """`office.owner` is the scope of whoever has that part."""
        try:
            return self.scopes[part]
        except KeyError:
            raise AttributeError(part) from None

    def matter(self, **changed: Any) -> Matter:
        """A matter unlike any other, due in ten working days."""
        self.drafted += 1
        plain: dict[str, Any] = {
            "list": ListKind.TASK,
            "title": SUBJECTS[self.drafted % len(SUBJECTS)] + f"（第{self.drafted}批）",
            "requirement": SUBJECTS[(self.drafted * 7) % len(SUBJECTS)],
            "classification": "internal",
            "owner_id": self.people["owner"].id,
            "unit_id": self.units["cz"].id,
            "due_days": 10,
        }
        if "due_on" in changed:
            plain.pop("due_days")
        return Matter(**{**plain, **changed})

    async def draft(self, **changed: Any) -> Item:
        return await ledger.draft(self.matter(**changed), campaign_id=self.campaign.id, by=self.overseer)

    async def issued(self, **changed: Any) -> Item:
        item = await self.draft(**changed)
        return await ledger.issue(item.id, by=self.overseer, although_similar=True)

    async def received(self, **changed: Any) -> Item:
        return await ledger.receive((await self.issued(**changed)).id, by=self.owner)

    async def requested(self, **changed: Any) -> Item:
        item = await self.received(**changed)
        await ledger.count_evidence(item)
        return await ledger.request_close_out(item.id, by=self.owner)

    async def reviewed(self, **changed: Any) -> Item:
        item = await self.requested(**changed)
        return await ledger.unit_review(item.id, by=self.leader, passed=True)

    async def closed(self, **changed: Any) -> Item:
        item = await self.reviewed(**changed)
        return await ledger.oversight_review(item.id, by=self.overseer, passed=True)

    async def fire(self) -> int:
        """Fire all that is due; how many steps were."""
        fired = 0
        while late := await escalations.fire(self.zone.id):
            fired += len(late)
        return fired

    async def told(self, item: Item, *parts: str) -> dict[str, list[ReminderKind]]:
        """What each part (all of them unless named) has been told of the item, in order."""
        names = {person.id: part for part, person in self.people.items()}
        heard: dict[str, list[ReminderKind]] = {}
        for row in await Reminder.filter(subject_id=item.id).order_by("id"):
            if not parts or names[row.person_id] in parts:
                heard.setdefault(names[row.person_id], []).append(row.kind)
        return heard

    async def absent(self, part: str, stand_in: str) -> None:
        """`part` is away for a week from today; `stand_in` takes their matters."""
        until = clock.today() + timedelta(days=7)
        delegate: UUID = self.people[stand_in].id
        await organization.delegate(by=self.scopes[part], delegate_id=delegate, from_on=clock.today(), until_on=until)


SUBJECTS = (
    "完成长河路雨污分流工程款核对",
    "清理惠企政策兑现积压申请",
    "公示征地补偿发放明细",
    "盘点国有资产出租合同",
    "核查招标文件排斥条款",
    "整改窗口一次性告知不到位",
    "落实安全生产隐患闭环",
    "规范小额工程限额以下发包",
    "梳理执法自由裁量基准",
    "回访企业反映的用电堵点",
    "建立项目审批超时说明制度",
)
PARTS = {
    "owner": ("cz", PostRank.MEMBER, Role.CADRE, "cz"),
    "colleague": ("cz", PostRank.MEMBER, Role.CADRE, "cz"),
    "leader": ("cz", PostRank.PRINCIPAL, Role.UNIT_LEADER, "cz"),
    "upper": ("kfq", PostRank.PRINCIPAL, Role.UNIT_LEADER, "kfq"),
    "overseer": ("jw", PostRank.DEPUTY, Role.OVERSIGHT, "kfq"),
    "second_overseer": ("jw", PostRank.MEMBER, Role.OVERSIGHT, "kfq"),
    "inspector": ("jw", PostRank.MEMBER, Role.INSPECTOR, "kfq"),
    "stranger": ("rd", PostRank.MEMBER, Role.CADRE, "rd"),
}


async def open_office(zone: Zone) -> Office:
    """Units, people and roles of a small zone, and an empty campaign."""
    units = await _units(zone)
    people = {part: await _person(zone, units, number, part) for number, part in enumerate(PARTS)}
    scopes = {part: await organization.scope_of(person.id) for part, person in people.items()}
    campaign = await ledger.create_campaign(by=scopes["overseer"], name="2026年政治监督台账")
    return Office(zone, campaign, units, people, scopes)


async def _units(zone: Zone) -> dict[str, Unit]:
    root = await _unit(zone, "kfq", UnitKind.WORK_COMMITTEE, None)
    kinds = {"jw": UnitKind.DISCIPLINE_COMMITTEE, "cz": UnitKind.DEPARTMENT, "rd": UnitKind.DEPARTMENT}
    return {"kfq": root} | {code: await _unit(zone, code, kind, root) for code, kind in kinds.items()}


async def _unit(zone: Zone, code: str, kind: UnitKind, parent: Unit | None) -> Unit:
    path = f"{parent.path if parent else '/'}{code}/"
    return await Unit.create(zone_id=zone.id, code=code, name=f"单位{code}", kind=kind, parent=parent, path=path)


async def _person(zone: Zone, units: dict[str, Unit], number: int, part: str) -> Person:
    unit, rank, role, over = PARTS[part]
    person = await Person.create(
        zone_id=zone.id, staff_no=f"P{number:03d}", name=f"人员{number}", phone=f"139{secrets.randbelow(10**8):08}"
    )
    post = await Post.create(zone_id=zone.id, unit=units[unit], title=f"职务{number}", rank=rank)
    await Appointment.create(zone_id=zone.id, person=person, post=post, from_on=SINCE)
    await RoleGrant.create(zone_id=zone.id, person=person, role=role, unit=units[over])
    return person
