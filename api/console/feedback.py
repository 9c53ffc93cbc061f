"""投诉建议 on the console: what people said, oldest first, and answering it."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.feedback import FeedbackOut
from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import feedback
from models.base.scope import Scope
from models.feedback import ANSWERERS, Feedback, FeedbackState

routes = Routes("console", "/feedback", tag="投诉建议")
OFFICE = {*ANSWERERS}


class FeedbackQuery(Listing):
    """Which of them."""

    state: Annotated[FeedbackState, Field(description="waiting 等待答复；answered 已答复")] = FeedbackState.WAITING


class ReceivedOut(FeedbackOut):
    """With its author, whom the answer is for."""

    author: Annotated[str, Field(description="提出人姓名", examples=["陈立"])]

    @classmethod
    def of(cls, one: Feedback) -> "ReceivedOut":
        """From a row with its person."""
        return cls(**FeedbackOut.model_validate(one).model_dump(), author=one.person.name)


class AnswerIn(Schema):
    """An answer; it is given once."""

    answer: Annotated[str, Field(description="答复", min_length=1, max_length=2000, examples=["已合并同一事项的提醒"])]


@routes.get("", roles=OFFICE, query=FeedbackQuery, reply=Page[ReceivedOut], summary="收到的投诉建议，早的在前")
async def received(scope: Scope, query: FeedbackQuery) -> Page[ReceivedOut]:
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await feedback.received(by=scope, state=query.state, after=after, limit=query.limit)
    more = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[ReceivedOut](items=[ReceivedOut.of(one) for one in found], next=more)


@routes.post(
    "/<feedback_id:uuid>/answer",
    roles=OFFICE,
    body=AnswerIn,
    reply=FeedbackOut,
    summary="答复投诉建议",
    errors=("not_found", "same_person", "already_answered"),
)
async def answer(scope: Scope, feedback_id: UUID, body: AnswerIn) -> FeedbackOut:
    return FeedbackOut.model_validate(await feedback.answer(feedback_id, body.answer, by=scope))
