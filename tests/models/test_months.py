"""A month's figures are frozen after it has ended and never change; what is found later is said beside them."""

import asyncio
import io
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook

from models import evidence, ledger, months
from models.base import clock, database
from models.base.errors import Forbidden, Invalid
from models.base.ids import new_id
from models.ledger import Item, Matter
from models.lookbacks import Verdict
from models.months import FIGURES, MonthFigure, MonthRestatement, UnitMonth
from models.months.counting import after
from models.organization import Zone
from tests.lookback_zone import Office, drawn, furnish, recorded, says

pytestmark = pytest.mark.usefixtures("database")
Moves = Callable[..., None]


@pytest.fixture
async def office(zone: Zone, clock_moves: Moves) -> Office:
    """The small zone at ten in the morning of the first Monday of a month."""
    month = after(months.first_of(clock.today()))
    monday = next(day for day in (month + timedelta(days=n) for n in range(7)) if day.weekday() == 0)
    clock_moves(seconds=(clock.at(monday, 10) - clock.now()).total_seconds())
    zone.created_at = clock.now()
    await zone.save()
    return await furnish(zone)


@pytest.fixture
def month_ends(clock_moves: Moves) -> Callable[[], None]:
    """To ten in the morning of the first day of the next month."""
    return lambda: clock_moves(
        seconds=(clock.at(after(months.first_of(clock.today())), 10) - clock.now()).total_seconds()
    )


async def issued(office: Office, days: int = 10) -> UUID:
    oversight = await office.scope("oversight")
    if office.campaign is None:
        office.campaign = (await ledger.create_campaign(by=oversight, name="年度监督台账")).id
    office.made += 1
    matter = Matter(
        list=ledger.ListKind.TASK,
        title=f"第{office.made}件事项",
        requirement="办好",
        classification="internal",
        owner_id=office.people["owner A"],
        unit_id=office.units["A"].id,
        due_days=days,
    )
    drafted = await ledger.draft(matter, campaign_id=office.campaign, by=oversight)
    await ledger.issue(drafted.id, by=oversight, although_similar=True)
    return UUID(str(drafted.id))


async def of_unit(office: Office, unit: str = "A", month: date | None = None) -> UnitMonth:
    rows = await months.figures(by=await office.scope("oversight"), month=month)
    return next(row for row in rows if row.unit_id == office.units[unit].id)


def told(row: UnitMonth) -> dict[str, int]:
    """The figures that are not nought."""
    return {name: value for name, value in row.stands.items() if value}


async def test_a_month_is_frozen_when_it_has_ended_and_not_before(office: Office, month_ends: Moves) -> None:
    await office.closed_item("A")
    this = months.first_of(clock.today())
    assert await months.freeze(office.zone.id) == []
    month_ends()
    assert await months.freeze(office.zone.id) == [this]
    done = ("opened", "received", "received_in_time", "closed", "closed_in_time", "first_pass")
    assert told(await of_unit(office)) == dict.fromkeys(done, 1)
    assert told(await of_unit(office, "B")) == {}
    assert await MonthFigure.filter(month=this).count() == len(office.units)


async def test_it_is_frozen_once_whoever_does_it(office: Office, month_ends: Moves) -> None:
    month_ends()
    outcomes = await asyncio.gather(*(months.freeze(office.zone.id) for _ in range(3)))
    assert sorted(map(len, outcomes)) == [0, 0, 1]
    assert await months.freeze(office.zone.id) == []


async def test_months_in_which_no_worker_ran_are_frozen_later_each_by_itself(office: Office, month_ends: Moves) -> None:
    first = months.first_of(clock.today())
    await office.closed_item("A")
    month_ends()
    await issued(office)
    month_ends()
    month_ends()
    assert await months.freeze(office.zone.id) == [first, after(first), after(after(first))]
    assert (await of_unit(office, month=first)).stands["closed"] == 1
    assert told(await of_unit(office, month=after(first))) == {"opened": 1}
    assert told(await of_unit(office)) == {}


