"""The organization on the console: units, people, the roster in and out, holiday notices, settings."""

import asyncio
import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sanic import HTTPResponse, Request
from sanic.response import raw

from api.organization import PostOut, RoleOut
from api.wire import Listing, Page, Routes, Schema, read_cursor, write_cursor
from api.wire.files import FORM_OVERHEAD, file_chunks
from models import organization
from models.base import calendar
from models.base.scope import Role, Scope
from models.organization import Colour

routes = Routes("console", "/organization", tag="组织")
READERS = {Role.ADMIN, Role.OVERSIGHT}
ADMIN = {Role.ADMIN}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST_WORKBOOK = (32 << 20) + FORM_OVERHEAD
UNREADABLE = ("not_a_workbook", "workbook_too_large", "too_many_rows", "too_many_columns", "bad_workbook")


async def _file(request: Request) -> bytes:
    return b"".join([chunk async for chunk in file_chunks(request)])


class UnitOut(Schema):
    """A unit; a subtree is the paths that begin with its path."""

    id: UUID
    code: Annotated[str, Field(examples=["CYJ"])]
    name: Annotated[str, Field(examples=["产业发展局"])]
    kind: organization.UnitKind
    parent_id: UUID | None
    path: Annotated[str, Field(examples=["/KFQ/CYJ/"])]


class UnitsOut(Schema):
    """Units, parents before children."""

    items: list[UnitOut]


@routes.get("/units", roles=READERS, reply=UnitsOut, summary="单位树")
async def units(scope: Scope) -> UnitsOut:
    return UnitsOut(items=[UnitOut.model_validate(unit) for unit in await organization.units(by=scope)])


class PersonOut(Schema):
    """A person of the roster."""

    id: UUID
    staff_no: Annotated[str, Field(description="人员编号", examples=["P0001"])]
    name: Annotated[str, Field(examples=["王静"])]
    phone: Annotated[str | None, Field(description="手机号，隐去中间四位", examples=["154****1234"])]
    active: Annotated[bool, Field(description="是否在册")]
    bound: Annotated[bool, Field(description="是否已绑定微信")]
    posts: list[PostOut]
    roles: list[RoleOut]

    @classmethod
    def of(cls, row: dict[str, Any]) -> "PersonOut":
        """From a row of `organization.people`."""
        return cls.model_validate({**row, "phone": organization.masked(row["phone"])})


class PeopleQuery(Listing):
    """Which people."""

    text: Annotated[str, Field(description="姓名中的文字，或完整的人员编号", max_length=40, examples=["王"])] = ""


@routes.get("/people", roles=READERS, query=PeopleQuery, reply=Page[PersonOut], summary="人员列表与查找")
async def people(scope: Scope, query: PeopleQuery) -> Page[PersonOut]:
    (after,) = read_cursor(query.after, str) or ("",)
    found = await organization.people(by=scope, text=query.text, after=after, limit=query.limit + 1)
    more = write_cursor(found[query.limit - 1]["staff_no"]) if len(found) > query.limit else None
    return Page(items=[PersonOut.of(row) for row in found[: query.limit]], next=more)


@routes.post("/people/<person_id:uuid>/unbind", roles=ADMIN, status=204, summary="解除微信绑定", errors=("not_found",))
async def unbind(scope: Scope, person_id: UUID) -> None:
    await organization.person_of(scope.zone_id, person_id)
    await organization.unbind(scope.zone_id, person_id, why="asked", by=scope)


class RosterQuery(Schema):
    """How to import."""

    dry_run: Annotated[bool, Field(description="只检查并列出变化，不保存")] = False
    take_good_rows: Annotated[bool, Field(description="有错的行略过，其余照收；此时不结束任何任职和角色")] = False


class SheetChangesOut(Schema):
    """Changes of one sheet; samples name up to ten rows of each by their codes."""

    added: int
    changed: int
    ended: int
    added_samples: list[str]
    changed_samples: list[str]
    ended_samples: list[str]


class CellFaultOut(Schema):
    """A fault and its place in the workbook."""

    sheet: Annotated[str | None, Field(description="工作表", examples=["人员"])]
    row: Annotated[int | None, Field(description="行号，与 Excel 一致", examples=[12])]
    column: Annotated[str | None, Field(description="列名", examples=["手机号"])]
    code: Annotated[str, Field(examples=["bad_phone"])]
    detail: Annotated[str, Field(examples=["“手机号”应为 11 位大陆手机号。"])]


