"""The peer's routes."""

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from sqlalchemy import ColumnElement, and_, exists, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload

from api.ledger import ItemLine, ItemOut
from api.miniprogram.reminders import AcknowledgeIn, AcknowledgementOut, InboxOut, ReminderOut
from api.wire import Page, write_cursor
from models import ledger
from models.base.audit import row_hash
from models.base.ids import new_id
from models.base.scope import Scope
from models.ledger import people  # who may do what is pure Python: the same for both
from models.ledger.reading import Whole, next_actions
from models.ledger.tables import OPEN, State
from models.organization import Chain, Seat, Staffed
from models.reminders import ReminderKind, ReminderState
from tests.bench import tokens
from tests.bench.peer.tables import Appointment, AuditRow, Cycle, Delegation, Extension, Item, Person, Promise, Reminder

SECRET = os.environ["ZHUOLUO_SIGNING_KEY"]
URL = os.environ["ZHUOLUO_DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://", 1)
engine = create_async_engine(URL, pool_size=16, max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(title="peer", openapi_url=None)


async def session() -> AsyncIterator[AsyncSession]:
    """A session a request, given back at its end."""
    async with sessions() as opened:
        yield opened


async def caller(authorization: Annotated[str, Header()]) -> Scope:
    """Who holds the token."""
    try:
        zone_id, person_id = tokens.read(authorization.removeprefix("Bearer "), SECRET)
    except jwt.InvalidTokenError as refused:
        raise HTTPException(401) from refused
    return Scope(zone_id, f"person:{person_id}", person_id=person_id)


Session = Annotated[AsyncSession, Depends(session)]
Caller = Annotated[Scope, Depends(caller)]
Limit = Annotated[int, Query(ge=1, le=100)]


@app.get("/api/mini/inbox")
async def inbox(session: Session, by: Caller, limit: Limit = 20) -> InboxOut:
    """The first open reminders and the counts by kind."""
    own = (Reminder.zone_id == by.zone_id, Reminder.person_id == by.person_id, Reminder.state == ReminderState.OPEN)
    newest = select(Reminder).where(*own).order_by(Reminder.id.desc()).limit(limit)
    items = (await session.scalars(newest)).all()
    counted = await session.execute(select(Reminder.kind, func.count()).where(*own).group_by(Reminder.kind))
    return InboxOut(
        items=[ReminderOut.model_validate(item) for item in items],
        next=items[-1].id if len(items) == limit else None,
        counts={kind.value: count for kind, count in counted},
    )


@app.post("/api/mini/inbox/{reminder_id}/acknowledge")
async def acknowledge(session: Session, by: Caller, reminder_id: UUID, body: AcknowledgeIn) -> AcknowledgementOut:
    """Lock, change, log, promise, in one transaction; asked again, it answers the same."""
    async with session.begin():
        own = (Reminder.id == reminder_id, Reminder.zone_id == by.zone_id, Reminder.person_id == by.person_id)
        reminder = await session.scalar(select(Reminder).where(*own).with_for_update())
        if reminder is None:
            raise HTTPException(404)
        if reminder.state is ReminderState.OPEN:
            if reminder.kind is ReminderKind.TO_RECEIVE:
                raise HTTPException(409)
            now = datetime.now(UTC)
            reminder.state, reminder.acknowledged_at, reminder.note = ReminderState.ACKNOWLEDGED, now, body.note
            session.add_all([_logged(by, reminder_id, now, body.note), _promised(by, reminder_id, now)])
    return AcknowledgementOut.model_validate(reminder)


def _logged(by: Scope, reminder_id: UUID, now: datetime, note: str | None) -> AuditRow:
    row = {
        "id": new_id(),
        "zone_id": by.zone_id,
        "at": now,
        "actor": by.actor,
        "action": "reminder.acknowledged",
        "subject_type": "reminder",
        "subject_id": reminder_id,
        "data": {"noted": note is not None},
    }
    return AuditRow(**row, hash=row_hash(row), tx=literal_column("pg_current_xact_id()::text::bigint"))


def _promised(by: Scope, reminder_id: UUID, now: datetime) -> Promise:
    return Promise(
        zone_id=by.zone_id,
        job="reminders.acknowledged",
        payload={"reminder_id": str(reminder_id)},
        key=f"acknowledged:{reminder_id}",
        due_at=now,
        next_at=now,
        made_at=now,
    )


@app.get("/api/mini/items")
async def items(session: Session, by: Caller, limit: Limit = 50) -> Page[ItemLine]:
    """The caller's own open items, newest first."""
    own = await _selves(session, by)
    newest = (
        select(Item)
        .where(Item.zone_id == by.zone_id, Item.owner_id.in_(own), Item.state.in_(OPEN))
        .options(joinedload(Item.owner), joinedload(Item.unit))
        .order_by(Item.id.desc())
        .limit(limit)
    )
    found = (await session.scalars(newest)).all()
    next_ = write_cursor(found[-1].id) if len(found) == limit else None
    return Page[ItemLine](items=[_line(item) for item in found], next=next_)


def _line(item: Item) -> ItemLine:
    same = ItemLine.model_fields.keys() - {"owner", "unit", "state_label", "overdue"}
    named = {"owner": item.owner.name, "unit": item.unit.name, "state_label": item.state.label}
    return ItemLine(**{name: getattr(item, name) for name in same}, **named, overdue=ledger.overdue(item))


@app.get("/api/mini/items/{item_id}")
async def item(session: Session, by: Caller, item_id: UUID) -> ItemOut:
    """One item of the caller's, whole."""
    own = await _selves(session, by)
    asked = (
        select(Item)
        .where(Item.zone_id == by.zone_id, Item.id == item_id, Item.state != State.DRAFT, or_(*_named(own)))
        .options(joinedload(Item.owner), joinedload(Item.unit))
    )
    found = await session.scalar(asked)
    if found is None:
        raise HTTPException(404)
    of_item = (Cycle.zone_id == by.zone_id, Cycle.item_id == item_id)
    cycles = (await session.scalars(select(Cycle).where(*of_item).order_by(Cycle.number.desc()).limit(50))).all()
    asked_for = select(Extension).where(Extension.zone_id == by.zone_id, Extension.item_id == item_id)
    extension = await session.scalar(asked_for.order_by(Extension.id.desc()).limit(1))
    whole = Whole(found, found.owner.name, found.unit.name, list(cycles), extension)
    standing = people.standing(found, by, frozenset(own), await _staffed(session, found))
    return ItemOut.whole(replace(whole, next_actions=next_actions(whole, standing, by.person_id)))


def _named(own: list[UUID]) -> list[object]:
    """Conditions under which an item concerns one of `own`."""
    conditions: list[object] = []
    for person in own:
        conditions += [Item.owner_id == person, Item.chain.contains({"unit_leader": str(person)})]
        conditions += [Item.chain.contains({role: [str(person)]}) for role in ("upward", "oversight")]
    return conditions


async def _selves(session: AsyncSession, by: Scope) -> list[UUID]:
    """The caller and whoever is absent and delegated to the caller (directly: less than the product looks up)."""
    absent = select(Delegation.person_id).where(
        Delegation.zone_id == by.zone_id, Delegation.delegate_id == by.person_id, *_today()
    )
    return [by.person_id, *(await session.scalars(absent)).all()]


def _today() -> tuple[ColumnElement[bool], ...]:
    today = date.today()
    return Delegation.from_on <= today, Delegation.until_on >= today, Delegation.ended_at.is_(None)


async def _staffed(session: AsyncSession, found: Item) -> Staffed:
    """The people of the chain who still serve, and their direct delegates (again less than the product looks up)."""
    chain = Chain.model_validate(found.chain)
    of_person = Appointment.person_id == Person.id
    serving = and_(of_person, func.coalesce(Appointment.until_on, date.max) >= date.today())
    rows = await session.execute(
        select(Person.id, Delegation.delegate_id)
        .outerjoin(Delegation, and_(Delegation.person_id == Person.id, *_today()))
        .where(Person.zone_id == found.zone_id, Person.id.in_(chain.everyone()), Person.active)
        .where(or_(~exists().where(of_person), exists().where(serving)))
    )
    seats = {holder: Seat(holder, delegate or holder) for holder, delegate in rows}
    ladder = [person for person in (chain.unit_leader, *chain.upward) if person]
    overseers = tuple(seats[person] for person in chain.oversight if person in seats)
    return Staffed(seats.get(chain.owner), tuple(map(seats.get, ladder)), overseers)
