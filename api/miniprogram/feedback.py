"""投诉建议 on the phone: saying something, and seeing what was answered."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.feedback import FeedbackOut, Text
from api.wire import ANYONE_BOUND, Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import feedback
from models.base.scope import Scope
from models.feedback import FeedbackKind

routes = Routes("mini", "/feedback", tag="投诉建议")


class FeedbackIn(Schema):
    """What somebody has to say about the product."""

    kind: Annotated[FeedbackKind, Field(description="complaint 投诉；suggestion 建议")]
    text: Text


@routes.get("", roles=ANYONE_BOUND, query=Listing, reply=Page[FeedbackOut], summary="我的投诉建议和答复")
async def mine(scope: Scope, query: Listing) -> Page[FeedbackOut]:
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await feedback.mine(by=scope, after=after, limit=query.limit)
    more = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[FeedbackOut](items=[FeedbackOut.model_validate(one) for one in found], next=more)


@routes.post(
    "",
    roles=ANYONE_BOUND,
    body=FeedbackIn,
    reply=FeedbackOut,
    status=201,
    summary="提投诉建议",
    errors=("too_many_waiting",),
)
async def submit(scope: Scope, body: FeedbackIn) -> FeedbackOut:
    return FeedbackOut.model_validate(await feedback.submit(body.text, kind=body.kind, by=scope))
