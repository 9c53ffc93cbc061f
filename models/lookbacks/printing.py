"""The record of a draw on paper: one page of HTML that a browser prints, to be signed and filed.

It holds what the draw was made from by hashes, and what it gave by number, unit and name. Whoever doubts it takes the
record itself (`DrawRecord` as JSON) and draws again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from uuid import UUID

from models import organization
from models.base import clock, database
from models.base.scope import Scope
from models.lookbacks.draws import draw_of
from models.lookbacks.plans import plan_of
from models.lookbacks.records import DrawRecord, verify

DRAWN = """
select i.number, i.title, u.name as unit, v.due_on, one.name as leads, two.name as second
from visit v join item i on i.id = v.item_id join unit u on u.id = i.unit_id
join person one on one.id = v.inspector_id left join person two on two.id = v.second_inspector_id
where v.zone_id = $1 and v.plan_id = $2 order by v.id
"""
STYLE = """
@page { size: A4; margin: 20mm 16mm } body { font: 11pt/1.6 "Songti SC", SimSun, "Noto Serif CJK SC", serif }
h1 { font-size: 16pt; text-align: center } table { width: 100%; border-collapse: collapse }
th, td { border: 1px solid #000; padding: 1mm 2mm; text-align: left; vertical-align: top }
thead { display: table-header-group } tr { break-inside: avoid }
code { font: 9pt/1.4 monospace; word-break: break-all } .signed td { height: 14mm }
"""
STEPS = (
    "可查人选：检查人员库中，按职责范围可查该单位、且不须回避的人员；人选不足的事项不参加抽取。",
    "分层：各层按事项数占比分配件数，取整后的余数逐一给余数最大的层。",
    "抽事项：各层按“种子|item|事项|轮次”的 SHA-256 值从小到大取前若干件。",
    "分人员：依次分给手头检查最少的可查人选，同样多的按“种子|inspector|事项|轮次|人员”的 SHA-256 值排序。",
    "组长：同组中带队最少的一人，同样多的按上一步的次序。",
)


@dataclass(frozen=True)
class _Line:
    number: str
    title: str
    unit: str
    due_on: object
    leads: str
    second: str | None


async def printed(plan_id: UUID, *, by: Scope) -> str:
    """The page, whole. Raises NotFound, also before the plan is drawn."""
    plan, kept = await plan_of(plan_id, by=by), await draw_of(plan_id, by=by)
    record, zone = DrawRecord.model_validate(kept.record), await organization.zone_of(by.zone_id)
    rows = await database.fetch(DRAWN, by.zone_id, UUID(str(plan.id)))
    facts = [
        ("计划", plan.name),
        ("抽取时间", _moment(kept.drawn_at)),
        ("范围", f"{kept.population_size} 件已销号事项，其中 {kept.set_aside} 件因回避无人可查，不参加抽取"),
        ("抽取", f"{len(record.drawing.assigned)} 件，检查人员库 {len(record.inspectors)} 人，每件 {record.team} 人"),
        ("种子", record.seed),
        ("种子来源", record.seed_from.label),
        ("范围的哈希", record.population_hash),
        ("全部输入的哈希", record.inputs_hash),
        ("算法", record.algorithm),
        ("复核", "打印时按记录重新抽取，结果一致" if not verify(record) else "打印时按记录重新抽取，结果不一致"),
    ]
    return _page(zone.name, facts, [_Line(**row) for row in rows])


def _moment(at: datetime) -> str:
    return f"{clock.local(at):%Y-%m-%d %H:%M}"


def _page(zone: str, facts: Iterable[tuple[str, str]], lines: list[_Line]) -> str:
    title = f"{zone}“回头看”抽取记录"
    drawn = [
        (
            str(place),
            line.number,
            line.title,
            line.unit,
            "、".join(filter(None, (line.leads, line.second))),
            str(line.due_on),
        )
        for place, line in enumerate(lines, 1)
    ]
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
        f"<h1>{escape(title)}</h1>{_table((), facts)}<h2>抽取结果</h2>"
        f"{_table(('序号', '编号', '事项', '责任单位', '检查人员（组长在前）', '完成期限'), drawn)}"
        f"<h2>怎样抽取</h2><ol>{''.join(f'<li>{escape(step)}</li>' for step in STEPS)}</ol>"
        "<p>凭抽取记录文件，任何人可用 <code>zhuoluo draw verify</code> 离线重新抽取并核对。</p>"
        f"{_table(('抽取人', '监督人', '日期'), [('', '', '')], css='signed')}"
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], *, css: str = "") -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="{css}">{f"<thead><tr>{head}</tr></thead>" if head else ""}<tbody>{body}</tbody></table>'
