"""What an inspector says of a visit, from a phone or typed in from paper."""

import re
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.base.errors import Fault, Invalid
from models.base.stated import Instant
from models.lookbacks.tables import Finding, Verdict

MOST_LINES = 50
MOST_AT_ONCE = 20
LONGEST_SEEN = 4000
SEEN = "围挡已恢复，现场整洁。"
COARSE_DECIMALS = 2
"""About a kilometre: enough to tell the village, not the door."""
FINE_DECIMALS = 5


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Check(_Said):
    """One line of the checklist, counted from 0."""

    line: int = Field(ge=0, lt=MOST_LINES, description="核查要点的序号，从 0 起。")
    finding: Finding = Field(description="核查情况：met 到位，partly 部分到位，unmet 不到位，not_checked 未核查。")
    note: str = Field("", max_length=500, description="说明。")


class Place(_Said):
    """One fix, if the inspector wishes to give it; `coarse` keeps about a kilometre of it. Never a track."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False, description="纬度（度）。", examples=[30.59])
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False, description="经度（度）。", examples=[114.31])
    coarse: bool = Field(False, description="是否只保留约一公里的大致位置。")

    def kept(self) -> dict[str, Any]:
        """The columns as stored: a coarse place is rounded before anything keeps it."""
        decimals = COARSE_DECIMALS if self.coarse else FINE_DECIMALS
        return {
            "latitude": round(self.latitude, decimals),
            "longitude": round(self.longitude, decimals),
            "coarse": self.coarse,
        }


class _Found(_Said):
    """What was found at one item."""

    verdict: Verdict = Field(
        description="结论：effective 整改到位，mostly_effective 基本到位，ineffective 未到位，relapse 反弹。"
    )
    follow_up: str = Field("", max_length=1000, description="后续要做的事；结论为基本到位时必填。")
    checks: tuple[Check, ...] = Field((), max_length=MOST_LINES, description="逐条核查；没有填的按未核查记。")
    rectify_days: int | None = Field(
        None, ge=1, le=250, description="结论不是整改到位时，后续或重新办理的期限（工作日）；不填为 10 个工作日。"
    )

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.verdict is Verdict.MOSTLY_EFFECTIVE and not self.follow_up:
            raise ValueError("结论为基本到位时，请写明后续要做的事。")
        if len({check.line for check in self.checks}) < len(self.checks):
            raise ValueError("同一条核查要点只能填一次。")
        return self


class _There(_Said):
    """What an inspector saw, heard and brought along at one place."""

    interview: str = Field(
        "",
        max_length=4000,
        description="走访了解的情况：与有关人员谈到什么，可以不填；不写身份证号、住址等个人信息。",
        examples=["社区反映围挡每周有人巡查。"],
    )
    place: Place | None = Field(None, description="位置，自愿提供，不提供不影响记录。")
    evidence: tuple[UUID, ...] = Field((), max_length=20, description="佐证材料编号，自愿提供。")
    visited_at: Instant = Field(description="检查时间。", examples=["2026-07-01T10:20:00+08:00"])


class VisitFacts(_Found, _There):
    """Only the verdict and what was seen must be said. Place and photos are optional, and nothing depends on them."""

    seen: str = Field(min_length=1, max_length=LONGEST_SEEN, description="看到的情况。", examples=[SEEN])


class ItemFacts(_Found):
    """What was found at one of the items that one visit served."""

    visit_id: UUID = Field(description="检查编号。")
    seen: str = Field("", max_length=1000, description="只关系这一件的情况，可以不填。")


class StopFacts(_There):
    """One visit to one unit that served several of its items: said once, and of each item what was found at it."""

    seen: str = Field(min_length=1, max_length=LONGEST_SEEN - 1001, description="看到的情况。", examples=[SEEN])
    records: tuple[ItemFacts, ...] = Field(min_length=1, max_length=MOST_AT_ONCE, description="各件的核查和结论。")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.visit_id for one in self.records}) < len(self.records):
            raise ValueError("同一件检查只能填一次。")
        return self

    def of(self, one: ItemFacts) -> VisitFacts:
        """The record of one of the items, whole: it can be read without the others."""
        said = {name: getattr(self, name) for name in _There.model_fields}
        found = {name: getattr(one, name) for name in _Found.model_fields}
        return VisitFacts.model_construct(**said, **found, seen="\n".join(filter(None, (self.seen, one.seen))))


def checklist(requirement: str) -> list[str]:
    """The lines of an item's requirement (by line feed or 分号), which a visit checks one by one; at most 50."""
    lines = (line.strip() for line in re.split(r"[\n；;]+", requirement))
    return [line for line in lines if line][:MOST_LINES]


def checked(requirement: str, checks: tuple[Check, ...]) -> list[dict[str, Any]]:
    """Every line of the requirement with what was found at it. Raises Invalid (`no_such_line`)."""
    lines, said = checklist(requirement), {check.line: check for check in checks}
    faults = tuple(
        Fault(f"/checks/{place}/line", "no_such_line", f"核查要点只有 {len(lines)} 条。")
        for place, check in enumerate(checks)
        if check.line >= len(lines)
    )
    if faults:
        raise Invalid("no_such_line", "核查要点的序号有误，请刷新后核对。", faults=faults)
    unchecked = Check(line=0, finding=Finding.NOT_CHECKED)
    return [
        {"line": line, "text": text, "finding": found.finding.value, "note": found.note}
        for line, text in enumerate(lines)
        for found in [said.get(line, unchecked)]
    ]


def beside(requirement: str, earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What an earlier visit found, line by line of the requirement as it reads now; lines that it did not have lack."""
    found = {check["text"]: check for check in earlier}
    return [found[text] | {"line": line} for line, text in enumerate(checklist(requirement)) if text in found]
