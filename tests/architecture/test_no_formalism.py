"""The State Council's rules for government apps (国办函〔2026〕12号; the 2023 意见 on 指尖上的形式主义), held to.

Numbered as in the product's own list (docs/domain.md). How each works in detail is told by the tests of its concept.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from api.app import collect
from api.wire import Route
from models import deliveries, evidence, feedback, ledger, lookbacks, organization, reminders
from models.base import calendar, clock, database
from models.base.errors import Conflict, Invalid
from models.base.ids import new_id
from models.deliveries import Burden, UnitBurden
from models.evidence import Kind
from models.feedback import FeedbackKind, FeedbackState
from models.ledger import State
from models.ledger.workbook.writing import HEADERS as ITEM_HEADERS
from models.lookbacks import VisitFacts
from models.organization import Zone, ZoneSettings
from models.organization.roster import words
from tests.office import Office, open_office

ROUTES = collect()
CHECKOUT = Path(__file__).parents[2]
COUNTED = r"score|points|ranking|rank_of|leader_?board|online|check_?in|streak|track|login_count|logins|installs"
SEEN = r"read_at|seen_at|is_read|unread|opened_by|read_by|last_seen"
WATCHING = re.compile(f"{COUNTED}|{SEEN}")
COUNTED_IN_CHINESE = re.compile("积分|得分|排名|排行|打卡|签到|在线时长|登录次数|登录率|安装率|活跃|已读|未读|轨迹")


@pytest.fixture
async def office(zone: Zone) -> Office:
    return await open_office(zone)


def described(route: Route) -> str:
    return f"{route.method} {route.path}"


def fields_of(schema: Any, seen: set[type] | None = None) -> set[str]:
    """Names of all fields of a pydantic schema, those within it included."""
    seen = set() if seen is None else seen
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return set().union(*(fields_of(part, seen) for part in getattr(schema, "__args__", ())), set())
    if schema in seen:
        return set()
    seen.add(schema)
    inner = (fields_of(field.annotation, seen) for field in schema.model_fields.values())
    return set(schema.model_fields).union(*inner)


def required_of(route: Route) -> set[str]:
    assert route.body is not None
    return {name for name, field in route.body.model_fields.items() if field.is_required()}


# 1. No points, rankings of people, online time, check-in counts, install or login rates.


@pytest.mark.parametrize("route", [route for route in ROUTES if route.reply is not None], ids=described)
def test_no_answer_scores_ranks_or_watches_people(route: Route) -> None:
    assert {name for name in fields_of(route.reply) if WATCHING.search(name)} == set()


def test_no_address_and_no_summary_speaks_of_it() -> None:
    spoken = [route for route in ROUTES if WATCHING.search(route.path) or COUNTED_IN_CHINESE.search(route.summary)]
    assert [described(route) for route in spoken] == []


async def test_no_column_counts_people_or_watches_them(database: str) -> None:
    columns = await fetch(
        "select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'public'"
    )
    allowed = {"console_session.seen_at"}  # ends an idle session of the console (等保三级); goes with the session
    assert [name for (name,) in columns if WATCHING.search(name) and name not in allowed] == []


def test_no_exported_workbook_has_such_a_column() -> None:
    roster = [header for form in words.FORMS for header in (*form.columns, *form.optional)]
    assert [header for header in (*ITEM_HEADERS, *roster) if COUNTED_IN_CHINESE.search(header)] == []


def schemas_of(schema: Any, seen: set[type]) -> set[type[BaseModel]]:
    """The schema and all within it."""
    if not (isinstance(schema, type) and issubclass(schema, BaseModel)):
        return set().union(*(schemas_of(part, seen) for part in getattr(schema, "__args__", ())), set())
    if schema in seen:
        return set()
    seen.add(schema)
    inner = (schemas_of(field.annotation, seen) for field in schema.model_fields.values())
    return {schema}.union(*inner)


def test_no_answer_counts_visits_by_person() -> None:
    """A count of visits stands beside a plan or a unit, never beside a person.

    The one number beside an inspector is `load`: what still waits for them, so that the next draw gives them fewer.
    """
    schemas = set().union(*(schemas_of(route.reply, set()) for route in ROUTES if route.reply is not None))
    counting = {
        f"{schema.__name__}.{name}"
        for schema in schemas
        if {name for name in schema.model_fields if re.search(r"^(person|inspector)(_id)?$|staff", name)}
        for name, field in schema.model_fields.items()
        if field.annotation in (int, int | None) and re.search("visit|record|load|count|total|times|done", name)
    }
    assert counting == {"Inspector.load"}


async def test_no_column_counts_visits_by_person(database: str) -> None:
    """Nor is there a table with a row for each person and a number of visits."""
    columns = await fetch(
        "select c.table_name || '.' || c.column_name from information_schema.columns c where table_schema = 'public'"
        " and (c.column_name ~ '(visit|inspection|lookback)s?_?(count|total|number|done)|(count|total)_?visits')"
    )
    assert columns == []


def test_no_statement_counts_visits_by_inspector() -> None:
    """Grouping by an inspector would be the count that the product does not know."""
    sources = {
        path: path.read_text() for folder in ("models", "api", "workers") for path in (CHECKOUT / folder).rglob("*.py")
    }
    grouped = re.compile(r"""group by[^"']*inspector|group_by\([^)]*inspector""", re.IGNORECASE)
    assert [str(path) for path, text in sources.items() if grouped.search(text)] == []


# 2. Check-in is the inspector's own record: a place is optional, one fix, coarse on request; paper will do.


def test_a_visit_has_at_most_one_place_and_need_have_none() -> None:
    assert not VisitFacts.model_fields["place"].is_required()
    assert {"latitude", "longitude", "coarse"} == {*lookbacks.Place.model_fields}


