"""Every route says for whom it is."""

from collections import Counter

import pytest

from api.app import collect
from api.wire import PUBLIC, SIGNED_IN, Route
from models.base.scope import Role

ROUTES = collect()
OPEN_TO_ALL = {
    "mini.sign_in.sign_in",
    "mini.sign_in.bind",
    "mini.sign_in.refresh",
    "console.sign_in.sign_in",
}
"""Public routes of the two audiences that sign in: exactly those by which one signs in."""
OF_THE_CALLERS_TOKEN = {"console.sign_in.session"}
"""Answers about the very token that was shown, so it needs no scope."""


def described(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=described)
def test_a_route_declares_its_audience_and_roles(route: Route) -> None:
    if route.audience in {"mini", "console"}:
        assert route.roles != PUBLIC or route.name in OPEN_TO_ALL
        assert route.path.startswith(f"/api/{route.audience}/")
    assert route.summary


@pytest.mark.parametrize("route", [route for route in ROUTES if route.roles], ids=described)
def test_a_route_behind_a_sign_in_takes_the_callers_scope(route: Route) -> None:
    """A handler without the scope could not narrow what it answers to what its caller may see."""
    assert route.wants & {"scope", "caller"} or route.name in OF_THE_CALLERS_TOKEN


def test_every_write_from_a_phone_can_be_repeated() -> None:
    unsafe = [
        described(route)
        for route in ROUTES
        if route.audience == "mini" and route.writes and route.roles and route.idempotent is None
    ]
    assert unsafe == []


def test_roles_are_roles_of_the_zone() -> None:
    strange = [
        described(route)
        for route in ROUTES
        if route.audience in {"mini", "console"}
        and route.roles not in (PUBLIC, SIGNED_IN)
        and not route.roles <= {*Role}
    ]
    assert strange == []


def test_names_and_addresses_are_unique() -> None:
    assert [name for name, count in Counter(route.name for route in ROUTES).items() if count > 1] == []
    assert [place for place, count in Counter(map(described, ROUTES)).items() if count > 1] == []
