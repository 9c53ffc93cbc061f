"""A workbook of items into drafts of a campaign: all rows or none, and again without effect."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from models import escalations
from models.base import audit, clock
from models.base.database import atomic, locked
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.base.spreadsheets import Faults, read_sheets
from models.escalations import POLICY_SHEET, PolicyForm
from models.ledger.drafts import campaign_of, default_policies, policy_codes
from models.ledger.similar import open_items, resembling
from models.ledger.tables import Campaign, Item, State
from models.ledger.workbook.rows import FORM, SHEET, ItemRow, read_row
from models.organization import Appointment, Person, Unit

ANY_LENGTH = 1 << 20
CHANGEABLE = (
    *("requirement", "basis", "area", "classification", "due_on", "due_days", "immediate_fix", "urgent"),
    *("policy_codes", "unit_path"),
)
Key = tuple[str, str, UUID, UUID, int]


@dataclass(frozen=True)
class SimilarRow:
    """A warning: the row resembles another matter of the same owner; `number` is None where that is not issued yet."""

    row: int
    title: str
    other: str
    number: str | None
    percent: int


@dataclass
class Imported:
    """What the import did, or with `dry_run` would do. `settled` rows were issued before: they stay as they are."""

    dry_run: bool
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    settled: int = 0
    similar: list[SimilarRow] = field(default_factory=list)


@dataclass(frozen=True)
class _Content:
    """What stands in the workbook; `codes` are those written in 「策略」, also in rows with a fault."""

    rows: list[ItemRow]
    policies: list[PolicyForm]
    codes: list[str]


async def import_items(data: bytes, *, campaign_id: UUID, by: Scope, dry_run: bool = False) -> Imported:
    """Read the sheet 「事项」 into drafts of the campaign, and 「策略」 into the zone's policies.

    A row is the draft of the same list, title, owner and unit (the n-th such row the n-th such draft), so the same file
    again changes nothing. Raises Forbidden, NotFound, TooLarge, Invalid with every bad cell of both sheets.
    """
    campaign = await campaign_of(campaign_id, by=by)
    faults = Faults()
    content = await asyncio.to_thread(_read, data, faults, clock.today())
    await _resolve(content, campaign, by)
    faults.refuse("工作簿有误，没有导入。请按所列各处更正后再导入。")
    return await _store(content, campaign_id, by, dry_run, hashlib.sha256(data).hexdigest())


def _read(data: bytes, faults: Faults, today: date) -> _Content:
    sheets = read_sheets(data, FORM, POLICY_SHEET, faults=faults)
    rows = [row for cells in sheets[SHEET] if (row := read_row(cells, today))]
    written = (cells.text("策略编码", longest=ANY_LENGTH, required=False) for cells in sheets[POLICY_SHEET.name])
    codes = list(dict.fromkeys(code for code in written if code))
    return _Content(rows, escalations.read_policies(sheets[POLICY_SHEET.name], faults), codes)


async def _resolve(content: _Content, campaign: Campaign, by: Scope) -> None:
    """Owners, units and policies of the rows, or a fault at the place that names what is not there."""
    people, units, places = await _roster(content.rows, by.zone_id)
    known = {*content.codes, *await policy_codes(by.zone_id)}
    for row in content.rows:
        owner, unit = people.get(row.staff_no), units.get(row.unit_code)
        if owner is None:
            row.cells.fault("责任人编号", "unknown_person", "名册中没有这个人员编号。")
        if unit is None or not by.may(Role.OVERSIGHT, path=unit.path):
            row.cells.fault("责任单位编码", "unknown_unit", "名册中没有这个单位编码。")
        elif owner and (owner, unit.id) not in places:
            row.cells.fault("责任人编号", "owner_not_in_unit", "责任人在责任单位没有任职，请核对。")
        if unknown := [code for code in row.codes if code not in known]:
            row.cells.fault("策略编码", "unknown_policy", f"没有编码为{'、'.join(unknown)}的预警策略。")
        if owner and unit:
            row.facts |= {"owner_id": owner, "unit_id": unit.id, "unit_path": unit.path}
            row.facts["policy_codes"] = row.codes or default_policies(campaign, row.facts["list"]) or content.codes


async def _roster(
    rows: list[ItemRow], zone_id: UUID
) -> tuple[dict[str, UUID], dict[str, Unit], set[tuple[UUID, UUID]]]:
    """Persons and units by code, and who holds an appointment where today; three statements."""
    staff_nos, codes = {row.staff_no for row in rows}, {row.unit_code for row in rows}
    people = Person.filter(zone_id=zone_id, staff_no__in=staff_nos, active=True)
    owners = dict(await people.values_list("staff_no", "id"))
    units = {unit.code: unit for unit in await Unit.filter(zone_id=zone_id, code__in=codes, active=True)}
    in_force = Q(Q(until_on__isnull=True), Q(until_on__gte=clock.today()), join_type=Q.OR)
    held = Appointment.filter(in_force, zone_id=zone_id, person_id__in=list(owners.values()))
    return owners, units, set(await held.values_list("person_id", "post__unit_id"))


@atomic()
async def _store(content: _Content, campaign_id: UUID, by: Scope, dry_run: bool, digest: str) -> Imported:
    await locked(Campaign.filter(zone_id=by.zone_id), campaign_id)  # two imports at once would draft twice
    there = _keyed(await Item.filter(zone_id=by.zone_id, campaign_id=campaign_id).order_by("id"))
    outcome, fresh, changed = Imported(dry_run), list[Item](), list[Item]()
    items = [Item(id=new_id(), zone_id=by.zone_id, campaign_id=campaign_id, **row.facts) for row in content.rows]
    for key, item in _keyed(items).items():
        _sort(item, there.get(key), outcome, fresh, changed)
    outcome.similar = await _similar(content.rows, items, fresh, by.zone_id)
    if not dry_run:
        for policy in content.policies:
            await escalations.put_policy(policy, by=by)
        await _write(fresh, changed)
        counts = {"created": len(fresh), "updated": len(changed), "workbook_sha256": digest}
        await audit.record(by, "campaign.imported", ("campaign", campaign_id), **counts)
    return outcome


def _keyed(items: Iterable[Item]) -> dict[Key, Item]:
    nth: Counter[tuple[str, str, UUID, UUID]] = Counter()
    keyed: dict[Key, Item] = {}
    for item in items:
        name = (item.list.value, item.title, item.owner_id, item.unit_id)
        keyed[(*name, nth[name])] = item
        nth[name] += 1
    return keyed


def _sort(item: Item, there: Item | None, outcome: Imported, fresh: list[Item], changed: list[Item]) -> None:
    if there is None:
        outcome.created += 1
        fresh.append(item)
    elif there.state is not State.DRAFT:
        outcome.settled += 1
    elif all(getattr(there, name) == getattr(item, name) for name in CHANGEABLE):
        outcome.unchanged += 1
    else:
        outcome.updated += 1
        there.update_from_dict({name: getattr(item, name) for name in CHANGEABLE})
        there.version += 1
        changed.append(there)


async def _write(fresh: list[Item], changed: list[Item]) -> None:
    for item in fresh:
        item.drafted_at = clock.now()
    await Item.bulk_create(fresh, batch_size=500)
    for item in changed:
        await item.save(update_fields=[*CHANGEABLE, "version"])


async def _similar(rows: list[ItemRow], items: list[Item], fresh: list[Item], zone_id: UUID) -> list[SimilarRow]:
    """Warnings for new rows: against open items of the owner, and rows that stand earlier in the file."""
    known = await open_items(zone_id, {item.owner_id for item in fresh})
    new = {item.id for item in fresh}
    warnings: list[SimilarRow] = []
    for row, item in zip(rows, items, strict=True):
        if item.id in new:
            for like in resembling(item, known[item.owner_id])[:1]:
                number: Any = like.number
                warnings.append(SimilarRow(row.cells.row, item.title, like.title, number, like.percent))
        known[item.owner_id].append(item)
    return warnings[:1000]