async def test_whoever_received_or_asked_late_is_told_apart_from_who_did_in_time(
    office: Office, clock_moves: Moves, month_ends: Moves
) -> None:
    owner, prompt, late = await office.scope("owner A"), await issued(office, 3), await issued(office, 3)
    clock_moves(days=1)
    await ledger.receive(prompt, by=owner)
    clock_moves(days=1)
    await ledger.receive(late, by=owner)
    for item, days in ((prompt, 0), (late, 7)):
        clock_moves(days=days)
        words = evidence.Submission(client_id=new_id(), kind=evidence.Kind.TEXT, item_id=item, text="已办结。")
        await evidence.attach(words, by=owner)
        await ledger.request_close_out(item, by=owner)
        await ledger.unit_review(item, by=await office.scope("leader A"), passed=True)
    clock_moves(days=7)  # the reviewers' time is not the owner's
    for item in (prompt, late):
        await ledger.oversight_review(item, by=await office.scope("oversight"), passed=True)
    month_ends()
    await months.freeze(office.zone.id)
    stands = (await of_unit(office)).stands
    assert (stands["received"], stands["received_in_time"]) == (2, 1)
    assert (stands["closed"], stands["closed_in_time"]) == (2, 1)
    assert (await of_unit(office)).rates == {
        "received_in_time_rate": 50.0,
        "closed_in_time_rate": 50.0,
        "first_pass_rate": 100.0,
        "relapse_rate": 0.0,
    }


async def test_what_was_issued_on_a_friday_may_be_received_on_the_monday(
    office: Office, clock_moves: Moves, month_ends: Moves
) -> None:
    clock_moves(days=4)
    item = await issued(office)
    clock_moves(days=3)
    await ledger.receive(item, by=await office.scope("owner A"))
    month_ends()
    await months.freeze(office.zone.id)
    assert (await of_unit(office)).stands["received_in_time"] == 1


async def test_a_rate_of_nothing_is_no_rate(office: Office, month_ends: Moves) -> None:
    month_ends()
    await months.freeze(office.zone.id)
    assert set((await of_unit(office)).rates.values()) == {None}


async def test_what_a_look_back_finds_belongs_to_the_month_in_which_it_was_found(
    office: Office, month_ends: Moves
) -> None:
    for _ in range(3):
        await office.closed_item("A")
    month_ends()
    one, two, three = await drawn(office)
    await recorded(office, one, says(Verdict.RELAPSE))
    await recorded(office, two, says(Verdict.INEFFECTIVE))
    await recorded(office, three, says())
    month_ends()
    await months.freeze(office.zone.id)
    assert told(await of_unit(office)) == {"opened": 2, "looked_back": 3, "sent_back": 1, "relapses": 1}


async def test_a_relapse_found_later_is_restated_and_the_frozen_figure_stays(office: Office, month_ends: Moves) -> None:
    for _ in range(2):
        await office.closed_item("A")
    closed_in = months.first_of(clock.today())
    month_ends()
    await months.freeze(office.zone.id)
    assert await months.restate(office.zone.id) == 0
    frozen = await MonthFigure.filter(month=closed_in).order_by("id").values()
    visits = await drawn(office)
    for number, visit in enumerate(visits, 1):
        await recorded(office, visit, says(Verdict.RELAPSE))
        assert await months.restate(office.zone.id) == 1
        assert await months.restate(office.zone.id) == 0
        row = await of_unit(office, month=closed_in)
        assert (row.stands["relapsed"], row.frozen["relapsed"]) == (number, 0)
    restated = await months.restatements(by=await office.scope("oversight"))
    assert [(row.month, row.figure, row.was, row.became) for row in restated] == [
        (closed_in, "relapsed", 1, 2),
        (closed_in, "relapsed", 0, 1),
    ]
    numbers = [(await Item.get(id=visit.item_id)).number or "x" for visit in visits]
    assert all(number in restated[0].why for number in numbers) and "反弹" in restated[0].why
    assert await MonthFigure.filter(month=closed_in).order_by("id").values() == frozen
    assert row.rates["relapse_rate"] == 100.0


