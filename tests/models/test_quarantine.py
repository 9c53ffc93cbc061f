"""Promises in quarantine, and promises made due again, by a person's word."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from models.base import calendar, clock, outbox, quarantine
from models.base.audit import AuditRow
from models.base.errors import Conflict, Forbidden, Invalid, NotFound
from models.base.outbox import Promise, PromiseState
from models.base.scope import Grant, Role, Scope
from models.organization import Zone

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
async def admin(zone: Zone) -> Scope:
    await Promise.all().delete()
    return Scope(zone.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))


async def quarantine_one(zone: Zone, clock_moves: Callable[..., None]) -> Promise:
    await outbox.promise(zone.id, calendar.CHANGED)
    for _ in range(outbox.ATTEMPTS_BEFORE_QUARANTINE):
        clock_moves(minutes=20)
        (claimed,) = await outbox.claim(1)
        await outbox.retry(claimed, "KeyError")
    return await Promise.get(id=claimed.id)


async def test_a_released_promise_is_tried_like_a_new_one(
    zone: Zone, admin: Scope, clock_moves: Callable[..., None]
) -> None:
    bad = await quarantine_one(zone, clock_moves)
    assert [(promise.id, promise.last_error) for promise in await quarantine.quarantined(by=admin)] == [
        (bad.id, "KeyError")
    ]
    await quarantine.release(bad.id, by=admin)
    (claimed,) = await outbox.claim(1)
    assert (claimed.id, claimed.attempts) == (bad.id, 1)
    assert await outbox.keep(claimed)
    assert await AuditRow.filter(action="promise.released", subject_id=bad.id).count() == 1


async def test_a_discarded_promise_keeps_its_reason_and_is_never_tried_again(
    zone: Zone, admin: Scope, clock_moves: Callable[..., None]
) -> None:
    bad = await quarantine_one(zone, clock_moves)
    with pytest.raises(Invalid):
        await quarantine.discard(bad.id, "  ", by=admin)
    await quarantine.discard(bad.id, "来源数据已删除", by=admin)
    assert await quarantine.quarantined(by=admin) == []
    left = await Promise.get(id=bad.id)
    assert (left.state, left.discard_reason, left.last_error) == (PromiseState.DISCARDED, "来源数据已删除", "KeyError")
    clock_moves(days=1)
    assert await outbox.claim(1) == []
    assert await outbox.replay(clock.now() - timedelta(days=9), by=admin) == 0
    with pytest.raises(Conflict):
        await quarantine.release(bad.id, by=admin)


async def test_quarantine_is_the_admins_of_the_zone(zone: Zone, admin: Scope, clock_moves: Callable[..., None]) -> None:
    bad = await quarantine_one(zone, clock_moves)
    with pytest.raises(Forbidden):
        await quarantine.release(bad.id, by=Scope(zone.id, "person"))
    other = await Zone.create(code="other", name="邻区", created_at=clock.now())
    stranger = Scope(other.id, "account:admin", grants=(Grant(Role.ADMIN, "/"),))
    with pytest.raises(NotFound):
        await quarantine.discard(bad.id, "不要了", by=stranger)
    assert await quarantine.quarantined(by=stranger) == []


async def test_what_was_kept_since_is_due_again_and_what_was_kept_before_is_not(
    zone: Zone, admin: Scope, clock_moves: Callable[..., None]
) -> None:
    for key in ("before", "after"):
        await outbox.promise(zone.id, calendar.CHANGED, key=key)
        (claimed,) = await outbox.claim(10)
        await outbox.keep(claimed)
        clock_moves(hours=1)
    await outbox.promise(zone.id, calendar.CHANGED, due_at=clock.now() + timedelta(days=3))
    assert await outbox.replay(clock.now() - timedelta(minutes=90), by=admin) == 1
    assert [promise.key for promise in await outbox.claim(10)] == ["after"]
    with pytest.raises(Forbidden):
        await outbox.replay(clock.now(), by=Scope(zone.id, "person"))
    assert await AuditRow.filter(action="outbox.replayed").count() == 1
