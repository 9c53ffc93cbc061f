"""Whom the ledger tells what: one reminder for the one person whose turn it is, nobody else."""

from datetime import date
from uuid import UUID

from models import escalations, reminders
from models.base.scope import Scope
from models.ledger import people
from models.ledger.tables import Item
from models.ledger.transitions import Party
from models.organization import Chain
from models.reminders import ReminderKind


def day(on: date) -> str:
    """A day as cadres write it."""
    return f"{on.year}年{on.month}月{on.day}日"


async def tell(item: Item, person_id: UUID | None, kind: ReminderKind, summary: str, *, key: str) -> None:
    """Remind one person of the item, once for `key` in this cycle. Nobody in office: nobody is told."""
    if person_id is None:
        return
    await reminders.remind(
        item.zone_id,
        person_id,
        kind,
        subject=("item", item.id),
        summary=summary,
        due_on=item.due_on,
        urgent=item.urgent,
        key=f"item:{item.id}:{item.cycle}:{key}",
    )


async def tell_owner(item: Item, kind: ReminderKind, summary: str, *, key: str) -> None:
    """Remind the owner, who stands in for them, or the nearest above where they have left."""
    await tell(item, await people.present(item, Party.OWNER), kind, summary, key=key)


async def tell_reviewer(
    item: Item, barred: frozenset[UUID], party: Party, kind: ReminderKind, summary: str, *, key: str
) -> None:
    """Remind the one person who is to decide next: the unit leader or one above, or one of oversight, not `barred`."""
    await tell(item, await people.present(item, party, barred=barred), kind, summary, key=key)


async def arm(by: Scope, item: Item) -> None:
    """Set the timers of the item's policies for the cycle that begins now."""
    assert item.due_on is not None
    assert item.issued_at is not None
    await escalations.arm(
        by,
        item.id,
        item.cycle,
        item.policy_codes,
        issued_at=item.issued_at,
        due_on=item.due_on,
        chain=Chain.model_validate(item.chain),
        summary=item.title,
        urgent=item.urgent,
    )


async def stop(item: Item) -> None:
    """No timers and no open reminders remain: nothing is asked of anybody for now."""
    await escalations.disarm(item.zone_id, item.id)
    await reminders.settle(item.zone_id, ("item", item.id))
