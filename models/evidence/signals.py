"""Signals of authenticity: what about a piece does not fit together, in a sentence each (domain.md §6).

They are shown to reviewers and decide nothing: clocks are wrong, messengers strip EXIF, phones are lent. A signal is
about a file, never about a person, and is neither counted nor added up. Of a file without EXIF nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Any
from uuid import UUID

from models.base import clock
from models.base.database import atomic
from models.evidence.tables import Evidence, Nonce, Trace
from models.ledger import Cycle

AHEAD = timedelta(minutes=10)
CLAIM = timedelta(hours=2)
BEFORE = timedelta(days=1)
"""A cycle is often opened a little after the work began."""
EARTH_KM = 6371.0
EDITORS = (
    *(
        "photoshop",
        "lightroom",
        "gimp",
        "snapseed",
        "picsart",
        "pixelmator",
        "affinity",
        "acdsee",
        "paint.net",
        "canva",
    ),
    *("coreldraw", "meitu", "美图", "醒图", "xingtu", "capcut", "faceapp", "stable diffusion", "midjourney", "polarr"),
)
"""Programs that change pictures; what a phone's own system writes under Software is none of them."""


@dataclass(frozen=True, slots=True)
class Signal:
    """`sentence` is what the reviewer reads."""

    code: str
    sentence: str


@atomic()
async def trace(zone_id: UUID, evidence_id: UUID, said: dict[str, Any]) -> None:
    """Keep what a photo says of itself (`said`: columns of Trace); again it changes nothing."""
    await Trace.get_or_create(zone_id=zone_id, evidence_id=evidence_id, defaults=said)


async def signals_of(zone_id: UUID, rows: Sequence[Evidence]) -> dict[UUID, tuple[Signal, ...]]:
    """Of each of `rows` that has any, in two statements."""
    traces = {
        trace.evidence_id: trace
        for trace in await Trace.filter(zone_id=zone_id, evidence_id__in=[row.id for row in rows])
    }
    items = [row.item_id for row in rows if row.item_id and row.id in traces]
    opened: dict[tuple[UUID | None, int | None], datetime] = {
        (cycle.item_id, cycle.number): cycle.opened_at
        for cycle in (await Cycle.filter(zone_id=zone_id, item_id__in=items) if items else ())
    }
    found = {row.id: _signals(row, traces.get(row.id), opened.get((row.item_id, row.cycle))) for row in rows}
    return {row_id: signals for row_id, signals in found.items() if signals}


def _signals(row: Evidence, trace: Trace | None, opened_at: datetime | None) -> tuple[Signal, ...]:
    found = [_ahead("填写", row.captured_at, row.received_at), *brought_along("材料", row.nonce, row.clock_skew)]
    if trace is not None:
        found += [
            _ahead("照片自带", trace.taken_at, row.received_at),
            _unlike_claim(trace.taken_at, row.captured_at),
            _before(trace.taken_at, opened_at),
            _edited(trace.software),
            _credentials(trace),
        ]
    return tuple(signal for signal in found if signal is not None)


def brought_along(what: str, nonce: Nonce | None, clock_skew: int | None) -> list[Signal]:
    """Of a piece or a record (`what`, as it is called): the visit's nonce, and the phone's clock when it was sent."""
    found = []
    if nonce is Nonce.ABSENT:
        found.append(
            Signal(
                "no_nonce", f"{what}没有带检查编码，可能没有先在手机上打开这次检查，或者用的是旧版小程序；不影响效力。"
            )
        )
    if nonce is Nonce.FOREIGN:
        found.append(Signal("foreign_nonce", f"{what}所带的检查编码不是发给这次检查和提交人的，请核对是不是本人填写。"))
    if clock_skew is not None and abs(clock_skew) > AHEAD.total_seconds():
        way = "快" if clock_skew > 0 else "慢"
        minutes = f"{abs(clock_skew) / 60:.0f} 分钟"
        found.append(Signal("clock_skew", f"发送时，手机的时钟比平台{way} {minutes}，所填的时间请按此核对。"))
    return found


def _ahead(whose: str, taken_at: datetime | None, received_at: datetime) -> Signal | None:
    if taken_at is None or taken_at - received_at <= AHEAD:
        return None
    return Signal(
        "dated_ahead",
        f"{whose}的拍摄时间（{_said(taken_at)}）晚于平台收到的时间（{_said(received_at)}），手机的时钟可能不准。",
    )


def _unlike_claim(taken_at: datetime | None, claimed_at: datetime | None) -> Signal | None:
    if taken_at is None or claimed_at is None or abs(taken_at - claimed_at) <= CLAIM:
        return None
    return Signal(
        "unlike_claim",
        f"照片自带的拍摄时间是{_said(taken_at)}，与填写的拍摄时间（{_said(claimed_at)}）不同，请核对。",
    )


def _before(taken_at: datetime | None, opened_at: datetime | None) -> Signal | None:
    if taken_at is None or opened_at is None or opened_at - taken_at <= BEFORE:
        return None
    return Signal(
        "before_cycle",
        f"照片自带的拍摄时间（{_said(taken_at)}）早于本轮办理开始的时间（{_said(opened_at)}），"
        "请核对反映的是不是整改后的情况。",
    )


def _edited(software: str) -> Signal | None:
    if not any(editor in software.lower() for editor in EDITORS):
        return None
    return Signal("edited", f"照片用图片处理软件（{software}）保存过，可能只是裁剪或压缩，必要时可请提交人提供原片。")


def _credentials(trace: Trace) -> Signal | None:
    if trace.issuer is None:
        return None
    issuer = trace.issuer or "未写明"
    if not trace.intact:
        return Signal("credential_broken", f"照片带有来源凭证（C2PA，签发者：{issuer}），但文件与凭证已不一致。")
    if trace.generated:
        return Signal("generated", f"照片的来源凭证（C2PA，签发者：{issuer}）写明画面由人工智能生成，请核实现场情况。")
    return Signal("credential", f"照片带有完好的来源凭证（C2PA，签发者：{issuer}；平台没有核实签发者的身份）。")


def _said(at: datetime) -> str:
    return f"{clock.local(at):%Y-%m-%d %H:%M}"


def apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Kilometres between two places given as latitude and longitude in degrees (great circle)."""
    (a, b), (c, d) = (tuple(map(radians, place)) for place in (one, other))
    half = sin((c - a) / 2) ** 2 + cos(a) * cos(c) * sin((d - b) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))
