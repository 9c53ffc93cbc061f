"""The caller's own entry in the roster, and who takes their matters while they are absent."""

import datetime
from importlib.metadata import version
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from api.organization import PostOut, RoleOut
from api.wire import ANYONE_BOUND, Routes, Schema
from models import organization
from models.base.scope import Scope
from models.base.stated import Day

me_routes = Routes("mini", "/me", tag="本人")
delegation_routes = Routes("mini", "/delegations", tag="委托代办")
about_routes = Routes("mini", "/about", tag="关于")
routes = (me_routes, delegation_routes, about_routes)


class MeOut(Schema):
    """The caller as the roster has them."""

    id: UUID
    name: Annotated[str, Field(examples=["王静"])]
    phone: Annotated[str | None, Field(description="手机号，隐去中间四位", examples=["154****1234"])]
    posts: list[PostOut]
    roles: list[RoleOut]

    @classmethod
    def of(cls, row: dict[str, Any]) -> "MeOut":
        """From a row of `organization.own_entry`."""
        shown = {name: row[name] for name in ("id", "name", "posts", "roles")}
        return cls.model_validate({**shown, "phone": organization.masked(row["phone"])})


@me_routes.get("", roles=ANYONE_BOUND, reply=MeOut, summary="本人信息")
async def me(scope: Scope) -> MeOut:
    return MeOut.of(await organization.own_entry(by=scope))


class ColleaguesQuery(Schema):
    """Whose name is looked for."""

    name: Annotated[str, Field(description="姓名的开头", max_length=40, examples=["李"])] = ""


class ColleagueOut(Schema):
    """Somebody who may stand in."""

    id: UUID
    name: Annotated[str, Field(examples=["李明"])]
    unit: Annotated[str, Field(examples=["产业发展局"])]
    title: Annotated[str, Field(description="职务", examples=["科员"])]


class ColleaguesOut(Schema):
    """People of the caller's units, the units above and below, by name, at most 50."""

    items: list[ColleagueOut]


@delegation_routes.get(
    "/colleagues", roles=ANYONE_BOUND, query=ColleaguesQuery, reply=ColleaguesOut, summary="可以委托的同事"
)
async def colleagues(scope: Scope, query: ColleaguesQuery) -> ColleaguesOut:
    found = await organization.colleagues(by=scope, name=query.name)
    return ColleaguesOut(items=[ColleagueOut.model_validate(row) for row in found])


class DelegationIn(Schema):
    """An absence of the caller."""

    delegate_id: Annotated[UUID, Field(description="代办的同事")]
    from_on: Annotated[Day, Field(description="从哪天起（含）", examples=["2026-11-24"])]
    until_on: Annotated[Day, Field(description="到哪天止（含）", examples=["2026-11-28"])]


class DelegationOut(Schema):
    """An absence; `ended_at` where it was ended before its time."""

    id: UUID
    delegate_id: UUID
    delegate: Annotated[str, Field(description="代办同事的姓名", examples=["李明"])]
    from_on: datetime.date
    until_on: datetime.date
    ended_at: datetime.datetime | None

    @classmethod
    async def of(cls, absence: organization.Delegation) -> "DelegationOut":
        """From the row."""
        colleague = await absence.delegate
        return cls(
            id=absence.id,
            delegate_id=colleague.id,
            delegate=colleague.name,
            from_on=absence.from_on,
            until_on=absence.until_on,
            ended_at=absence.ended_at,
        )


class DelegationsOut(Schema):
    """The caller's absences, newest first, at most 50."""

    items: list[DelegationOut]


@delegation_routes.get("", roles=ANYONE_BOUND, reply=DelegationsOut, summary="我的委托")
async def delegations(scope: Scope) -> DelegationsOut:
    found = await organization.delegations(by=scope)
    return DelegationsOut(items=[await DelegationOut.of(absence) for absence in found])


@delegation_routes.post(
    "",
    roles=ANYONE_BOUND,
    body=DelegationIn,
    reply=DelegationOut,
    status=201,
    summary="委托同事代办",
    errors=("not_found", "bad_period", "delegate_is_self", "already_delegated", "delegate_absent"),
)
async def delegate(scope: Scope, body: DelegationIn) -> DelegationOut:
    return await DelegationOut.of(await organization.delegate(by=scope, **body.model_dump()))


@delegation_routes.post(
    "/<delegation_id:uuid>/end",
    roles=ANYONE_BOUND,
    reply=DelegationOut,
    summary="结束委托",
    errors=("not_found",),
)
async def end(scope: Scope, delegation_id: UUID) -> DelegationOut:
    return await DelegationOut.of(await organization.end_delegation(delegation_id, by=scope))


class AboutOut(Schema):
    """What the page 关于 says."""

    zone: Annotated[str, Field(description="开发区名称", examples=["示范开发区"])]
    filing_number: Annotated[str, Field(description="小程序备案号；没有填写时为空", examples=["苏ICP备26000001号-1X"])]
    version: Annotated[str, Field(description="平台版本", examples=["0.1.0"])]


@about_routes.get("", roles=ANYONE_BOUND, reply=AboutOut, summary="关于")
async def about(scope: Scope) -> AboutOut:
    zone = await organization.zone_of(scope.zone_id)
    settings = await organization.settings_of(scope.zone_id)
    return AboutOut(zone=zone.name, filing_number=settings.filing_number, version=version("zhuoluo"))
