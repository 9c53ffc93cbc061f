"""Urging from the console."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Routes, Schema
from models import ledger
from models.base.scope import Role, Scope

routes = Routes("console", "/items", tag="催办")


class UrgeIn(Schema):
    """What to say with it."""

    note: Annotated[str | None, Field(description="要求，可以不填", max_length=80, examples=["请于本周内办结"])] = None


@routes.post(
    "/<item_id:uuid>/urge",
    roles={Role.OVERSIGHT, Role.UNIT_LEADER},
    body=UrgeIn,
    status=204,
    summary="催办（有最小间隔）",
    errors=("not_found", "wrong_state", "urged_recently"),
)
async def urge(scope: Scope, item_id: UUID, body: UrgeIn) -> None:
    await ledger.urge(item_id, by=scope, note=body.note)
