"""What relapses again and again, on the console: proposed, made a campaign of, or dismissed with a reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from models import lookbacks
from models.base.scope import Role, Scope
from models.ledger import ListKind
from models.lookbacks import PatternState, RelapsePattern

routes = Routes("console", "/lookbacks/patterns", tag="回头看")
OVERSIGHT = {Role.OVERSIGHT}


class PatternOut(Schema):
    """One unit's matters of one kind, and how often they relapsed."""

    id: UUID
    unit_id: UUID
    unit: Annotated[str, Field(description="单位", examples=["建设局"])]
    list: Annotated[ListKind, Field(description="清单")]
    area: Annotated[str, Field(description="领域；没有填领域的为空", examples=["工程建设"])]
    items: Annotated[Sequence[UUID], Field(description="反弹过的事项")]
    relapses: Annotated[int, Field(description="反弹次数", examples=[3])]
    months: Annotated[int, Field(description="在几个月内", examples=[6])]
    first_at: datetime
    last_at: datetime
    proposed_at: datetime
    state: PatternState
    state_label: Annotated[str, Field(examples=["待决定"])]
    decided_at: datetime | None
    reason: Annotated[str, Field(description="不列入的理由")]
    campaign_id: Annotated[UUID | None, Field(description="列入的台账；没有为空")]

    @classmethod
    def of(cls, pattern: RelapsePattern) -> "PatternOut":
        """From a row with its unit."""
        plain = {name: getattr(pattern, name) for name in cls.model_fields if name not in ("unit", "state_label")}
        return cls(**plain, unit=pattern.unit.name, state_label=pattern.state.label)


class PatternsQuery(Listing):
    """Which of them."""

    state: Annotated[PatternState | None, Field(description="待决定、已列入专项或不列入；不填为全部。")] = None


class AcceptIn(Schema):
    """The campaign to be made."""

    name: Annotated[str, Field(description="台账名称", min_length=1, max_length=120, examples=["占道堆物反弹专项整治"])]


class DismissIn(Schema):
    """Why not."""

    reason: Annotated[str, Field(description="理由", min_length=1, max_length=500, examples=["已另案督办。"])]


@routes.get("", roles=OVERSIGHT, query=PatternsQuery, reply=Page[PatternOut], summary="反复反弹，建议列入专项")
async def listing(scope: Scope, query: PatternsQuery) -> Page[PatternOut]:
    """同一单位的同类事项，在设定的月数内反弹达到设定的次数，就列在这里，只提一次，不发消息。"""
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await lookbacks.patterns(by=scope, state=query.state, after=after, limit=query.limit)
    next_ = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[PatternOut](items=[PatternOut.of(pattern) for pattern in found], next=next_)


@routes.post(
    "/<pattern_id:uuid>/accept",
    roles=OVERSIGHT,
    body=AcceptIn,
    reply=PatternOut,
    summary="列入专项：新建台账，带出事项草稿",
    errors=("not_found", "already_decided", "campaign_exists"),
)
async def accept(scope: Scope, pattern_id: UUID, body: AcceptIn) -> PatternOut:
    """每位责任人一件草稿，列明反弹过的事项；草稿可以修改，交办前责任人看不到。"""
    return PatternOut.of(await lookbacks.accept_pattern(pattern_id, body.name, by=scope))


@routes.post(
    "/<pattern_id:uuid>/dismiss",
    roles=OVERSIGHT,
    body=DismissIn,
    reply=PatternOut,
    summary="不列入专项，写明理由",
    errors=("not_found", "already_decided", "required"),
)
async def dismiss(scope: Scope, pattern_id: UUID, body: DismissIn) -> PatternOut:
    """同样的情况不再提；此后又反弹达到次数的，才再提一次。"""
    return PatternOut.of(await lookbacks.dismiss_pattern(pattern_id, body.reason, by=scope))
