"""The worker freezes what has ended, and says at once what a relapse makes of it."""

from collections.abc import Callable

import pytest

from models import months
from models.base import clock
from models.lookbacks import Verdict
from models.months import MonthFigure, MonthRestatement
from models.months.counting import after
from models.organization import Zone
from tests.lookback_zone import drawn, furnish, recorded, says
from workers.months import freeze, restate
from workers.relay import Context, Relay

pytestmark = pytest.mark.usefixtures("database")


async def test_a_relapse_restates_the_month_in_which_the_matter_was_closed(
    zone: Zone, context: Context, relay: Relay, clock_moves: Callable[..., None]
) -> None:
    office = await furnish(zone)
    await office.closed_item("A")
    month = months.first_of(clock.today())
    clock_moves(seconds=(clock.at(after(month), 10) - clock.now()).total_seconds())
    await freeze(context)
    assert await MonthFigure.filter(month=month).exists()
    (visit,) = await drawn(office)
    await recorded(office, visit, says(Verdict.RELAPSE))
    await relay.drain()
    (restated,) = await MonthRestatement.all()
    assert (restated.month, restated.figure, restated.became) == (month, "relapsed", 1)
    await restate(context)
    assert await MonthRestatement.all().count() == 1
