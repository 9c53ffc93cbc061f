"""Forms of visits that the mini-program and the console share."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.evidence import SignalOut, VisitNonce
from api.wire import Page, Schema, write_cursor
from models import evidence, lookbacks
from models.base.scope import Role, Scope
from models.lookbacks import Finding, Place, Visit, VisitFacts, VisitRecord, VisitView

RECORDING = (
    "not_found",
    "no_such_line",
    "unknown_evidence",
    "client_id_reused",
    "already_recorded",
    "nothing_to_correct",
)


class RecordIn(VisitFacts):
    """A record, or with a reason the correction of one."""

    correction_reason: str = Field("", max_length=500, description="更正理由；首次记录不填。")
    nonce: VisitNonce = None

    def facts(self) -> VisitFacts:
        """What is said of the visit itself."""
        return VisitFacts.model_construct(**{name: getattr(self, name) for name in VisitFacts.model_fields})


class VisitLine(Schema):
    """One visit in a list."""

    id: UUID
    plan_id: UUID
    plan: Annotated[str, Field(description="回头看计划", examples=["2026年上半年回头看"])]
    item_id: UUID
    cycle: Annotated[int, Field(description="检查的是第几轮", examples=[1])]
    number: Annotated[str, Field(description="事项编号", examples=["ZL-WT-2026-0001"])]
    title: Annotated[str, Field(description="事项标题")]
    unit: Annotated[str, Field(description="责任单位", examples=["建设局"])]
    due_on: Annotated[date, Field(description="检查期限")]
    recorded_at: Annotated[datetime | None, Field(description="首次记录的时间；还没有记录为空")]
    inspectors: Annotated[Sequence[str], Field(description="检查人员姓名，前一位牵头", examples=[["陈立"]])]
    inspector_ids: Annotated[Sequence[UUID], Field(description="检查人员编号，次序同姓名")]
    to_cosign: Annotated[bool, Field(description="最近一份记录等本人会签")]
    site_codes: Annotated[Sequence[str], Field(description="扫到这些站点码时，打开这次检查；码的内容没有别的含义")]


async def _lines(visits: Sequence[Visit], by: Scope, names: dict[UUID, str]) -> list[dict[str, object]]:
    to_cosign = await lookbacks.to_cosign(visits, by=by)
    scenes = await lookbacks.scenes_of(by.zone_id, (visit.item.unit_id for visit in visits))
    return [
        _line(visit, names) | {"to_cosign": visit.id in to_cosign, "site_codes": scenes.get(visit.item.unit_id, [])}
        for visit in visits
    ]


def _line(visit: Visit, names: dict[UUID, str]) -> dict[str, object]:
    plain = ("id", "plan_id", "item_id", "cycle", "due_on", "recorded_at")
    return {
        **{name: getattr(visit, name) for name in plain},
        "plan": visit.plan.name,
        "number": visit.item.number,
        "title": visit.item.title,
        "unit": visit.item.unit.name,
        "inspectors": [names[person] for person in visit.team],
        "inspector_ids": visit.team,
    }


class CheckOut(Schema):
    """One line of the checklist and what was found at it."""

    line: int
    text: Annotated[str, Field(description="核查要点", examples=["恢复围挡"])]
    finding: Finding
    note: str


class LastTimeOut(Schema):
    """What an earlier visit to the same item found: stands beside the form, so that nothing is looked up or retyped."""

    visited_at: datetime
    verdict: lookbacks.Verdict
    verdict_label: Annotated[str, Field(examples=["基本到位"])]
    seen: str
    follow_up: str
    checks: Annotated[Sequence[CheckOut], Field(description="上次各条的核查情况，序号是这次的；上次没有的条不列")]

    @classmethod
    def of(cls, record: VisitRecord, requirement: str) -> "LastTimeOut":
        """From its record, for the item's requirement as it reads now."""
        plain = {name: getattr(record, name) for name in ("visited_at", "verdict", "seen", "follow_up")}
        checks = [CheckOut.model_validate(check) for check in lookbacks.beside(requirement, record.checks)]
        return cls(**plain, verdict_label=record.verdict.label, checks=checks)


