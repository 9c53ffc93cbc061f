"""投诉建议: what people say about the product and its burden, each tracked to an answer that its author sees.

Nobody is asked for it, it is not counted per person, and its answer is no message: it waits where it was written.
"""

from enum import StrEnum
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index

from models import organization
from models.base import audit, clock, database
from models.base.database import Row, atomic
from models.base.errors import Conflict, Forbidden
from models.base.scope import Role, Scope

ANSWERERS = (Role.ADMIN, Role.OVERSIGHT)
MOST_WAITING = 20
"""Of one person; more would be a machine's."""


class FeedbackKind(StrEnum):
    """投诉, 建议."""

    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"


class FeedbackState(StrEnum):
    """It is answered once, for good."""

    WAITING = "waiting"
    ANSWERED = "answered"


class Feedback(Row):
    """One complaint or suggestion. `unit_path` is where its author worked: whoever looks after that unit answers."""

    person: fields.ForeignKeyRelation[organization.Person] = fields.ForeignKeyField(
        "models.Person", on_delete=fields.RESTRICT, related_name="feedback"
    )
    person_id: Any
    unit_path = fields.CharField(max_length=400)
    kind = fields.CharEnumField(FeedbackKind, max_length=16)
    text = fields.TextField()
    state = fields.CharEnumField(FeedbackState, max_length=16, default=FeedbackState.WAITING)
    made_at = fields.DatetimeField()
    answer = fields.TextField(default="")
    answered_at = fields.DatetimeField(null=True)
    answered_by = fields.CharField(max_length=80, null=True)

    class Meta:
        table = "feedback"
        indexes = [
            Index(fields=("zone_id", "person_id", "id"), name="feedback_of_person"),
            Index(fields=("zone_id", "state", "id"), name="feedback_by_state"),
        ]


@atomic()
async def submit(text: str, *, kind: FeedbackKind, by: Scope) -> Feedback:
    """The caller's own word. Raises Forbidden for whoever is no person of the roster, Conflict (`too_many_waiting`)."""
    person_id = _self(by)
    await organization.Person.filter(zone_id=by.zone_id, id=person_id).select_for_update().first()  # one at a time
    waiting = Feedback.filter(zone_id=by.zone_id, person_id=person_id, state=FeedbackState.WAITING)
    if await waiting.count() >= MOST_WAITING:
        raise Conflict("too_many_waiting", f"您已有 {MOST_WAITING} 条投诉建议在等待答复，请等答复后再提。")
    made = await Feedback.create(
        zone_id=by.zone_id,
        person_id=person_id,
        unit_path=await organization.unit_path_of(by.zone_id, person_id),
        kind=kind,
        text=text,
        made_at=clock.now(),
    )
    await audit.record(by, "feedback.submitted", ("feedback", made.id), kind=kind)
    return made


async def mine(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[Feedback]:
    """The caller's own, with answers, newest first, keyset by id. Raises Forbidden."""
    own = Feedback.filter(zone_id=by.zone_id, person_id=_self(by))
    return await (own.filter(id__lt=after) if after else own).order_by("-id").limit(limit)


async def received(
    *, by: Scope, state: FeedbackState = FeedbackState.WAITING, after: UUID | None = None, limit: int = 50
) -> list[Feedback]:
    """What people of the caller's units have said, oldest first, with its authors, keyset by id. Raises Forbidden."""
    by.require(*ANSWERERS)
    found = _answerable(by).filter(state=state)
    return await (found.filter(id__gt=after) if after else found).order_by("id").limit(limit).select_related("person")


@atomic()
async def answer(feedback_id: UUID, text: str, *, by: Scope) -> Feedback:
    """Answer it; the same answer again changes nothing. Raises Forbidden, NotFound, Conflict (`already_answered`).

    Nobody answers their own complaint (`same_person`).
    """
    by.require(*ANSWERERS)
    feedback = await database.locked(_answerable(by), feedback_id)
    if feedback.person_id == by.person_id:
        raise Conflict("same_person", "这条投诉建议是您自己提的，请由其他人员答复。")
    if feedback.state is FeedbackState.ANSWERED:
        if feedback.answer == text:
            return feedback
        raise Conflict("already_answered", "这条投诉建议已经答复过。")
    feedback.state, feedback.answer = FeedbackState.ANSWERED, text
    feedback.answered_at, feedback.answered_by = clock.now(), by.actor
    await feedback.save(update_fields=["state", "answer", "answered_at", "answered_by"])
    await audit.record(by, "feedback.answered", ("feedback", feedback.id))
    return feedback


def _answerable(by: Scope) -> Any:
    return Feedback.filter(by.within("unit_path", *ANSWERERS), zone_id=by.zone_id)


def _self(by: Scope) -> UUID:
    if by.person_id is None:
        raise Forbidden("not_a_person", "只有名册中的人员本人可以提投诉建议。")
    return by.person_id