async def test_two_who_restate_at_once_say_it_once(office: Office, month_ends: Moves) -> None:
    await office.closed_item("A")
    month_ends()
    await months.freeze(office.zone.id)
    (visit,) = await drawn(office)
    await recorded(office, visit, says(Verdict.RELAPSE))
    assert sorted(await asyncio.gather(*(months.restate(office.zone.id) for _ in range(3)))) == [0, 0, 1]


async def test_the_month_that_runs_is_never_restated(office: Office) -> None:
    await office.closed_item("A")
    assert await months.restate(office.zone.id) == 0
    assert await MonthRestatement.all().count() == 0


@pytest.mark.parametrize("table", ["month_figure", "month_restatement"])
async def test_neither_can_be_rewritten_by_anybody(office: Office, month_ends: Moves, table: str) -> None:
    await office.closed_item("A")
    month_ends()
    await months.freeze(office.zone.id)
    (visit,) = await drawn(office)
    await recorded(office, visit, says(Verdict.RELAPSE))
    await months.restate(office.zone.id)
    for statement in (f"update {table} set unit_path = 'x'", f"delete from {table}", f"truncate {table}"):
        with pytest.raises(Exception, match="append-only"):
            await database.execute(statement)


async def test_nothing_is_counted_by_person(office: Office) -> None:
    columns = await database.fetch(
        "select column_name from information_schema.columns where table_name in ('month_figure', 'month_restatement')"
    )
    assert not {row["column_name"] for row in columns} & {"person_id", "owner_id", "inspector_id", "made_by"}


async def test_oversight_reads_the_figures_of_its_own_units(office: Office, month_ends: Moves) -> None:
    month_ends()
    await months.freeze(office.zone.id)
    rows = await months.figures(by=await office.scope("other oversight"))
    assert [row.unit for row in rows] == ["B"]
    assert await months.figures(by=await office.scope("owner A")) == []
    first, *_ = whole = await months.figures(by=await office.scope("oversight"))
    rest = await months.figures(by=await office.scope("oversight"), after_path=first.unit_path)
    assert [row.unit for row in rest] == [row.unit for row in whole[1:]]


async def test_the_workbook_has_what_stands_and_what_was_restated(office: Office, month_ends: Moves) -> None:
    await office.closed_item("A")
    closed_in = months.first_of(clock.today())
    month_ends()
    await months.freeze(office.zone.id)
    (visit,) = await drawn(office)
    await recorded(office, visit, says(Verdict.RELAPSE))
    await months.restate(office.zone.id)
    by = await office.scope("oversight")
    book = CalamineWorkbook.from_filelike(io.BytesIO(await months.export_months(closed_in, closed_in, by=by)))
    figures, restated = (book.get_sheet_by_name(name).to_python() for name in ("每月数字", "更正"))
    assert figures[0][2 : 2 + len(FIGURES)] == [name for name, _ in FIGURES.values()]
    row = next(row for row in figures if row[1] == "A")
    assert dict(zip(figures[0], row, strict=True))["反弹率（%）"] == 100.0
    assert restated[1][:5] == [f"{closed_in:%Y-%m}", "A", "销号后反弹", 0, 1]
    with pytest.raises(Invalid, match="bad_months"):
        await months.export_months(closed_in, closed_in - timedelta(days=40), by=by)
    with pytest.raises(Invalid, match="bad_months"):
        await months.export_months(closed_in, closed_in + timedelta(days=800), by=by)
    with pytest.raises(Forbidden):
        await months.export_months(closed_in, closed_in, by=await office.scope("owner A"))


@pytest.mark.parametrize(
    ("month", "next_"), [(date(2026, 1, 1), date(2026, 2, 1)), (date(2026, 12, 1), date(2027, 1, 1))]
)
def test_a_month_is_followed_by_the_next(month: date, next_: date) -> None:
    assert after(month) == next_
