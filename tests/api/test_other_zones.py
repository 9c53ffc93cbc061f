"""Nothing crosses a zone: another zone's ids on every route that takes one, whether in its path, query or body.

The routes are those of the OpenAPI document, so one that comes later is tested too, or has to be told of here.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from api.app import collect
from api.wire import Route
from models import organization
from models.accounts import Signer
from models.base.scope import Role
from models.base.settings import Settings
from tests.api.conftest import Answer, Client, Json
from tests.api.simplest import DOCUMENT, FORMATS, simplest
from tests.full_zone import KEEPER, READER, FullZone, fill, rows_of

ROUTES = {route.name: route for route in collect()}
OWN_NAMES = {"console.escalations.put", "console.escalations.retire"}
"""A policy is named by a code that every zone may use for its own."""


NO_ROWS = {
    ("mini.deliveries.report", "report_id"),
    ("mini.reminders.inbox", "after"),
    ("mini.lookbacks.cosign", "record_id"),
}
"""Made by the phone itself; the place in one's own list; compared with the record of one's own visit."""
FILTERS = {
    ("console.items.similar", "owner_id"),
    ("console.sites.listing", "unit_id"),
    ("console.audit.acts", "subject_id"),
    ("console.evidence.review_each", "evidence_id"),
    ("mini.evidence.review_each", "evidence_id"),
} | {(f"console.items.{name}", field) for name in ("listing", "export") for field in ("owner_id", "campaign_id")}
"""A filter over one's own rows refuses nothing, and finds nothing."""


@pytest.fixture
def theirs(full: FullZone) -> FullZone:
    """Another zone, with one of everything."""
    return full


@pytest.fixture
async def ours(settings: Settings, database: str) -> FullZone:
    """The caller's own zone."""
    zone = await organization.create_zone(code=f"gxq-{uuid4().hex[:8]}", name="高新区")
    return await fill(zone, Signer(settings.signing_key.get_secret_value()))


@pytest.fixture
async def callers(ours: FullZone, callers_in: Any) -> dict[str, Client]:
    """Whoever in our zone may use a route."""
    found: dict[str, Client] = await callers_in(ours)
    return found


def caller_of(route: Route, callers: dict[str, Client]) -> Client:
    apart = {frozenset({Role.SECURITY_ADMIN}): KEEPER, frozenset({Role.AUDITOR}): READER}
    return callers[apart.get(frozenset(route.roles), route.audience)]


def operations() -> Iterator[tuple[Route, str, Json]]:
    """Each route with its path and its operation."""
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            yield ROUTES[operation["operationId"]], path, operation


async def ask(client: Client, route: Route, path: str, *, query: Json, body: Any) -> Answer:
    headers = {header.name: header.example for header in route.asks}
    headers |= {"Idempotency-Key": str(uuid4()), "If-Match": '"1"'}
    if route.stream:
        headers["Content-Type"] = route.takes[0]
    sent = {"json": body} if route.body else {"data": b"x"} if route.writes else {}
    return await client.call(route.method, path, params=query, headers=headers, **sent)


def simplest_body(operation: Json) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    return simplest(content["application/json"]["schema"]) if "application/json" in content else None


def simplest_query(operation: Json) -> Json:
    parameters = operation.get("parameters", ())
    return {one["name"]: simplest(one["schema"]) for one in parameters if one["in"] == "query" and one["required"]}


async def test_another_zones_ids_in_the_path_are_not_found_and_nothing_changes(
    theirs: FullZone, callers: dict[str, Client]
) -> None:
    before, asked, found = await rows_of(theirs.office.zone.id), 0, []
    for route, path, operation in operations():
        if "{" not in path or route.name in OWN_NAMES:
            continue
        head, name, tail = re.split(r"[{}]", path)
        body, query = simplest_body(operation), simplest_query(operation)
        for each in theirs.ids[name]:
            answer = await ask(caller_of(route, callers), route, f"{head}{each}{tail}", query=query, body=body)
            asked += 1
            if (answer.status, answer.content.get("code")) != (404, "not_found"):
                found.append((route.name, answer.status, answer.text))
    assert not found
    assert asked > 100
    assert await rows_of(theirs.office.zone.id) == before


def fields_with_ids(schema: Json, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Names of the fields of `schema`, those within it included, that hold a UUID or a list of them."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from fields_with_ids(DOCUMENT["components"]["schemas"][name], seen | {name})
    for within in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])):
        yield from fields_with_ids(within, seen)
    for name, inner in schema.get("properties", {}).items():
        if '"uuid"' in json.dumps({**inner, "examples": None}):
            yield name
        else:
            yield from fields_with_ids(inner, seen)


def places_of_ids() -> set[tuple[str, str]]:
    """Every (route, field) at which a query or a body takes an id."""
    found = set()
    for route, _, operation in operations():
        asked = {one["name"]: one["schema"] for one in operation.get("parameters", ()) if one["in"] == "query"}
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        fields = [*fields_with_ids({"properties": asked}), *fields_with_ids(content.get("schema", {}))]
        found |= {(route.name, name) for name in fields}
    return found


