"""交办: drafts become items with a number, a chain, a deadline; the owner is asked to receive them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from models import organization
from models.base import audit, clock
from models.base.calendar import calendar_of
from models.base.database import atomic
from models.base.errors import Conflict
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.ledger import telling
from models.ledger.deadlines import Deadline, set_deadline
from models.ledger.drafts import campaign_of
from models.ledger.numbers import take_numbers
from models.ledger.similar import Likeness, open_items, resembling
from models.ledger.steps import take
from models.ledger.tables import Cycle, Item, ListKind, Opening, State
from models.ledger.transitions import OF, Action
from models.reminders import ReminderKind

AT_ONCE = 50
"""Items issued in one transaction of a campaign: short locks, and little to do again after a crash."""


@dataclass
class Issued:
    """What `issue_campaign` did: numbers given, and drafts left as resembling an open item or as overdue already."""

    numbers: list[str] = field(default_factory=list)
    similar: list[Likeness] = field(default_factory=list)
    past_due: list[UUID] = field(default_factory=list)


@atomic()
async def issue(item_id: UUID, *, by: Scope, although_similar: bool = False) -> Item:
    """Issue one draft. Raises Conflict `similar_open_item`, listing what it resembles, unless `although_similar`."""
    step = await take(Action.ISSUE, item_id, by)
    if step.repeated:
        return step.item
    if not although_similar:
        _refuse_similar(resembling(step.item, (await open_items(by.zone_id, [step.item.owner_id]))[step.item.owner_id]))
    await _open_first_cycles([step.item], by)
    ((number, _),) = await _number([step.item])
    return await step.finish(number=number)


def _refuse_similar(alike: Sequence[Likeness]) -> None:
    if not alike:
        return
    names = "；".join(f"{like.number}「{like.title}」" for like in alike)
    others = [
        {"id": str(like.other_id), "number": like.number, "title": like.title, "percent": like.percent}
        for like in alike
    ]
    raise Conflict(
        "similar_open_item",
        f"同一责任人已有相近的未销号事项：{names}。如确需另行交办，请确认后再交办；草稿还在。",
        similar=others,
    )


async def issue_campaign(campaign_id: UUID, *, by: Scope, although_similar: bool = False) -> Issued:
    """Issue every draft of the campaign, 50 at a time; those resembling an open item stay drafts unless told otherwise.

    So do those whose due date has passed: one of them must not hold up the others. Repeating it goes on where it
    stopped. Raises Forbidden, NotFound.
    """
    await campaign_of(campaign_id, by=by)
    outcome, after = Issued(), UUID(int=0)
    while ids := await _drafts(campaign_id, by, after):
        some = await _issue_some(ids, by, although_similar)
        outcome.numbers += some.numbers
        outcome.similar += some.similar
        outcome.past_due += some.past_due
        after = ids[-1]
    return outcome


async def _drafts(campaign_id: UUID, by: Scope, after: UUID) -> list[UUID]:
    drafts = Item.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id, campaign_id=campaign_id)
    ids = drafts.filter(state=State.DRAFT, id__gt=after).order_by("id").limit(AT_ONCE).values_list("id", flat=True)
    return await ids  # type: ignore[return-value]


@atomic()
async def _issue_some(ids: list[UUID], by: Scope, although_similar: bool) -> Issued:
    drafts = Item.filter(zone_id=by.zone_id, id__in=ids, state=State.DRAFT)
    items = await drafts.order_by("id").select_for_update()
    some = Issued(past_due=[item.id for item in items if item.due_on and item.due_on < clock.today()])
    items = [item for item in items if item.id not in some.past_due]
    if not although_similar:
        some.similar = await _set_aside(by.zone_id, items)
    if items:
        await _open_first_cycles(items, by)
    for number, item in await _number(items):
        await _log(item, by, number)
        some.numbers.append(number)
    return some


async def _set_aside(zone_id: UUID, items: list[Item]) -> list[Likeness]:
    """Take out of `items` what resembles an open item of the owner, or one that stands before it in `items`."""
    known = await open_items(zone_id, {item.owner_id for item in items})
    similar: list[Likeness] = []
    for item in list(items):
        others = known[item.owner_id]
        if alike := resembling(item, others):
            similar += alike
            items.remove(item)
        else:
            others.append(item)
    return similar


async def _open_first_cycles(items: list[Item], by: Scope) -> None:
    """Chains, deadlines, cycles, then one reminder and the timers for each owner."""
    now, today, calendar = clock.now(), clock.today(), await calendar_of(by.zone_id)
    chains = await organization.chains_of(by.zone_id, [(item.owner_id, item.unit_id) for item in items], today)
    for item, chain in zip(items, chains, strict=True):
        item.chain, item.issued_at = chain.model_dump(mode="json"), now
        deadline = Deadline(days=item.due_days) if item.due_days else Deadline(on=item.due_on)
        set_deadline(item, deadline, today, calendar)
    await open_cycles(items, by)


async def issue_filed(item: Item, by: Scope) -> Item:
    """Issue what a rule has filled in itself, with a deadline in working days: stored, numbered, its owner asked."""
    await item.save(force_create=True)
    await _open_first_cycles([item], by)
    ((number, _),) = await _number([item])
    await _log(item, by, number)
    return item


async def open_cycles(
    items: list[Item], by: Scope, *, opening: Opening = Opening.ISSUE, reason: str = "", basis: str = ""
) -> None:
    """The next cycle of each, its reminder to receive and its timers."""
    now = clock.now()
    for item in items:
        item.cycle += 1
        item.state = State.ISSUED
    await Cycle.bulk_create(
        Cycle(
            id=new_id(),
            zone_id=item.zone_id,
            item_id=item.id,
            number=item.cycle,
            opening=opening,
            opened_at=now,
            reason=reason,
            basis=basis or item.basis,
            due_on=item.due_on,
            owner_id=item.owner_id,
        )
        for item in items
    )
    for item in items:
        await ask_to_receive(item)
        await telling.arm(by, item)


async def ask_to_receive(item: Item) -> None:
    """One reminder for the owner, or who stands in."""
    assert item.due_on is not None
    summary = f"请签收「{item.title}」，{telling.day(item.due_on)}前办结。签收后暂时不用做别的。"
    await telling.tell_owner(item, ReminderKind.TO_RECEIVE, summary, key="to_receive")


async def _number(items: list[Item]) -> list[tuple[str, Item]]:
    """Numbers come last of all locks, list by list in one order, so that two who issue at once wait, never block."""
    year = clock.today().year
    numbered: list[tuple[str, Item]] = []
    for kind in sorted(ListKind):
        listed = [item for item in items if item.list is kind]
        if listed:
            numbers = await take_numbers(listed[0].zone_id, kind, year, len(listed))
            numbered += zip(numbers, listed, strict=True)
    for number, item in numbered:
        item.number = number
    return numbered


async def _log(item: Item, by: Scope, number: str) -> None:
    item.version += 1
    await item.save()
    facts = {"cycle": item.cycle, "before": State.DRAFT.value, "after": item.state.value, "number": number}
    await audit.record(by, OF[Action.ISSUE].event, ("item", item.id), **facts)
