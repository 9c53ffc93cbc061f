"""Scope: deny by default, a role holds over its subtree only."""

from uuid import uuid4

import pytest

from models.base.errors import Forbidden
from models.base.scope import Grant, Role, Scope

LEADER = Scope(zone_id=uuid4(), actor="person:x", grants=(Grant(Role.UNIT_LEADER, "/KFQ/JJ/"),))


def test_a_role_holds_below_its_unit_and_not_beside_it() -> None:
    assert LEADER.may(Role.UNIT_LEADER, path="/KFQ/JJ/")
    assert LEADER.may(Role.UNIT_LEADER, path="/KFQ/JJ/ZS/")
    assert not LEADER.may(Role.UNIT_LEADER, path="/KFQ/JJX/")
    assert not LEADER.may(Role.UNIT_LEADER, path="/KFQ/")


def test_another_role_is_forbidden_in_a_sentence_that_a_cadre_understands() -> None:
    with pytest.raises(Forbidden) as refusal:
        LEADER.require(Role.OVERSIGHT)
    assert refusal.value.code == "role_missing"
    assert "角色" in refusal.value.detail


def test_the_product_itself_holds_no_role() -> None:
    assert not Scope.system(uuid4()).may(*Role)
