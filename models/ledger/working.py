"""The owner's steps: receive, report, ask for the close-out."""

from uuid import UUID

from models import escalations, reminders
from models.base import clock, database
from models.base.database import atomic, locked
from models.base.errors import Conflict
from models.base.scope import Scope
from models.escalations import Condition
from models.ledger import extensions, people, telling
from models.ledger.people import who
from models.ledger.steps import take
from models.ledger.tables import REVIEWED, RUNNING, Cycle, Item, State
from models.ledger.transitions import Action, Party
from models.reminders import ReminderKind

ENDED_BY_RECEIVING = frozenset({ReminderKind.TO_RECEIVE, ReminderKind.URGE, ReminderKind.ESCALATED})


@atomic()
async def receive(item_id: UUID, *, by: Scope, note: str | None = None) -> Item:
    """签收: the owner takes the item on. Ends the reminder to receive and the timers that wait for it."""
    step = await take(Action.RECEIVE, item_id, by, note=note)
    if step.repeated:
        return step.item
    await Cycle.filter(id=step.round.id).update(received_at=clock.now())
    await escalations.disarm(step.item.zone_id, item_id, {Condition.UNACKNOWLEDGED})
    await reminders.settle(step.item.zone_id, ("item", item_id), kinds=ENDED_BY_RECEIVING, acknowledged_by=who(by))
    return await step.finish(text=note)


@atomic()
async def report(item_id: UUID, *, by: Scope, text: str) -> Item:
    """反馈: the owner says how it is going. Nobody is told: whoever wants to know reads the timeline."""
    step = await take(Action.REPORT, item_id, by, text=text)
    return step.item if step.repeated else await step.finish(text=text)


@atomic()
async def request_close_out(item_id: UUID, *, by: Scope, note: str | None = None) -> Item:
    """申请销号: the owner holds it done; the unit leader reviews, or oversight at once for an immediate fix.

    Raises Conflict `evidence_missing` without any evidence in this cycle.
    """
    step = await take(Action.REQUEST_CLOSE_OUT, item_id, by, note=note)
    if step.repeated:
        return step.item
    cycle = step.round
    refuse_unproved(cycle)
    cycle.requested_at, cycle.requested_by, cycle.unit_reviewed_by = clock.now(), who(by), None
    await cycle.save(update_fields=["requested_at", "requested_by", "unit_reviewed_by"])
    await telling.stop(step.item)
    await extensions.lapse(step.item)
    item = await step.finish(text=note)
    await _ask_review(item, cycle)
    return item


def refuse_unproved(cycle: Cycle) -> None:
    """Raises Conflict `evidence_missing` where no evidence stands; any kind will do (domain.md §3)."""
    if cycle.evidence_count == 0:
        raise Conflict(
            "evidence_missing",
            "本轮还没有佐证材料。写一段文字说明，或登记纸质材料的名称和存放处就可以，照片不是必需的。",
        )


async def _ask_review(item: Item, cycle: Cycle) -> None:
    party = Party.UNIT_REVIEWER if item.state is State.UNIT_REVIEW else Party.OVERSIGHT
    name = "初审" if party is Party.UNIT_REVIEWER else "复核"
    key = f"{item.state.value}:{cycle.returned_times}"
    await telling.tell_reviewer(
        item,
        people.barred(party, item, cycle),
        party,
        ReminderKind.REVIEW_WAITING,
        f"「{item.title}」已申请销号，请{name}。",
        key=key,
    )


@atomic()
async def count_evidence(item: Item, change: int = 1) -> None:
    """So many more pieces of evidence stand in the item's current cycle (-1: one was rejected).

    Raises NotFound, and Conflict as `refuse_untaken`.
    """
    now = await locked(Item.filter(zone_id=item.zone_id), item.id)
    if change > 0:
        refuse_untaken(now)
    await evidence_counted(now, change)


def refuse_untaken(item: Item) -> None:
    """Raises Conflict (`wrong_state`) where the item takes no evidence any more, or not yet."""
    if item.state not in RUNNING | REVIEWED:
        raise Conflict(
            "wrong_state",
            f"这件事项现在是「{item.state.label}」，不再收佐证材料。材料没有保存。",
            state=item.state.value,
        )


async def evidence_counted(item: Item, change: int = 1) -> None:
    """`count_evidence` of an item that is locked and takes it."""
    await database.execute(
        "update cycle set evidence_count = evidence_count + $4 where zone_id = $1 and item_id = $2 and number = $3",
        [item.zone_id, item.id, item.cycle, change],
    )
