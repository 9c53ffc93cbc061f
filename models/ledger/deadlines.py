"""Deadlines: a date, or working days from the opening of the cycle on the State Council's calendar (domain.md §3)."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from models import escalations
from models.base import audit, clock
from models.base.calendar import Calendar, calendar_of
from models.base.database import atomic
from models.base.errors import Fault, Invalid
from models.base.scope import Scope
from models.ledger.tables import OPEN, Cycle, Item, State

MOST_DAYS = 250
MOST_YEARS_AHEAD = 10
TIMED = (State.ISSUED, State.RECEIVED, State.IN_PROGRESS)
COUNTED = OPEN - {State.LONG_TERM}
AT_ONCE = 200


@dataclass(frozen=True)
class Deadline:
    """Exactly one of a date and a number of working days (1–250). Raises Invalid (`bad_due`)."""

    on: date | None = None
    days: int | None = None

    def __post_init__(self) -> None:
        counted = self.on is None and 1 <= (self.days or 0) <= MOST_DAYS
        dated = self.days is None and self.on is not None
        if not counted and not dated:
            fault = Fault("/due", "bad_due", f"期限填一个日期，或 1 到 {MOST_DAYS} 个工作日，二者填一个。")
            raise Invalid("bad_due", fault.detail, faults=(fault,))

    def counted_from(self, day: date, calendar: Calendar) -> date:
        """The due date of a cycle opened on `day`. Raises Invalid (`due_in_past`, `too_far`)."""
        self.refuse_unfit(day)
        return self.on or calendar.add_working_days(day, self.days or 0)

    def refuse_unfit(self, day: date) -> None:
        """Raises Invalid for a date that is past on `day` (`due_in_past`) or `too_far`."""
        if self.on is None:
            return
        refuse_far("due_on", self.on)
        if self.on < day:
            fault = Fault("/due_on", "due_in_past", f"期限 {self.on} 已经过去，请改成今天或以后的日期。")
            raise Invalid("due_in_past", fault.detail, faults=(fault,))


def refuse_far(field: str, day: date) -> None:
    """Raises Invalid (`too_far`) for a day that nobody plans for: working days up to it are counted one by one."""
    if day.year > clock.today().year + MOST_YEARS_AHEAD:
        fault = Fault(f"/{field}", "too_far", f"日期 {day} 太远，请填今后{MOST_YEARS_AHEAD}年以内的日期。")
        raise Invalid("too_far", fault.detail, faults=(fault,))


def set_deadline(item: Item, deadline: Deadline, opened_on: date, calendar: Calendar) -> None:
    """Give the item its due date; provisional where the calendar has to guess the year."""
    item.due_on = deadline.counted_from(opened_on, calendar)
    item.due_days = deadline.days
    item.due_provisional = deadline.days is not None and not calendar.announced(item.due_on.year)


def caveat(item: Item) -> str | None:
    """What to say with a due date that a later holiday notice may move."""
    if not item.due_provisional or item.due_on is None:
        return None
    return f"{item.due_on.year}年放假安排尚未公布，期限先按周一至周五计算，公布后会重新计算。"


async def recount(zone_id: UUID) -> int:
    """After a calendar change: every open deadline given in working days anew; how many moved.

    Timers follow too, those of a deadline that is a date as well: they are counted in working days and hours. Item by
    item, each in its own transaction: repeating it is safe.
    """
    calendar, moved, after = await calendar_of(zone_id), 0, UUID(int=0)
    while page := await _counted(zone_id, after):
        for item_id in page:
            moved += await _recount_one(zone_id, item_id, calendar)
        after = page[-1]
    return moved


async def _counted(zone_id: UUID, after: UUID) -> list[UUID]:
    rows = Item.filter(zone_id=zone_id, state__in=list(COUNTED), id__gt=after)
    return await rows.order_by("id").limit(AT_ONCE).values_list("id", flat=True)  # type: ignore[return-value]


@atomic()
async def _recount_one(zone_id: UUID, item_id: UUID, calendar: Calendar) -> bool:
    item = await Item.filter(zone_id=zone_id, id=item_id).select_for_update().get()
    moved = item.state in COUNTED and item.due_days is not None and await _recount_due(item, item.due_days, calendar)
    if item.state in TIMED:  # others have no timers now; a return or a resumption sets them by the new date
        await escalations.recount(zone_id, item.id)
    return moved


async def _recount_due(item: Item, due_days: int, calendar: Calendar) -> bool:
    cycle = await Cycle.get(zone_id=item.zone_id, item_id=item.id, number=item.cycle)
    due_on = calendar.add_working_days(clock.local(cycle.opened_at).date(), due_days)
    provisional = not calendar.announced(due_on.year)
    if (due_on, provisional) == (item.due_on, item.due_provisional):
        return False
    item.due_on, item.due_provisional = due_on, provisional
    await item.save(update_fields=["due_on", "due_provisional"])
    await _tell_cycle(item)
    if item.state in TIMED:
        await escalations.rearm(item.zone_id, item.id, due_on)
    await audit.record(Scope.system(item.zone_id), "item.due_recounted", ("item", item.id), due_on=due_on)
    return True


async def move_deadline(item: Item) -> None:
    """The item's `due_on` has changed: its cycle and its timers follow."""
    assert item.due_on is not None
    await _tell_cycle(item)
    await escalations.rearm(item.zone_id, item.id, item.due_on)


async def _tell_cycle(item: Item) -> None:
    await Cycle.filter(zone_id=item.zone_id, item_id=item.id, number=item.cycle).update(due_on=item.due_on)