def requests_with(theirs: FullZone, ours: FullZone) -> dict[tuple[str, str], tuple[Json, Any]]:
    """For each of those places a query and a body that are right but for the one id that is theirs."""
    item, visit, campaign, unit = (theirs.first(f"{name}_id") for name in ("item", "visit", "campaign", "unit"))
    person, piece = theirs.first("person_id"), theirs.first("evidence_id")
    own = {"owner_id": ours.first("person_id"), "unit_id": ours.first("unit_id")}
    matter = {"list": "task", "title": "新的事项", "requirement": "办好", "classification": "internal", "due_days": 5}
    matter, within = matter | own, {"campaign_id": ours.first("campaign_id")}
    visited = {"verdict": "effective", "seen": "现场整洁。", "visited_at": FORMATS["date-time"], "evidence": [piece]}
    stop = {name: visited[name] for name in ("seen", "visited_at", "evidence")}
    found = {"visit_id": ours.first("visit_id"), "verdict": "effective"}
    absent = {"delegate_id": person, "from_on": "2027-03-01", "until_on": "2027-03-02"}
    requests: dict[tuple[str, str], tuple[Json, Any]] = {
        ("console.items.draft", "campaign_id"): ({}, {"campaign_id": campaign, "matter": matter}),
        ("console.items.draft", "owner_id"): ({}, within | {"matter": matter | {"owner_id": person}}),
        ("console.items.draft", "unit_id"): ({}, within | {"matter": matter | {"unit_id": unit}}),
        ("console.items.revise", "owner_id"): ({}, matter | {"owner_id": person}),
        ("console.items.revise", "unit_id"): ({}, matter | {"unit_id": unit}),
        ("console.items.similar", "owner_id"): ({"owner_id": person, "title": "第2件事项"}, None),
        ("console.escalations.simulate", "item_id"): ({}, {"item_id": item}),
        ("console.audit.acts", "subject_id"): ({"subject_id": item}, None),
        ("console.accounts.create", "person_id"): ({}, {"person_id": person, "login": f"other-{uuid4().hex[:8]}"}),
        ("console.packs.ask", "item_id"): ({}, {"item_id": item}),
        ("console.packs.ask", "campaign_id"): ({}, {"campaign_id": campaign}),
        ("console.recusals.declare", "person_id"): ({}, {"person_id": person, "other_id": ours.first("person_id")}),
        ("console.recusals.declare", "other_id"): ({}, {"person_id": ours.first("person_id"), "other_id": person}),
        ("console.lookbacks.record", "evidence"): ({}, visited | {"paper": "档案柜3-12"}),
        ("console.lookbacks.record", "written_by"): (
            {},
            visited | {"evidence": [], "paper": "x", "written_by": person},
        ),
        ("console.sites.issue", "unit_id"): ({}, {"unit_id": unit, "name": "长河路工地"}),
        ("console.sites.listing", "unit_id"): ({"unit_id": unit}, None),
        ("console.sites.posters", "site_ids"): ({}, {"site_ids": [theirs.first("site_id")]}),
        ("mini.lookbacks.record", "evidence"): ({}, visited),
        ("mini.lookbacks.record_stop", "evidence"): ({}, stop | {"records": [found]}),
        ("mini.lookbacks.record_stop", "visit_id"): (
            {},
            stop | {"evidence": [], "records": [found | {"visit_id": visit}]},
        ),
        ("mini.organization.delegate", "delegate_id"): ({}, absent),
    }
    terms = {"percent": 10, "population": {}}
    planning = {
        "lookbacks.plan": terms | {"name": "计划"},
        "lookbacks.preview_terms": terms,
        "series.begin": terms | {"name": "定期", "every": "month"},
    }
    for name, said in planning.items():
        requests[f"console.{name}", "unit_id"] = {}, said | {"population": {"unit_id": unit}}
        requests[f"console.{name}", "campaign_id"] = {}, said | {"population": {"campaign_id": campaign}}
        requests[f"console.{name}", "inspectors"] = {}, said | {"inspectors": [person]}
    for field, each in (("unit_id", unit), ("campaign_id", campaign)):
        requests["console.populations.save", field] = {}, {"name": "范围", "population": {field: each}}
    for name in ("listing", "export"):
        requests[f"console.items.{name}", "owner_id"] = {"owner_id": person}, None
        requests[f"console.items.{name}", "campaign_id"] = {"campaign_id": campaign}, None
    for audience in ("mini", "console"):
        for field, each in (("item_id", item), ("visit_id", visit)):
            requests[f"{audience}.evidence.page", field] = {field: each}, None
            requests[f"{audience}.evidence.submit", field] = {}, {"kind": "text", "text": "说明", field: each}
            requests[f"{audience}.evidence.upload", field] = {"kind": "photo", field: each}, None
        words = {"words": [{"evidence_id": piece, "verdict": "accepted"}]}
        requests[f"{audience}.evidence.review_each", "evidence_id"] = {}, words
    return requests


async def test_another_zones_ids_in_queries_and_bodies_find_nothing_and_change_nothing(
    theirs: FullZone, ours: FullZone, callers: dict[str, Client]
) -> None:
    requests = requests_with(theirs, ours)
    assert requests.keys() == places_of_ids() - NO_ROWS
    before, found = await rows_of(theirs.office.zone.id), []
    for (name, field), (query, body) in requests.items():
        route = ROUTES[name]
        path = re.sub(r"<(\w+):\w+>", lambda parameter: ours.first(parameter[1]), route.path)
        answer = await ask(caller_of(route, callers), route, path, query=query, body=body)
        if answer.status not in (404, 422) and not ((name, field) in FILTERS and shows_nothing(answer)):
            found.append((name, field, answer.status, answer.text))
    assert not found
    assert await rows_of(theirs.office.zone.id) == before


def shows_nothing(answer: Answer) -> bool:
    """An empty list, or a workbook without rows."""
    return answer.status == 200 and (answer.content is None or answer.content["items"] == [])
