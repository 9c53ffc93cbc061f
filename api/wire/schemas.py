"""The forms that requests and replies extend."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")


class Schema(BaseModel):
    """A request's or reply's form: unknown fields are refused, ORM rows may be read by `model_validate`."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Page(Schema, Generic[Item]):
    """One bounded part of a list; `next` is the cursor of the part after it, null at the end."""

    items: list[Item]
    next: Annotated[str | None, Field(description="下一页的游标；没有更多时为空。", examples=["WyIwMTkzIl0"])] = None


class Listing(Schema):
    """The query of a list. Extend it with filters."""

    after: Annotated[str | None, Field(description="上一页给出的游标。", max_length=400)] = None
    limit: Annotated[int, Field(description="一页最多几条。", ge=1, le=100)] = 50
