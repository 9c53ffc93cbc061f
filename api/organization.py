"""Posts and roles as the mini-program and the console both show them."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Schema
from models import organization
from models.base.scope import Role


class PostOut(Schema):
    """A post held today."""

    unit_id: UUID
    unit: Annotated[str, Field(examples=["产业发展局"])]
    title: Annotated[str, Field(description="职务", examples=["副局长"])]
    rank: organization.PostRank
    acting: Annotated[bool, Field(description="是否代理")]


class RoleOut(Schema):
    """A role over a unit and all below it."""

    role: Role
    unit_id: UUID
    unit: str
