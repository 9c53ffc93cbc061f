"""Clocks that jump, midnight, the turn of the year, a new holiday notice, an outage of three days."""

from datetime import date, timedelta

from models.base import calendar, clock
from models.base.scope import Grant, Role, Scope
from models.ledger import Item
from models.reminders import ReminderKind
from tests.faults.arena import WORKERS, until
from tests.faults.families import fault
from tests.faults.landing import land
from tests.faults.stage import PARTS, SENDS, Owed, Stage

HOUR = 3600.0


async def _jump(stage: Stage, seconds: float) -> None:
    """The clock jumps while messages are at the platform."""
    await stage.arena.fault(SENDS, "latency", ms=400)
    before = await stage.arena.last()
    await stage.owe_due("owner", "colleague")
    await stage.until_accepted(before)
    await stage.arena.move(seconds)
    await stage.owe_due("owner", "colleague")


@fault
async def an_hour_back(stage: Stage) -> None:
    """What was leased seems to be leased for an hour more."""
    await _jump(stage, -HOUR)


@fault
async def an_hour_ahead(stage: Stage) -> None:
    """Leases of workers that are alive have run out."""
    await _jump(stage, HOUR)


@fault
async def midnight(stage: Stage) -> None:
    """Owed just before the day ends: what is urgent rings, the rest waits for the morning."""
    await stage.move_to(clock.at(stage.day, 23, 59) + timedelta(seconds=50))
    await stage.remind("owner", urgent=True)
    await stage.owe_due("owner", "colleague")
    await stage.until_in("sent")
    await stage.arena.move(9)
    await stage.owe_some("colleague")


@fault
async def year_end(stage: Stage) -> None:
    """Items issued on both sides of New Year: numbers begin anew, deadlines count into a year not announced."""
    year = stage.day.year
    await stage.move_to(clock.at(date(year, 12, 31), 23, 59) + timedelta(seconds=40))
    old = await stage.issue("owner", urgent=True)
    await stage.arena.move(30)
    new = await stage.issue("colleague", urgent=True)
    stage.expect(f"issued this year as {old.number}", _year_of(old) == year)
    stage.expect(f"issued next year as {new.number}", _year_of(new) == year + 1)
    await stage.owe_due("owner")


def _year_of(item: Item) -> int:
    return int(str(item.number).split("-")[2])


@fault
async def holiday_notice(stage: Stage) -> None:
    """The days on which a deadline was counted become a holiday: it moves, and nobody's phone rings on those days."""
    item = await stage.issue("owner", due_days=5)
    days = await calendar.calendar_of(stage.zone.id)
    off = [days.add_working_days(stage.day, n) for n in (1, 2, 3)]
    off = [day for day in off if day.year == stage.day.year] or [stage.day]
    notices = [one for one in await calendar.notices_of(stage.zone.id) if one.year == stage.day.year]
    known = [date.fromisoformat(day) for notice in notices[:1] for day in notice.holidays]
    worked = [date.fromisoformat(day) for notice in notices[:1] for day in notice.workdays]
    admin = Scope(stage.zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    await calendar.import_notice(
        by=admin,
        year=stage.day.year,
        holidays=sorted({*known, *off}),
        workdays=sorted(set(worked) - set(off)),
        source="放假通知",
    )
    wanted = (await calendar.calendar_of(stage.zone.id)).add_working_days(stage.day, 5)

    async def moved() -> bool:
        return (await Item.get(id=item.id)).due_on == wanted

    await until("the deadline moves", moved)
    await stage.owe_due("owner", "colleague")
    await land(stage)
    await stage.to_step(item, "unacknowledged", 1)
    stage.owed.append(Owed(stage.person("owner"), ReminderKind.URGE, item.id))


@fault
async def three_days_out(stage: Stage) -> None:
    """No worker for three working days: steps catch up once, and nobody's phone rings in a burst."""
    item = await stage.issue("owner")
    stage.arena.kill(*WORKERS)
    before = await stage.arena.last()
    await stage.owe_some("colleague")
    await stage.to_step(item, "unacknowledged", 3)
    await stage.arena.up()
    await land(stage)
    stage.owed.append(Owed(stage.person("owner"), ReminderKind.URGE, item.id))
    stage.owed += [Owed(stage.person(part), ReminderKind.ESCALATED, item.id) for part in ("leader", "upper")]
    for part in PARTS:
        rang = await stage.rang(part, since=before)
        stage.expect(f"{rang} messages in a burst", rang <= 2)  # what had waited, and what the steps have to say