def test_a_visit_is_recorded_from_paper_on_the_console() -> None:
    (route,) = (route for route in ROUTES if route.name == "console.lookbacks.record")
    assert "paper" in required_of(route) and not {"place", "evidence"} & required_of(route)


# 3. No forced photo, video or track: text or paper closes an item.


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body is not None], ids=described)
def test_no_request_requires_a_photo_or_a_place(route: Route) -> None:
    forced = re.compile(r"photo|picture|video|image|latitude|longitude|\blat\b|\blon\b|place|location")
    assert {name for name in required_of(route) if forced.search(name)} == set()


@pytest.mark.parametrize(
    "shown", [{"kind": Kind.TEXT, "text": "已办结。"}, {"kind": Kind.PAPER_REFERENCE, "paper_reference": "档案柜3-12"}]
)
async def test_words_or_a_reference_to_paper_close_an_item(office: Office, shown: dict[str, Any]) -> None:
    item = await office.received()
    given = evidence.Submission(client_id=new_id(), item_id=item.id, **shown)
    await evidence.attach(given, by=office.owner)
    await ledger.request_close_out(item.id, by=office.owner)
    await ledger.unit_review(item.id, by=office.leader, passed=True)
    assert (await ledger.oversight_review(item.id, by=office.overseer, passed=True)).state is State.CLOSED


# 4. No read-receipt pressure: whether something was acknowledged is shown, when it was read is not even known.


async def test_reading_leaves_no_trace(office: Office) -> None:
    item = await office.issued()
    before = await everything()
    await reminders.inbox(by=office.owner)
    await ledger.whole(item.id, by=office.owner)
    await ledger.timeline(item.id, by=office.owner)
    assert await everything() == before


async def everything() -> dict[str, str]:
    """A digest of each table."""
    tables = await fetch("select tablename as name from pg_tables where schemaname = 'public'")
    digest = "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as digest from"
    return {name: (await fetch(f'{digest} "{name}" t'))[0][0] for (name,) in tables}


# 5. Quiet hours and a daily budget; a person sees their own burden, the office sees it per unit.


def test_phones_rest_at_night_and_get_three_messages_a_day_unless_the_zone_says_otherwise() -> None:
    usual = ZoneSettings()  # type: ignore[call-arg]
    assert (usual.quiet_from, usual.quiet_until, usual.daily_budget) == ("20:00", "08:00", 3)
    with pytest.raises(ValidationError):
        ZoneSettings(daily_budget=1000)  # type: ignore[call-arg]


async def test_a_message_made_at_night_waits_for_the_morning(office: Office, clock_moves: Callable[..., None]) -> None:
    night = clock.at(clock.today(), 21) - clock.now()
    clock_moves(seconds=night.total_seconds())
    await organization.bind(office.zone.id, office.people["owner"].id, "o-owner", by=office.owner)
    await office.issued()
    clock_moves(hours=1)
    assert await deliveries.begin(office.zone.id, "T") == []
    morning = (await calendar.calendar_of(office.zone.id)).next_loud(clock.now(), "20:00", "08:00")
    clock_moves(seconds=(morning - clock.now()).total_seconds() + 1)
    assert [push.person_id for push in await deliveries.begin(office.zone.id, "T")] == [office.people["owner"].id]


def test_the_office_sees_the_burden_of_units_only() -> None:
    (burden,) = (route for route in ROUTES if route.name == "console.deliveries.burden")
    assert not {name for name in fields_of(burden.reply) if "person" in name}
    assert {"unit_id", "people"} <= {*UnitBurden.__dataclass_fields__}
    assert {"reminders", "messages", "messages_today", "daily_budget"} <= {*Burden.__dataclass_fields__}


# 6. No double filing: what is alike is shown before issue; a visit's facts are filled in.


async def test_a_matter_like_an_open_one_of_the_same_owner_is_shown_before_it_is_issued(office: Office) -> None:
    again = {"title": "清理长河路占道堆物", "requirement": "清理长河路占道堆物并恢复围挡"}
    await office.issued(**again)
    second = await office.draft(**again)
    with pytest.raises(Conflict, match="similar_open_item"):
        await ledger.issue(second.id, by=office.overseer)
    assert (await ledger.issue(second.id, by=office.overseer, although_similar=True)).state is State.ISSUED


def test_an_inspector_finds_the_items_facts_filled_in() -> None:
    (visit,) = (route for route in ROUTES if route.name == "mini.lookbacks.detail")
    assert {"number", "title", "unit", "requirement", "basis", "owner", "checklist"} <= fields_of(visit.reply)


# 7. In-app feedback (投诉建议), tracked to an answer.


async def test_a_complaint_is_open_until_somebody_else_answers_and_its_author_sees_it(office: Office) -> None:
    made = await feedback.submit("提醒太多", kind=FeedbackKind.COMPLAINT, by=office.owner)
    assert [one.id for one in await feedback.received(by=office.overseer)] == [made.id]
    await feedback.answer(made.id, "已合并", by=office.overseer)
    (mine,) = await feedback.mine(by=office.owner)
    assert (mine.state, mine.answer) == (FeedbackState.ANSWERED, "已合并")


# 10. Classification gate: what is marked above `internal` never enters.


@pytest.mark.parametrize("mark", ["secret", "秘密", "机密", ""])
async def test_what_is_marked_above_internal_is_refused_with_an_explanation(office: Office, mark: str) -> None:
    with pytest.raises(Invalid) as refused:
        await office.draft(classification=mark)
    assert "classification" in {fault.pointer.rpartition("/")[2] for fault in refused.value.faults}


async def fetch(sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in await database.fetch(sql)]
