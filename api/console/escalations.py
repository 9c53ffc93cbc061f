"""Escalation policies, trying them on an item, and the letters and talks that they draft."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sanic import HTTPResponse, Request

from api.wire import Listing, Page, Routes, Schema, etag, expected_version, read_cursor, write_cursor
from models import escalations, ledger
from models.base.scope import Role, Scope
from models.escalations import Action, Condition, DraftState, Step

policy_routes = Routes("console", "/policies", tag="预警策略")
draft_routes = Routes("console", "/drafts", tag="提示函和约谈草稿")
routes = (policy_routes, draft_routes)
SETTERS = {Role.OVERSIGHT, Role.ADMIN}


class PolicyIn(Schema):
    """A policy's name and ordered steps."""

    name: Annotated[str, Field(description="名称", min_length=1, max_length=64, examples=["临期提醒"])]
    steps: Annotated[list[Step], Field(description="按先后排列的步骤", min_length=1, max_length=20)]


class PolicyOut(Schema):
    """A policy in its newest version; 0 is the one that comes with the product."""

    code: Annotated[str, Field(description="编码", examples=["near_due"])]
    name: Annotated[str, Field(description="名称", examples=["临期提醒"])]
    version: Annotated[int, Field(description="版本；修改时放在 If-Match 中，新建时为 0", examples=[1])]
    steps: list[Step]
    active: Annotated[bool, Field(description="停用的策略不能再用于新事项")]
    made_at: datetime


class PoliciesOut(Schema):
    """All policies of the zone."""

    items: list[PolicyOut]


class DraftsQuery(Listing):
    """Which drafts."""

    state: Annotated[DraftState, Field(description="状态：待定、已批准、不采用")] = DraftState.WAITING


class DraftOut(Schema):
    """A letter or an interview that a policy proposes."""

    id: UUID
    item_id: UUID
    cycle: int
    action: Annotated[Action, Field(description="提示函或约谈")]
    addressee_id: Annotated[UUID, Field(description="拟发给谁")]
    level: Annotated[int, Field(description="级别 0–4")]
    reason: Annotated[str, Field(description="缘由", examples=["河道清淤：已逾期5个工作日"])]
    state: DraftState
    drafted_at: datetime
    decided_at: datetime | None
    decision: str | None


class DecisionIn(Schema):
    """A person's decision; nothing is sent without one."""

    approve: Annotated[bool, Field(description="真：批准；假：不采用")]
    decision: Annotated[str | None, Field(description="理由，可以不填", max_length=500)] = None


@policy_routes.get("", roles=SETTERS | {Role.AUDITOR}, reply=PoliciesOut, summary="预警策略列表")
async def policies(scope: Scope) -> PoliciesOut:
    return PoliciesOut(items=[PolicyOut.model_validate(policy) for policy in await escalations.policies(by=scope)])


@policy_routes.put(
    "/<code:str>",
    roles=SETTERS,
    body=PolicyIn,
    reply=PolicyOut,
    summary="新建或修改预警策略（成为新版本）",
    errors=("bad_policy", "policy_changed", "if_match_missing", "version_passed"),
)
async def put(scope: Scope, request: Request, code: str, body: PolicyIn) -> HTTPResponse:
    form = escalations.policy_form(code, body.name, [step.model_dump() for step in body.steps])
    policy = await escalations.put_policy(form, by=scope, expected=expected_version(request))
    out = PolicyOut.model_validate(policy)
    return HTTPResponse(out.model_dump_json(), content_type="application/json", headers={"etag": etag(policy.version)})


@policy_routes.delete("/<code:str>", roles=SETTERS, reply=PolicyOut, summary="停用预警策略", errors=("not_found",))
async def retire(scope: Scope, code: str) -> PolicyOut:
    return PolicyOut.model_validate(await escalations.retire_policy(code, by=scope))


class SimulationIn(Schema):
    """A policy to try on an item: as written, or by its code; without both, the item's own policies."""

    item_id: Annotated[UUID, Field(description="事项；草稿按现在交办推算")]
    code: Annotated[str | None, Field(description="已有策略的编码", max_length=32, examples=["near_due"])] = None
    policy: Annotated[PolicyIn | None, Field(description="还没有保存的策略")] = None


class ForetoldOut(Schema):
    """One thing that somebody would be told."""

    at: Annotated[datetime | None, Field(description="何时；为空则在退回达到次数时")]
    person_id: UUID
    name: Annotated[str, Field(description="告诉谁", examples=["陈立"])]
    policy_code: str
    step: int
    condition: Annotated[Condition, Field(description="条件")]
    amount: Annotated[int, Field(description="数值", examples=[3])]
    level: Annotated[int, Field(description="级别 0–4")]
    action: Annotated[Action, Field(description="做什么；提示函、约谈等只起草，须经批准")]


class SimulationOut(Schema):
    """In the order of time, if nobody acted; people as offices are held today."""

    items: list[ForetoldOut]


@policy_routes.post(
    "/simulate",
    roles={Role.OVERSIGHT},
    body=SimulationIn,
    reply=SimulationOut,
    summary="推演：按策略，这件事项会在何时告诉谁（不保存、不发送）",
    errors=("not_found", "bad_policy", "unknown_policy", "due_in_past"),
)
async def simulate(scope: Scope, body: SimulationIn) -> SimulationOut:
    written = body.policy
    tried = escalations.policy_form("trial", written.name, [s.model_dump() for s in written.steps]) if written else None
    foretold = await ledger.simulate(body.item_id, by=scope, policy=tried or body.code)
    return SimulationOut(items=[ForetoldOut(name=one.name, **asdict(one.told)) for one in foretold])


@draft_routes.get("", roles={Role.OVERSIGHT}, query=DraftsQuery, reply=Page[DraftOut], summary="等待批准的提示函和约谈")
async def drafts(scope: Scope, query: DraftsQuery) -> Page[DraftOut]:
    cursor = read_cursor(query.after, UUID)
    found = await escalations.drafts(
        by=scope, state=query.state, after=cursor[0] if cursor else None, limit=query.limit
    )
    more = write_cursor(found[-1].id) if len(found) == query.limit else None
    return Page[DraftOut](items=[DraftOut.model_validate(draft) for draft in found], next=more)


@draft_routes.post(
    "/<draft_id:uuid>/decide",
    roles={Role.OVERSIGHT},
    body=DecisionIn,
    reply=DraftOut,
    summary="批准或不采用",
    errors=("not_found", "already_decided"),
)
async def decide(scope: Scope, draft_id: UUID, body: DecisionIn) -> DraftOut:
    draft = await escalations.decide(draft_id, by=scope, approve=body.approve, decision=body.decision)
    return DraftOut.model_validate(draft)