class RosterOut(Schema):
    """What the import did, or in a dry run would do."""

    sha256: Annotated[str, Field(description="文件的 SHA-256")]
    stored: Annotated[bool, Field(description="是否已保存")]
    changes: Annotated[dict[str, SheetChangesOut], Field(description="各工作表的变化")]
    proposed: Annotated[int, Field(description="名册中已没有、等待确认解绑的人数")]
    left_out: Annotated[int, Field(description="略过的有错的行数")]
    faults: list[CellFaultOut]


@routes.post(
    "/roster",
    roles=ADMIN,
    query=RosterQuery,
    reply=RosterOut,
    stream=True,
    max_body=LARGEST_WORKBOOK,
    limit="10/minute",
    summary="导入名册（.xlsx）",
    errors=(*UNREADABLE, "conflicting_roles", "malformed_form"),
)
async def import_roster(request: Request, scope: Scope, query: RosterQuery) -> RosterOut:
    done = await organization.import_roster(
        await _file(request), by=scope, dry_run=query.dry_run, take_good_rows=query.take_good_rows
    )
    return RosterOut.model_validate(done)


@routes.get("/roster", roles=ADMIN, summary="导出名册（.xlsx）", media_type=XLSX, limit="10/minute")
async def export_roster(scope: Scope) -> HTTPResponse:
    data = await organization.export_roster(by=scope)
    return raw(data, content_type=XLSX, headers={"content-disposition": 'attachment; filename="roster.xlsx"'})


class ProposalOut(Schema):
    """A person who vanished from the roster."""

    id: UUID
    person_id: UUID
    name: str
    staff_no: str
    proposed_at: datetime.datetime


@routes.get("/proposals", roles=READERS, query=Listing, reply=Page[ProposalOut], summary="等待确认的解绑建议")
async def proposals(scope: Scope, query: Listing) -> Page[ProposalOut]:
    (after,) = read_cursor(query.after, UUID) or (None,)
    found = await organization.open_proposals(by=scope, after=after, limit=query.limit + 1)
    items = [
        ProposalOut(
            id=proposal.id,
            person_id=proposal.person.id,
            name=proposal.person.name,
            staff_no=proposal.person.staff_no,
            proposed_at=proposal.proposed_at,
        )
        for proposal in found[: query.limit]
    ]
    return Page(items=items, next=write_cursor(items[-1].id) if len(found) > query.limit else None)


class DecisionIn(Schema):
    """An admin's decision."""

    accept: Annotated[bool, Field(description="确认已离开：解除绑定，结束任职和角色；否则保持不变")]


@routes.post(
    "/proposals/<proposal_id:uuid>/decide",
    roles=ADMIN,
    body=DecisionIn,
    status=204,
    summary="处理解绑建议",
    errors=("not_found", "already_decided"),
)
async def decide(scope: Scope, proposal_id: UUID, body: DecisionIn) -> None:
    await organization.decide_proposal(proposal_id, by=scope, accept=body.accept)


class NoticeIn(Schema):
    """A year's holiday arrangement as the State Council announced it."""

    year: Annotated[int, Field(ge=2024, le=2100, examples=[2027])]
    source: Annotated[str, Field(description="文件名称或文号", min_length=1, max_length=200)]
    holidays: Annotated[list[datetime.date], Field(description="全部放假日期", max_length=120)]
    workdays: Annotated[list[datetime.date], Field(description="调休上班日期", max_length=60)]


class NoticeOut(Schema):
    """One version of a year's notice."""

    id: UUID
    year: int
    version: int
    source: str
    holidays: list[str]
    workdays: list[str]
    noticed_at: datetime.datetime


class NoticesOut(Schema):
    """Every version of every year, newest first."""

    items: list[NoticeOut]


@routes.get("/notices", roles=READERS, reply=NoticesOut, summary="放假安排")
async def notices(scope: Scope) -> NoticesOut:
    found = await calendar.notices_of(scope.zone_id)
    return NoticesOut(items=[NoticeOut.model_validate(notice) for notice in found])


@routes.post("/notices", roles=ADMIN, body=NoticeIn, reply=NoticeOut, summary="录入放假安排", errors=("bad_notice",))
async def import_notice(scope: Scope, body: NoticeIn) -> NoticeOut:
    return NoticeOut.model_validate(await calendar.import_notice(by=scope, **body.model_dump()))


