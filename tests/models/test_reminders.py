"""Reminders: once per obligation, acknowledged by their person, settled as the matter moves on."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from models import organization, reminders
from models.base import audit, clock
from models.base import database as postgres
from models.base.audit import AuditRow
from models.base.errors import Conflict, NotFound
from models.base.ids import new_id
from models.base.outbox import Promise
from models.base.scope import Scope
from models.deliveries import Delivery, DeliveryState
from models.organization import Person, Zone
from models.reminders import Reminder, ReminderKind, ReminderState

pytestmark = pytest.mark.usefixtures("database")


def scope_of(zone: Zone, person_id: UUID) -> Scope:
    return Scope(zone.id, f"person:{person_id}", person_id=person_id)


async def remind(zone: Zone, person_id: UUID, kind: ReminderKind = ReminderKind.OVERDUE, **more: object) -> UUID:
    facts = {"subject": ("item", new_id()), "summary": "事项", "key": str(new_id()), **more}
    made = await reminders.remind(zone.id, person_id, kind, **facts)  # type: ignore[arg-type]
    assert made is not None
    return made


async def what_acknowledging_left(reminder_id: UUID) -> dict[str, object]:
    """Everything that an acknowledgement writes, without what differs from one to the next."""
    reminder = await Reminder.get(id=reminder_id)
    row = await AuditRow.get(subject_id=reminder_id)
    promise = await Promise.get(key=f"acknowledged:{reminder_id}")
    assert bytes(row.hash) == audit.row_hash({**dict(row), "data": row.data})
    assert (row.zone_id, promise.zone_id) == (reminder.zone_id, reminder.zone_id)
    assert promise.due_at == promise.next_at == promise.made_at
    assert promise.payload == {"reminder_id": str(reminder_id)}
    return {
        "reminder": (reminder.state, reminder.note, reminder.ended_at, reminder.expires_at),
        "audit": (row.actor, row.action, row.subject_type, row.data),
        "promise": (promise.job, promise.state, promise.attempts, promise.lease),
    }


@pytest.mark.parametrize("note", [None, "已安排"])
async def test_the_statement_and_the_ordinary_rule_of_acknowledging_agree(zone: Zone, note: str | None) -> None:
    person = new_id()
    by, together, alone = scope_of(zone, person), await remind(zone, person), await remind(zone, person)
    first = await reminders.acknowledge(together, by=by, note=note)
    second = await reminders.acknowledge_alone(alone, by=by, note=note)
    assert await what_acknowledging_left(together) == await what_acknowledging_left(alone)
    assert (first.state, second.state) == (ReminderState.ACKNOWLEDGED, ReminderState.ACKNOWLEDGED)
    stored = await Reminder.get(id=together)
    assert first.acknowledged_at == stored.acknowledged_at


@pytest.mark.parametrize("rule", [reminders.acknowledge, reminders.acknowledge_alone])
async def test_acknowledging_twice_is_written_once_and_answered_alike(zone: Zone, rule: Callable) -> None:
    person = new_id()
    by, reminder = scope_of(zone, person), await remind(zone, person)
    assert await rule(reminder, by=by) == await rule(reminder, by=by, note="again")
    assert await AuditRow.filter(subject_id=reminder).count() == 1
    assert (await Reminder.get(id=reminder)).note is None


async def test_acknowledging_at_the_same_instant_is_written_once(zone: Zone) -> None:
    person = new_id()
    by, reminder = scope_of(zone, person), await remind(zone, person)
    calls = [reminders.acknowledge(reminder, by=by) for _ in range(20)]
    calls += [reminders.acknowledge_alone(reminder, by=by) for _ in range(5)]
    answers = await asyncio.gather(*calls)
    assert len(set(answers)) == 1
    assert await AuditRow.filter(subject_id=reminder).count() == 1


async def test_batches_over_the_same_reminders_in_any_order_do_not_deadlock(zone: Zone) -> None:
    person = new_id()
    by = scope_of(zone, person)
    made = [await remind(zone, person) for _ in range(60)]
    for _ in range(3):
        await asyncio.gather(*(reminders.acknowledge(r, by=by) for r in [*made, *reversed(made)]))
    assert await AuditRow.filter(action="reminder.acknowledged").count() == len(made)


@pytest.mark.parametrize("rule", [reminders.acknowledge, reminders.acknowledge_alone])
async def test_another_persons_or_zones_reminder_is_not_found(zone: Zone, rule: Callable) -> None:
    person = new_id()
    reminder = await remind(zone, person)
    with pytest.raises(NotFound):
        await rule(reminder, by=scope_of(zone, new_id()))
    with pytest.raises(NotFound):
        await rule(reminder, by=Scope(new_id(), "person", person_id=person))


@pytest.mark.parametrize("rule", [reminders.acknowledge, reminders.acknowledge_alone])
async def test_a_new_item_is_received_and_not_acknowledged(zone: Zone, rule: Callable) -> None:
    person = new_id()
    reminder = await remind(zone, person, ReminderKind.TO_RECEIVE)
    with pytest.raises(Conflict) as refused:
        await rule(reminder, by=scope_of(zone, person))
    assert refused.value.code == "receive_the_item"


async def test_one_callers_bad_note_does_not_fail_the_others_of_its_batch(zone: Zone) -> None:
    person = new_id()
    by = scope_of(zone, person)
    made = [await remind(zone, person) for _ in range(5)]
    notes = [None, None, "x" * 501, None, None]  # longer than the column: the statement fails for all five
    answers = await asyncio.gather(
        *(reminders.acknowledge(r, by=by, note=n) for r, n in zip(made, notes, strict=True)), return_exceptions=True
    )
    assert [isinstance(answer, Exception) for answer in answers] == [False, False, True, False, False]
    assert await Reminder.filter(state=ReminderState.ACKNOWLEDGED).count() == 4


async def test_the_same_obligation_is_reminded_of_once(zone: Zone) -> None:
    person = new_id()
    await remind(zone, person, key="once")
    again = await reminders.remind(zone.id, person, ReminderKind.OVERDUE, ("item", new_id()), "事项", key="once")
    assert again is None
    assert (await Reminder.all().count(), await Delivery.all().count()) == (1, 1)


async def test_the_inbox_shows_open_reminders_newest_first_and_counts_them_by_kind(zone: Zone) -> None:
    person = new_id()
    made = [await remind(zone, person) for _ in range(3)]
    received = await remind(zone, person, ReminderKind.TO_RECEIVE, summary="清淤")
    await remind(zone, new_id())
    await reminders.acknowledge(made[0], by=scope_of(zone, person))
    box = json.loads(await reminders.inbox(by=scope_of(zone, person)))
    assert [item["id"] for item in box["items"]] == [str(received), str(made[2]), str(made[1])]
    assert box["counts"] == {"overdue": 2, "to_receive": 1}
    assert box["next"] is None
    assert set(box["items"][0]) == {
        "id",
        "kind",
        "subject_type",
        "subject_id",
        "summary",
        "due_on",
        "urgent",
        "made_at",
    }


async def test_the_inbox_is_read_page_by_page(zone: Zone) -> None:
    person = new_id()
    made = [str(await remind(zone, person)) for _ in range(5)]
    by, seen, after = scope_of(zone, person), [], None
    while True:
        box = json.loads(await reminders.inbox(by=by, after=after, limit=2))
        seen += [item["id"] for item in box["items"]]
        if not box["next"]:
            break
        after = UUID(box["next"])
    assert seen == made[::-1]


async def test_readers_who_come_together_each_get_their_own_inbox(zone: Zone) -> None:
    people = [new_id() for _ in range(200)]
    for person in people[:50]:
        await remind(zone, person, summary=str(person))
    boxes = await asyncio.gather(*(reminders.inbox(by=scope_of(zone, person)) for person in people))
    shown = [[item["summary"] for item in json.loads(box)["items"]] for box in boxes]
    assert shown == [[str(person)] for person in people[:50]] + [[]] * 150


async def test_settling_ends_reminders_and_withdraws_what_has_not_left(zone: Zone) -> None:
    owner, leader, item = new_id(), new_id(), ("item", new_id())
    mine = await remind(zone, owner, ReminderKind.TO_RECEIVE, subject=item)
    theirs = await remind(zone, leader, ReminderKind.ESCALATED, subject=item)
    other = await remind(zone, owner)
    assert await reminders.settle(zone.id, item, acknowledged_by=owner) == 2
    settled = {row.id: row for row in await Reminder.filter(id__in=[mine, theirs])}
    assert settled[mine].acknowledged_at is not None
    assert settled[theirs].acknowledged_at is None
    states = {row.reminder_id: row.state for row in await Delivery.all()}
    assert states == {
        mine: DeliveryState.SUPERSEDED,
        theirs: DeliveryState.SUPERSEDED,
        other: DeliveryState.QUEUED,
    }
    assert await reminders.settle(zone.id, item) == 0


async def test_settling_some_kinds_of_one_person_leaves_the_rest(zone: Zone) -> None:
    person, item = new_id(), ("item", new_id())
    due = await remind(zone, person, ReminderKind.DUE_SOON, subject=item)
    await remind(zone, person, ReminderKind.TO_RECEIVE, subject=item)
    await remind(zone, new_id(), ReminderKind.DUE_SOON, subject=item)
    await reminders.settle(zone.id, item, kinds=[ReminderKind.DUE_SOON], person_id=person)
    assert [row.id for row in await Reminder.filter(state=ReminderState.SETTLED)] == [due]


async def test_an_acknowledgement_that_has_held_long_enough_alerts_again_but_three_times_at_most(
    zone: Zone, clock_moves: Callable[..., None]
) -> None:
    person = new_id()
    by, current = scope_of(zone, person), await remind(zone, person, ReminderKind.REVIEW_WAITING)
    for alert in (1, 2):
        await reminders.acknowledge(current, by=by)
        await reminders.after_acknowledgement(zone.id, current)
        promise = await Promise.get(key=f"expire:{current}")
        clock_moves(seconds=(promise.due_at - clock.now()).total_seconds() + 1)
        again = await reminders.expire(zone.id, current)
        assert again is not None
        assert (await Reminder.get(id=again)).alerts == alert + 1
        assert await reminders.expire(zone.id, current) is None
        current = again
    await reminders.acknowledge(current, by=by)
    await reminders.after_acknowledgement(zone.id, current)
    assert not await Promise.exists(key=f"expire:{current}")


async def test_an_acknowledgement_does_not_expire_once_the_matter_has_moved_on(zone: Zone) -> None:
    person, item = new_id(), ("item", new_id())
    reminder = await remind(zone, person, subject=item)
    await reminders.acknowledge(reminder, by=scope_of(zone, person))
    await reminders.after_acknowledgement(zone.id, reminder)
    await reminders.settle(zone.id, item)
    assert await reminders.expire(zone.id, reminder) is None


async def test_acknowledging_withdraws_the_message_that_has_not_left(zone: Zone) -> None:
    person = new_id()
    reminder = await remind(zone, person)
    await reminders.acknowledge(reminder, by=scope_of(zone, person))
    await reminders.after_acknowledgement(zone.id, reminder)
    assert (await Delivery.get(reminder_id=reminder)).state is DeliveryState.SUPERSEDED


async def test_the_inbox_is_read_through_its_index(zone: Zone) -> None:
    person = new_id()
    for _ in range(3):
        await remind(zone, person)
    async with postgres.in_transaction():
        await postgres.execute("set local enable_seqscan = off")
        plan = await postgres.fetch(
            "explain select id from reminder where zone_id = $1 and person_id = $2 and state = 'open' and id < $3"
            " order by id desc limit 20",
            zone.id,
            person,
            new_id(),
        )
    assert any("reminder_inbox" in str(row) for row in plan)


async def test_who_stands_in_by_now_is_alerted_when_an_acknowledgement_expires(zone: Zone) -> None:
    people = [
        await Person.create(zone_id=zone.id, staff_no=f"P{n}", name=f"人员{n}", phone=f"1540000{n:04d}")
        for n in range(2)
    ]
    absent, delegate = (person.id for person in people)
    reminder = await remind(zone, absent, ReminderKind.REVIEW_WAITING)
    await reminders.acknowledge(reminder, by=scope_of(zone, absent))
    await reminders.after_acknowledgement(zone.id, reminder)
    today = clock.today()
    until_on = today + timedelta(days=30)
    await organization.delegate(by=scope_of(zone, absent), delegate_id=delegate, from_on=today, until_on=until_on)
    again = await reminders.expire(zone.id, reminder)
    assert (await Reminder.get(id=again)).person_id == delegate
