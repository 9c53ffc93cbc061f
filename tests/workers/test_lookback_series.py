"""A worker's rounds draw a series: freeze, seal, draw; what fails holds up nothing else."""

from collections.abc import Callable
from datetime import date

import pytest

from models import lookbacks
from models.base import clock
from models.lookbacks import Every, FrozenDraw, LookbackDraw, Population, SeriesFacts, Visit
from models.organization import Zone
from tests.lookback_zone import Office, furnish
from workers.audit import seal
from workers.lookbacks import draw_series
from workers.relay import Context

pytestmark = pytest.mark.usefixtures("database")
Moves = Callable[..., None]


@pytest.fixture
async def office(zone: Zone, clock_moves: Moves) -> Office:
    """The small zone with two closed items and two monthly series, on the morning of their draw."""
    clock_moves(seconds=(clock.at(date(2026, 12, 2), 10) - clock.now()).total_seconds())
    office = await furnish(zone)
    for _ in range(2):
        await office.closed_item("A")
    for name in ("一", "二"):
        terms = {"population": Population(), "count": 1, "every": Every.MONTH, "working_day": 3}
        await lookbacks.begin_series(SeriesFacts(name=name, **terms), by=await office.scope("oversight"))
    clock_moves(days=1)
    return office


async def round_of(context: Context) -> None:
    """One round, and what it wrote is sealed."""
    await draw_series(context)
    await seal(context)


async def test_what_is_due_is_frozen_sealed_and_drawn_one_after_the_other(office: Office, context: Context) -> None:
    await round_of(context)
    assert (await FrozenDraw.all().count(), await LookbackDraw.all().count()) == (1, 0)
    await round_of(context)
    assert (await FrozenDraw.all().count(), await LookbackDraw.all().count()) == (2, 1)
    for _ in range(2):
        await round_of(context)
    assert await LookbackDraw.all().count() == 2
    assert len({visit.item_id for visit in await Visit.all()}) == 2, "what one drew rests in the other"


async def test_a_draw_that_fails_holds_up_the_others_for_minutes_only(
    office: Office, context: Context, clock_moves: Moves
) -> None:
    await round_of(context)
    broken = await FrozenDraw.get()
    await FrozenDraw.filter(id=broken.id).update(inputs={"count": "none"})
    await round_of(context)
    assert await FrozenDraw.all().count() == 1
    clock_moves(minutes=11)
    for _ in range(2):
        await round_of(context)
    assert [draw.plan_id != broken.plan_id for draw in await LookbackDraw.all()] == [True]
