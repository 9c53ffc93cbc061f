"""The product's tables, as far as the measured routes touch them, in SQLAlchemy's way."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TIMESTAMP

from models.base.ids import new_id
from models.ledger import Action, Classification, ExtensionState, ListKind, State
from models.reminders import ReminderKind, ReminderState


def _words(kind: Any) -> Enum:
    return Enum(kind, native_enum=False, values_callable=lambda words: [word.value for word in words])


class Table(DeclarativeBase):
    type_annotation_map = {
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        str: Text,
        ListKind: _words(ListKind),
        State: _words(State),
        Classification: _words(Classification),
        ExtensionState: _words(ExtensionState),
        ReminderKind: _words(ReminderKind),
        ReminderState: _words(ReminderState),
        Action: _words(Action),
    }

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    zone_id: Mapped[UUID]


class Reminder(Table):
    __tablename__ = "reminder"

    person_id: Mapped[UUID]
    kind: Mapped[ReminderKind]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    summary: Mapped[str]
    due_on: Mapped[date | None]
    urgent: Mapped[bool]
    state: Mapped[ReminderState]
    made_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    note: Mapped[str | None]


class AuditRow(Table):
    __tablename__ = "audit"

    tx: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    data: Mapped[dict[str, Any]]
    hash: Mapped[bytes]


class Promise(Table):
    __tablename__ = "outbox"

    job: Mapped[str]
    payload: Mapped[dict[str, Any]]
    key: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="waiting")
    due_at: Mapped[datetime]
    next_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]


class Person(Table):
    __tablename__ = "person"

    name: Mapped[str]
    active: Mapped[bool]


class Unit(Table):
    __tablename__ = "unit"

    name: Mapped[str]


class Item(Table):
    __tablename__ = "item"

    campaign_id: Mapped[UUID]
    number: Mapped[str | None]
    list: Mapped[ListKind]
    title: Mapped[str]
    requirement: Mapped[str]
    basis: Mapped[str]
    area: Mapped[str]
    classification: Mapped[Classification]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    owner: Mapped[Person] = relationship()
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    unit: Mapped[Unit] = relationship()
    unit_path: Mapped[str]
    chain: Mapped[dict[str, Any]]
    state: Mapped[State]
    cycle: Mapped[int]
    due_on: Mapped[date | None]
    due_days: Mapped[int | None]
    due_provisional: Mapped[bool]
    immediate_fix: Mapped[bool]
    urgent: Mapped[bool]
    stage_goal: Mapped[str]
    next_review_on: Mapped[date | None]
    suspended_until: Mapped[date | None]
    issued_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int]


class Cycle(Table):
    __tablename__ = "cycle"

    item_id: Mapped[UUID]
    number: Mapped[int]
    opened_at: Mapped[datetime]
    reason: Mapped[str]
    basis: Mapped[str]
    due_on: Mapped[date]
    received_at: Mapped[datetime | None]
    requested_at: Mapped[datetime | None]
    requested_by: Mapped[UUID | None]
    unit_reviewed_by: Mapped[UUID | None]
    evidence_count: Mapped[int]
    returned_times: Mapped[int]
    closed_at: Mapped[datetime | None]
    first_pass: Mapped[bool | None]


class Extension(Table):
    __tablename__ = "extension"

    item_id: Mapped[UUID]
    state: Mapped[ExtensionState]
    reason: Mapped[str]
    old_due_on: Mapped[date]
    new_due_on: Mapped[date]
    asked_at: Mapped[datetime]


class Delegation(Table):
    __tablename__ = "delegation"

    person_id: Mapped[UUID]
    delegate_id: Mapped[UUID]
    from_on: Mapped[date]
    until_on: Mapped[date]
    ended_at: Mapped[datetime | None]


class Appointment(Table):
    __tablename__ = "appointment"

    person_id: Mapped[UUID]
    until_on: Mapped[date | None]