class NoticeQuery(Schema):
    """Which notice the workbook holds."""

    year: Annotated[int, Field(ge=2024, le=2100, examples=[2027])]
    source: Annotated[str, Field(description="文件名称或文号", min_length=1, max_length=200)]


@routes.post(
    "/notices/workbook",
    roles=ADMIN,
    query=NoticeQuery,
    reply=NoticeOut,
    stream=True,
    max_body=1 << 20,
    limit="10/minute",
    summary="从 .xlsx 导入放假安排（工作表“放假安排”：日期、安排）",
    errors=(*UNREADABLE, "bad_notice", "malformed_form"),
)
async def import_notice_workbook(request: Request, scope: Scope, query: NoticeQuery) -> NoticeOut:
    days = await asyncio.to_thread(calendar.read_notice, await _file(request))
    notice = await calendar.import_notice(
        by=scope, year=query.year, source=query.source, holidays=days["holidays"], workdays=days["workdays"]
    )
    return NoticeOut.model_validate(notice)


class SettingsOut(Schema):
    """The zone's settings, defaults filled in."""

    quiet_from: Annotated[str, Field(description="免打扰开始", examples=["20:00"])]
    quiet_until: Annotated[str, Field(description="免打扰结束", examples=["08:00"])]
    daily_budget: Annotated[int, Field(description="每人每天最多推送几条")]
    working_hours: Annotated[list[str], Field(description="工作时段", examples=[["09:00-12:00", "13:30-17:30"]])]
    urge_interval_hours: Annotated[int, Field(description="两次催办至少相隔几小时")]
    revisit_days: Annotated[int, Field(description="多少天内再次回头看同一事项要说明理由；0 为不问")]
    filing_number: Annotated[str, Field(description="小程序备案号", examples=["苏ICP备2026000001号-1X"])]
    upload_person_day_mb: Annotated[int, Field(description="每人每天最多上传多少 MB 文件")]
    upload_zone_day_mb: Annotated[int, Field(description="全区每天最多上传多少 MB 文件")]
    upload_person_open_mb: Annotated[int, Field(description="每人没有传完的文件最多多少 MB")]
    upload_zone_open_mb: Annotated[int, Field(description="全区没有传完的文件最多多少 MB")]
    level_colours: Annotated[list[Colour], Field(description="级别 0–4 在本开发区各用什么颜色")]
    channels: Annotated[
        list[str], Field(description="消息渠道，按先后；都不填则只进收件箱", examples=[["subscribe", "template"]])
    ]


class SettingsIn(Schema):
    """What to change; null takes the default again, an absent setting stays."""

    quiet_from: Annotated[str | None, Field(max_length=5, examples=["20:00"])] = None
    quiet_until: Annotated[str | None, Field(max_length=5, examples=["08:00"])] = None
    daily_budget: Annotated[int | None, Field(examples=[3])] = None
    working_hours: Annotated[list[str] | None, Field(max_length=4)] = None
    urge_interval_hours: Annotated[int | None, Field(examples=[24])] = None
    revisit_days: Annotated[int | None, Field(examples=[90])] = None
    filing_number: Annotated[str | None, Field(max_length=60, examples=["苏ICP备2026000001号-1X"])] = None
    upload_person_day_mb: Annotated[int | None, Field(examples=[2048])] = None
    upload_zone_day_mb: Annotated[int | None, Field(examples=[204800])] = None
    upload_person_open_mb: Annotated[int | None, Field(examples=[1024])] = None
    upload_zone_open_mb: Annotated[int | None, Field(examples=[51200])] = None
    level_colours: Annotated[list[Colour] | None, Field(max_length=5)] = None
    channels: Annotated[list[str] | None, Field(max_length=4, examples=[["subscribe", "template", "sms"]])] = None


@routes.get("/settings", roles=READERS, reply=SettingsOut, summary="开发区设置")
async def settings(scope: Scope) -> SettingsOut:
    return SettingsOut.model_validate(await organization.settings_of(scope.zone_id))


@routes.patch(
    "/settings", roles=ADMIN, body=SettingsIn, reply=SettingsOut, summary="修改设置", errors=("bad_settings",)
)
async def change_settings(scope: Scope, body: SettingsIn) -> SettingsOut:
    changes = body.model_dump(exclude_unset=True)
    return SettingsOut.model_validate(await organization.change_settings(by=scope, changes=changes))
