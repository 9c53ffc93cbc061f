"""The months' figures over HTTP: per unit, with rates; restatements; a workbook."""

from datetime import date
from typing import Any

import pytest

from models.base import clock
from models.base.ids import new_id
from models.months import FIGURES, MonthFigure, MonthRestatement
from models.organization import Zone
from tests.api.conftest import Desk
from tests.lookback_zone import Office, furnish

MONTHS = "/api/console/months"
OCTOBER = date(2026, 10, 1)


@pytest.fixture
async def office(server: str, zone: Zone) -> Office:
    """The small zone with a frozen month, one figure of which was restated."""
    office = await furnish(zone)
    for unit in ("A", "B"):
        of_unit = {"zone_id": zone.id, "month": OCTOBER, "unit_id": office.units[unit].id}
        path, now = office.units[unit].path, clock.now()
        counted = dict.fromkeys(FIGURES, 0) | {"closed": 4, "first_pass": 3}
        await MonthFigure.create(id=new_id(), unit_path=path, frozen_at=now, **of_unit, **counted)
    stated = {"figure": "relapsed", "was": 0, "became": 1, "why": "销号之后，回头看发现反弹。", "stated_at": now}
    await MonthRestatement.create(id=new_id(), unit_path=path, **of_unit, **stated)
    return office


async def test_each_units_figures_stand_beside_what_was_frozen(office: Office, desk_of: Any) -> None:
    desk: Desk = await desk_of(office.people["oversight"])
    first = (await desk.get(MONTHS, params={"month": "2026-10-24", "limit": "1"})).content
    (of_a,) = first["items"]
    (of_b,) = (await desk.get(MONTHS, params={"month": "2026-10-24", "after": first["next"]})).content["items"]
    assert (of_a["unit"], of_a["restated"], of_a["rates"]["first_pass_rate"]) == ("A", [], 75.0)
    assert (of_b["unit"], of_b["restated"], of_b["rates"]["relapse_rate"]) == ("B", ["relapsed"], 25.0)
    assert (of_b["stands"]["relapsed"], of_b["frozen"]["relapsed"]) == (1, 0)
    assert of_a["rates"]["received_in_time_rate"] is None
    (restated,) = (await desk.get(f"{MONTHS}/restatements", params={"month": "2026-10-01"})).content["items"]
    assert (restated["figure_label"], restated["was"], restated["became"]) == ("销号后反弹", 0, 1)
    assert (await desk.get(f"{MONTHS}/restatements", params={"month": "2026-09-01"})).content["items"] == []


async def test_the_workbook_is_saved_as_a_file(office: Office, desk_of: Any) -> None:
    desk: Desk = await desk_of(office.people["oversight"])
    answer = await desk.get(f"{MONTHS}/export", params={"since": "2026-10-01", "until": "2026-10-31"})
    assert answer.status == 200 and answer.headers["content-disposition"].endswith('filename="months.xlsx"')
    wrong = await desk.get(f"{MONTHS}/export", params={"since": "2026-10-01", "until": "2026-08-31"})
    assert (wrong.status, wrong.code) == (422, "bad_months")
