"""反复反弹: where one unit's matters of one kind relapse again and again, a campaign is proposed to oversight, once.

Nobody is told on a phone; the proposal waits on the console. What was decided is not proposed again: only as many
relapses more, found after the decision, make another proposal.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tortoise.queryset import QuerySet

from models import ledger, organization
from models.base import audit, clock, database, outbox
from models.base.database import atomic, locked
from models.base.errors import Conflict, Fault, Invalid
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.ledger import Classification, Item, Matter
from models.lookbacks.tables import PatternState, RelapsePattern
from models.organization import Unit

RELAPSED = outbox.job("lookbacks.relapsed")
MOST_RELAPSES = 200
MOST_NAMED = 12
"""Items that one draft names: each takes up to 130 of the 2,000 characters of a requirement."""
CAUSE_DAYS = 20

RELAPSES = """
select c.item_id, c.opened_at from cycle c join item i on i.zone_id = $1 and i.id = c.item_id
where c.zone_id = $1 and c.opening = 'relapse' and c.opened_at >= $2 and i.unit_id = $3 and i.list = $4 and i.area = $5
order by c.opened_at limit $6
"""
HOLDERS = """
select distinct a.person_id, post.rank from appointment a
join post on post.zone_id = $1 and post.id = a.post_id and post.unit_id = $2
join person p on p.zone_id = $1 and p.id = a.person_id and p.active
where a.zone_id = $1 and a.from_on <= $3 and coalesce(a.until_on, $3) >= $3 order by post.rank, a.person_id
"""


async def relapsed(item: Item) -> None:
    """A look-back has found that the item relapsed: what follows from that is looked at after the transaction."""
    await outbox.promise(item.zone_id, RELAPSED, key=f"relapsed:{item.id}:{item.cycle}", item=str(item.id))


@atomic()
async def look_for_pattern(zone_id: UUID, item_id: UUID) -> None:
    """Propose, or add to what is proposed, where the item's unit and kind relapsed as often as the zone has set."""
    item = await Item.get(zone_id=zone_id, id=item_id)
    unit = await locked(Unit.filter(zone_id=zone_id), item.unit_id)  # of two relapses at once, one sees both
    kind: dict[str, Any] = {"zone_id": zone_id, "unit_id": unit.id, "list": item.list, "area": item.area}
    settings = await organization.settings_of(zone_id)
    decided = await RelapsePattern.filter(**kind, decided_at__isnull=False).order_by("-decided_at").first()
    since = clock.at(months_before(clock.today(), settings.pattern_months))
    if decided is not None and decided.decided_at is not None:
        since = max(since, decided.decided_at)
    rows = await database.fetch(RELAPSES, zone_id, since, unit.id, item.list.value, item.area, MOST_RELAPSES)
    if len(rows) >= settings.pattern_relapses:
        found = _found(rows) | {"months": settings.pattern_months}
        proposed = await RelapsePattern.get_or_none(**kind, state=PatternState.PROPOSED)
        await _propose(kind | {"unit_path": unit.path}, found, proposed)


def _found(rows: list[dict[str, Any]]) -> dict[str, Any]:
    items = list(dict.fromkeys(str(row["item_id"]) for row in rows))
    instants: list[datetime] = [row["opened_at"] for row in rows]
    return {"items": items, "relapses": len(rows), "first_at": instants[0], "last_at": instants[-1]}


async def _propose(kind: dict[str, Any], found: dict[str, Any], proposed: RelapsePattern | None) -> None:
    if proposed is not None:
        await proposed.update_from_dict(found).save(update_fields=[*found])
        return
    made = await RelapsePattern.create(id=new_id(), proposed_at=clock.now(), **kind, **found)
    by = Scope.system(made.zone_id)
    await audit.record(by, "relapse_pattern.proposed", ("relapse_pattern", made.id), relapses=made.relapses)


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the 28th where that month is too short."""
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return day.replace(year=years, month=month + 1, day=min(day.day, 28))


async def patterns(
    *, by: Scope, state: PatternState | None = None, after: UUID | None = None, limit: int = 50
) -> list[RelapsePattern]:
    """Proposals within the caller's oversight with their units, newest first, after `after`."""
    mine = _overseen(by).filter(state=state) if state else _overseen(by)
    return await (mine.filter(id__lt=after) if after else mine).order_by("-id").limit(limit).select_related("unit")