class RecordOut(Schema):
    """A record as it was kept; it is never changed."""

    id: UUID
    verdict: lookbacks.Verdict
    verdict_label: Annotated[str, Field(examples=["整改到位"])]
    seen: str
    interview: Annotated[str, Field(description="走访了解的情况")]
    follow_up: str
    checks: Sequence[CheckOut]
    place: Annotated[Place | None, Field(description="位置；没有提供为空")]
    evidence: Annotated[Sequence[UUID], Field(description="记录时引用的佐证材料")]
    visited_at: Annotated[datetime, Field(description="检查时间，记录人填报")]
    received_at: Annotated[datetime, Field(description="平台收到的时间")]
    source: Annotated[lookbacks.Source, Field(description="phone 手机填报，paper 纸质补录")]
    paper: Annotated[str, Field(description="纸质记录的编号或存放处")]
    written_by: Annotated[UUID, Field(description="写这份记录的检查人员")]
    together: Annotated[UUID | None, Field(description="同一次走访提交的几份记录，这一项相同；单独提交为空")]
    corrects: Annotated[UUID | None, Field(description="更正的是哪份记录；首次记录为空")]
    correction_reason: str
    effect: Annotated[
        lookbacks.Effect,
        Field(
            description="对事项的作用：confirmed 确认销号，follow_up 后续交为一件小任务，sent_back 退回重办，"
            "reopened 反弹重开一轮，none 没有变动"
        ),
    ]
    follow_up_item: Annotated[UUID | None, Field(description="后续要做的事所交的任务；没有为空")]
    cosigned: Annotated[bool, Field(description="另一位检查人员是否已会签")]

    @classmethod
    def of(cls, record: VisitRecord, *, cosigned: bool = False) -> "RecordOut":
        """From a row."""
        ours = {"verdict_label", "place", "checks", "cosigned"}
        plain = {name: getattr(record, name) for name in cls.model_fields if name not in ours}
        place = None
        if record.latitude is not None and record.longitude is not None:
            place = Place(latitude=record.latitude, longitude=record.longitude, coarse=bool(record.coarse))
        return cls(
            **plain,
            verdict_label=record.verdict.label,
            place=place,
            checks=[CheckOut.model_validate(check) for check in record.checks],
            cosigned=cosigned,
        )


class VisitOut(VisitLine):
    """One visit whole, with the item's facts already filled in."""

    requirement: Annotated[str, Field(description="事项要求")]
    basis: Annotated[str, Field(description="事项依据")]
    owner: Annotated[str, Field(description="责任人姓名")]
    closed_at: Annotated[datetime | None, Field(description="销号时间；已重开为空")]
    checklist: Annotated[Sequence[str], Field(description="核查要点，取自事项要求", examples=[["恢复围挡"]])]
    last_time: Annotated[LastTimeOut | None, Field(description="上次检查同一事项的情况；没有查过为空")]
    evidence: Annotated[Sequence[UUID], Field(description="这次检查已提交的佐证材料")]
    records: Annotated[Sequence[RecordOut], Field(description="检查记录，首次记录在前，更正在后")]
    signals: Annotated[Sequence[SignalOut], Field(description="供监督机构核对的提示；只给监督机构看，不作结论")]
    nonce: Annotated[
        str | None, Field(description="检查编码，只发给检查人员的手机；离线填写后随记录和照片带回，没有也可以提交")
    ]

    @classmethod
    async def whole(cls, view: VisitView, by: Scope, nonce: str | None = None) -> "VisitOut":
        """From what was found, with the evidence that `by` may see."""
        item = view.visit.item
        submitted = await evidence.of_visit(view.visit.id, by=by)
        asks = view.records and by.may(Role.OVERSIGHT)
        signals = await lookbacks.signals_of(view.records[-1], item.id) if asks else ()
        (line,) = await _lines([view.visit], by, view.names)
        return cls(
            **line,
            requirement=item.requirement,
            basis=item.basis,
            owner=view.names[item.owner_id],
            closed_at=item.closed_at,
            checklist=lookbacks.checklist(item.requirement),
            last_time=LastTimeOut.of(view.last_time, item.requirement) if view.last_time else None,
            evidence=[piece.id for piece in submitted],
            records=[RecordOut.of(record, cosigned=record.id in view.cosigned) for record in view.records],
            signals=[SignalOut.model_validate(signal) for signal in signals],
            nonce=nonce,
        )


async def lines_of(visits: list[Visit], by: Scope) -> list[VisitLine]:
    """Visits as lines, in the same order, as `by` sees them."""
    names = await lookbacks.names_of(visits)
    return [VisitLine.model_validate(line) for line in await _lines(visits, by, names)]


async def page_of(visits: list[Visit], limit: int, by: Scope) -> Page[VisitLine]:
    """A part of a list of visits, as `by` sees it."""
    next_ = write_cursor(visits[-1].id) if len(visits) == limit else None
    return Page[VisitLine](items=await lines_of(visits, by), next=next_)
