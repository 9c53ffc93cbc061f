"""What the mini-program and the console both show of a complaint or suggestion."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Schema
from models.feedback import FeedbackKind, FeedbackState

Text = Annotated[str, Field(description="内容", min_length=1, max_length=2000, examples=["同一件事不要重复提醒"])]


class FeedbackOut(Schema):
    """One complaint or suggestion, with its answer once there is one."""

    id: UUID
    kind: Annotated[FeedbackKind, Field(description="complaint 投诉；suggestion 建议")]
    text: Text
    state: Annotated[FeedbackState, Field(description="waiting 等待答复；answered 已答复")]
    made_at: datetime
    answer: Annotated[str, Field(description="答复；还没有答复时为空", examples=["已合并同一事项的提醒"])]
    answered_at: datetime | None
