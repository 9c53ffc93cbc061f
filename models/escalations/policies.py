"""Policies: ordered steps, in versions. An item keeps the version that it was armed with."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Conflict, Fault, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.escalations.tables import Action, Audience, Condition, Policy

MOST_STEPS = 20
DRAFTS = frozenset(Action) - {Action.REMIND, Action.URGE}


class Step(BaseModel):
    """When `condition` reaches `amount` (docs/formats.md says in what unit), `tell` them by `action`.

    `level` 0–4 is neutral: its colour is the zone's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    condition: Condition
    amount: int = Field(ge=0, le=250)
    level: int = Field(ge=0, le=4)
    tell: list[Audience] = Field(min_length=1, max_length=len(Audience))
    action: Action = Action.REMIND

    @model_validator(mode="after")
    def _counts_from_one(self) -> Self:
        if self.amount == 0 and self.condition is not Condition.DAYS_TO_DUE:
            raise ValueError("数值应为 1–250 的整数（距期限可以为 0）")
        return self


CODE = r"^[A-Za-z0-9_-]{1,32}$"


class PolicyForm(BaseModel):
    """A policy as it is written: in a request, a workbook, or below."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=CODE)
    name: str = Field(min_length=1, max_length=64)
    steps: list[Step] = Field(min_length=1, max_length=MOST_STEPS)


def _step(condition: Condition, amount: int, level: int, action: Action, *tell: Audience) -> Step:
    return Step(condition=condition, amount=amount, level=level, tell=list(tell), action=action)


SHIPPED = (
    PolicyForm(
        code="near_due",
        name="临期提醒",
        steps=[
            _step(Condition.DAYS_TO_DUE, 3, 0, Action.REMIND, Audience.OWNER),
            _step(Condition.DAYS_TO_DUE, 1, 1, Action.REMIND, Audience.OWNER),
        ],
    ),
    PolicyForm(
        code="unacknowledged",
        name="未签收催办",
        steps=[
            _step(Condition.UNACKNOWLEDGED, 8, 1, Action.URGE, Audience.OWNER),
            _step(Condition.UNACKNOWLEDGED, 16, 2, Action.REMIND, Audience.UNIT_LEADER),
            _step(Condition.UNACKNOWLEDGED, 24, 3, Action.REMIND, Audience.ONE_LEVEL_UP),
        ],
    ),
    PolicyForm(
        code="overdue",
        name="逾期升级",
        steps=[
            _step(Condition.OVERDUE, 1, 2, Action.URGE, Audience.OWNER, Audience.UNIT_LEADER),
            _step(Condition.OVERDUE, 3, 3, Action.REMIND, Audience.ONE_LEVEL_UP, Audience.OVERSIGHT),
            _step(Condition.OVERDUE, 5, 4, Action.REMINDER_LETTER, Audience.UNIT_LEADER),
            _step(Condition.RETURNED, 3, 3, Action.REMIND, Audience.UNIT_LEADER),
        ],
    ),
)
"""What applies in a zone that has set nothing of its own: near due, not received, overdue."""
IMPORTANT = PolicyForm(
    code="important",
    name="重要事项",
    steps=[
        _step(Condition.UNACKNOWLEDGED, 8, 1, Action.URGE, Audience.OWNER),
        _step(Condition.UNACKNOWLEDGED, 12, 2, Action.REMIND, Audience.UNIT_LEADER),
        _step(Condition.DAYS_TO_DUE, 3, 1, Action.REMIND, Audience.OWNER),
        _step(Condition.OVERDUE, 1, 3, Action.URGE, Audience.OWNER, Audience.UNIT_LEADER),
        _step(Condition.OVERDUE, 2, 3, Action.REMIND, Audience.ONE_LEVEL_UP, Audience.OVERSIGHT),
        _step(Condition.OVERDUE, 3, 4, Action.REMINDER_LETTER, Audience.UNIT_LEADER),
        _step(Condition.RETURNED, 2, 3, Action.REMIND, Audience.UNIT_LEADER),
    ],
)
"""What watches a relapse: the unit's leader hears sooner. It applies only where it is named; a zone may put its own."""


def policy_form(code: str, name: str, steps: Sequence[dict[str, Any]]) -> PolicyForm:
    """Check a policy as it was written. Raises Invalid with every fault's pointer."""
    try:
        return PolicyForm.model_validate({"code": code, "name": name, "steps": list(steps)})
    except ValidationError as wrong:
        faults = tuple(
            Fault("/" + "/".join(map(str, error["loc"])), error["type"], error["msg"].removeprefix("Value error, "))
            for error in wrong.errors()
        )
        raise Invalid("bad_policy", "预警策略有误，没有保存。", faults=faults) from wrong


