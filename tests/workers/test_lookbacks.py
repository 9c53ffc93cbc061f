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
    """The small zone with a closed item and two monthly series, on the morning of their draw."""
    clock_moves(seconds=(clock.at(date(2026, 12, 2), 10) - clock.now()).total_seconds())
    office = await furnish(zone)
    await office.closed_item("A")
    for name in ("一", "二"):
        terms = {"population": Population(), "count": 1, "every": Every.MONTH, "working_day": 3}
        await lookbacks.begin_series(SeriesFacts(name=name, **terms), by=await office.scope("oversight"))
    clock_moves(days=1)
    return office


async def test_what_is_due_is_frozen_sealed_and_drawn(office: Office, context: Context) -> None:
    await draw_series(context)
    assert (await FrozenDraw.all().count(), await LookbackDraw.all().count()) == (2, 0)
    await seal(context)
    await draw_series(context)
    assert await LookbackDraw.all().count() == 2
    await draw_series(context)
    assert await Visit.all().count() == 2


async def test_a_draw_that_fails_holds_up_no_other(office: Office, context: Context) -> None:
    await draw_series(context)
    await seal(context)
    broken = await FrozenDraw.all().order_by("id").first()
    assert broken is not None
    await FrozenDraw.filter(id=broken.id).update(inputs={"count": "none"})
    await draw_series(context)
    assert [draw.plan_id != broken.plan_id for draw in await LookbackDraw.all()] == [True]