@atomic()
async def accept_pattern(pattern_id: UUID, name: str, *, by: Scope) -> RelapsePattern:
    """Make a campaign `name` of it, with a draft for each owner of what relapsed: nothing is issued yet.

    An owner who has left the unit is replaced by who leads it. The same again answers what was made. Raises NotFound,
    Conflict (`already_decided`, `campaign_exists`).
    """
    pattern = await _to_decide(pattern_id, by, PatternState.ACCEPTED)
    if pattern.state is PatternState.ACCEPTED:
        return pattern
    purpose = f"{pattern.unit.name}的同类事项在{pattern.months}个月内反弹{pattern.relapses}次，查清原因，防止再次反弹。"
    campaign = await ledger.create_campaign(by=by, name=name, purpose=purpose)
    for owner, items in (await _by_owner(pattern)).items():
        await ledger.draft(_matter(pattern, owner, items), campaign_id=campaign.id, by=by)
    pattern.campaign_id = campaign.id
    return await _decide(pattern, PatternState.ACCEPTED, by)


@atomic()
async def dismiss_pattern(pattern_id: UUID, reason: str, *, by: Scope) -> RelapsePattern:
    """It will not be a campaign, and why. Raises NotFound, Invalid (`required`), Conflict (`already_decided`)."""
    pattern = await _to_decide(pattern_id, by, PatternState.DISMISSED)
    if pattern.state is PatternState.DISMISSED:
        return pattern
    if not reason.strip():
        fault = Fault("/reason", "required", "不列入专项时，请说明理由。")
        raise Invalid("required", fault.detail, faults=(fault,))
    return await _decide(pattern, PatternState.DISMISSED, by, reason.strip())


async def _to_decide(pattern_id: UUID, by: Scope, wanted: PatternState) -> RelapsePattern:
    pattern = await locked(_overseen(by), pattern_id)
    if pattern.state not in (PatternState.PROPOSED, wanted):
        raise Conflict("already_decided", f"这条建议已经处理过：{pattern.state.label}。")
    await pattern.fetch_related("unit")
    return pattern


async def _decide(pattern: RelapsePattern, state: PatternState, by: Scope, reason: str = "") -> RelapsePattern:
    pattern.state, pattern.reason = state, reason
    pattern.decided_by, pattern.decided_at = by.actor, clock.now()
    await pattern.save(update_fields=["state", "reason", "decided_by", "decided_at", "campaign_id"])
    await audit.record(by, f"relapse_pattern.{state}", ("relapse_pattern", pattern.id))
    return pattern


async def _by_owner(pattern: RelapsePattern) -> dict[UUID, list[Item]]:
    """What relapsed, by who is to look for the cause: its owner, or who leads the unit; none where it has nobody."""
    rows = await database.fetch(HOLDERS, pattern.zone_id, pattern.unit_id, clock.today())
    holders = {row["person_id"]: row["rank"] for row in rows}
    leader = min(holders, key=lambda person: _RANKS[holders[person]], default=None)
    owners: dict[UUID, list[Item]] = {}
    for item in await Item.filter(zone_id=pattern.zone_id, id__in=pattern.items).order_by("number"):
        owner = item.owner_id if item.owner_id in holders else leader
        if owner is not None:
            owners.setdefault(owner, []).append(item)
    return owners


_RANKS = {"principal": 0, "deputy": 1, "member": 2}


def _matter(pattern: RelapsePattern, owner: UUID, items: list[Item]) -> Matter:
    kind = pattern.area or f"{pattern.list.label}清单"
    lines = [f"查清{item.number}「{item.title}」反弹的原因" for item in items[:MOST_NAMED]]
    return Matter(
        list=pattern.list,
        title=f"查找「{kind}」事项反复反弹的原因",
        requirement="\n".join([*lines, "提出并落实防止再次反弹的措施"]),
        basis=f"{clock.local(pattern.first_at).date()}至{clock.local(pattern.last_at).date()}反弹{pattern.relapses}次",
        area=pattern.area,
        classification=_highest(items),
        owner_id=owner,
        unit_id=pattern.unit_id,
        due_days=CAUSE_DAYS,
    )


def _highest(items: Iterable[Item]) -> Classification:
    internal = any(item.classification is Classification.INTERNAL for item in items)
    return Classification.INTERNAL if internal else Classification.PUBLIC


def _overseen(by: Scope) -> "QuerySet[RelapsePattern]":
    return RelapsePattern.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)