@atomic()
async def put_policy(form: PolicyForm, *, by: Scope, expected: int | None = None) -> Policy:
    """Make this the policy of its code, as a new version; the same content again changes nothing.

    With `expected`, only if that is the newest version (0: none of the zone's own). Raises Forbidden, Conflict.
    """
    by.require(Role.OVERSIGHT, Role.ADMIN)
    newest = await _newest(by.zone_id, form.code)
    steps = [step.model_dump(mode="json") for step in form.steps]
    if newest and newest.active and (newest.name, newest.steps) == (form.name, steps):
        return newest
    if expected is not None and expected != (newest.version if newest else 0):
        raise Conflict("policy_changed", "这条策略已被他人修改，您的修改没有保存。请刷新后再改。")
    newest = newest or await _adopt_shipped(by.zone_id, form.code)
    policy = await Policy.create(
        id=new_id(),
        zone_id=by.zone_id,
        code=form.code,
        name=form.name,
        version=newest.version + 1 if newest else 1,
        steps=steps,
        made_at=clock.now(),
    )
    await audit.record(by, "policy.put", ("escalation_policy", policy.id), code=form.code, version=policy.version)
    return policy


@atomic()
async def retire_policy(code: str, *, by: Scope) -> Policy:
    """New items may not name it any more; timers already armed go on. Raises Forbidden, NotFound."""
    by.require(Role.OVERSIGHT, Role.ADMIN)
    if not re.match(CODE, code):  # the database would not even look for one so long
        raise NotFound()
    newest = await _newest(by.zone_id, code) or await _adopt_shipped(by.zone_id, code)
    if newest is None:
        raise NotFound()
    if newest.active:
        newest.active = False
        await newest.save(update_fields=["active"])
        await audit.record(by, "policy.retired", ("escalation_policy", newest.id), code=code, version=newest.version)
    return newest


async def policies(*, by: Scope) -> list[Policy]:
    """The newest version of each policy, by code, at most 200; where the zone has none, those that are shipped.

    `important` is among them always: the zone's own, or the one that is shipped.
    """
    by.require(Role.OVERSIGHT, Role.ADMIN, Role.AUDITOR)
    return await policies_of(by.zone_id)


async def policies_of(zone_id: UUID) -> list[Policy]:
    """`policies` of a zone, for rules; shipped ones have version 0."""
    rows = await Policy.filter(zone_id=zone_id).order_by("code", "-version").limit(2_000)
    newest = [next(versions) for _, versions in groupby(rows, key=attrgetter("code"))]
    own = newest or [unsaved(zone_id, form) for form in SHIPPED]
    missing = all(policy.code != IMPORTANT.code for policy in own)
    return [*own, unsaved(zone_id, IMPORTANT)] if missing else own


def unsaved(zone_id: UUID, form: PolicyForm) -> Policy:
    """The policy as a row of version 0 that is not stored."""
    steps = [step.model_dump(mode="json") for step in form.steps]
    return Policy(zone_id=zone_id, code=form.code, name=form.name, version=0, steps=steps, made_at=clock.now())


async def _newest(zone_id: UUID, code: str) -> Policy | None:
    """The newest version, with the zone locked: policies change one after the other."""
    await database.fetch("select id from zone where id = $1 for update", zone_id)
    return await Policy.filter(zone_id=zone_id, code=code).order_by("-version").first()


async def _adopt_shipped(zone_id: UUID, code: str) -> Policy | None:
    """A zone that changes one of the shipped policies, its first, keeps the others: all become its own."""
    forms = [IMPORTANT] if await Policy.exists(zone_id=zone_id) else [*SHIPPED, IMPORTANT]
    if code not in {form.code for form in forms}:
        return None
    for form in forms:
        policy = unsaved(zone_id, form)
        policy.version = 1
        await policy.save()
    return await Policy.get(zone_id=zone_id, code=code)


async def named_policies(zone_id: UUID, codes: Sequence[str]) -> list[Policy]:
    """The policies that an item names; for none, all that are active but `important`.

    Raises Invalid (`unknown_policy`).
    """
    active = {policy.code: policy for policy in await policies_of(zone_id) if policy.active}
    unknown = [code for code in codes if code not in active]
    if unknown:
        raise Invalid("unknown_policy", f"没有编码为 {'、'.join(unknown)} 的预警策略。")
    return applying(active.values(), codes)


def applying(policies: Iterable[Policy], codes: Sequence[str]) -> list[Policy]:
    """Of the zone's policies, those that watch an item of these codes; for no codes, all but `important`."""
    active = {policy.code: policy for policy in policies if policy.active}
    named = [active[code] for code in dict.fromkeys(codes) if code in active]
    return named or [policy for policy in active.values() if policy.code != IMPORTANT.code]


async def policy_in_version(zone_id: UUID, code: str, version: int) -> Policy:
    """The policy as it was then; version 0 is the one shipped."""
    if version:
        return await Policy.get(zone_id=zone_id, code=code, version=version)
    return next(unsaved(zone_id, form) for form in (*SHIPPED, IMPORTANT) if form.code == code)
