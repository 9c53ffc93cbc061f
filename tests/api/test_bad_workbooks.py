"""Workbooks that are made to mislead or to burden, on every route that takes one: refused in words, nothing changed."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from tests.api.conftest import Answer, Client
from tests.full_zone import FullZone, rows_of

ITEMS = ("清单", "标题", "要求", "责任人编号", "责任单位编码", "密级", "期限")
ROSTER = {
    "人员": ("人员编号", "姓名", "手机号"),
    "单位": ("单位编码", "单位名称", "单位类型", "上级单位编码"),
    "任职": ("人员编号", "单位编码", "职务", "类别", "任职起始"),
    "角色": ("人员编号", "角色", "单位编码"),
}
TAKING: dict[str, dict[str, tuple[str, ...]]] = {
    "/api/console/organization/roster": ROSTER,
    "/api/console/organization/notices/workbook?year=2027&source=通知": {"放假安排": ("日期", "安排")},
    "/api/console/campaigns/{campaign}/items/import": {"事项": ITEMS},
}
Touch = Callable[[Worksheet], Any]


def workbook(sheets: dict[str, tuple[str, ...]], touch: Touch) -> bytes:
    """Headers only; `touch` does its worst to the first sheet."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        written = {name: book.add_worksheet(name) for name in sheets}
        for name, sheet in written.items():
            sheet.write_row(0, 0, sheets[name])
        touch(next(iter(written.values())))
    return file.getvalue()


def bomb(sheets: dict[str, tuple[str, ...]]) -> bytes:
    """A workbook with a part of 300 MB that packs into less than one."""
    file = io.BytesIO(workbook(sheets, lambda sheet: None))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as package, package.open("xl/media/a.xml", "w") as part:
        for _ in range(300):
            part.write(b"<a>" * (2**20 // 3))
    return file.getvalue()


TRICKS: dict[str, Touch] = {
    "formula": lambda sheet: sheet.write_formula(1, 0, "=1+1"),
    "merged_cells": lambda sheet: sheet.merge_range(1, 0, 2, 0, "x"),
    "too_many_rows": lambda sheet: sheet.write(100_001, 0, "x"),
    "too_many_columns": lambda sheet: sheet.write(1, 16_000, "x"),
}
"""By the code that each is refused with."""
NONE = (b"", b"PK\x03\x04 and no more", b"a,b\n1,2\n", b"\xd0\xcf\x11\xe0 an older Excel")


@pytest.fixture
async def console(full: FullZone, callers_in: Any) -> Client:
    """Whoever may import."""
    callers: dict[str, Client] = await callers_in(full)
    return callers["console"]


async def bring(console: Client, full: FullZone, path: str, data: bytes) -> Answer:
    headers = {"Content-Type": "application/octet-stream"}
    return await console.post(path.format(campaign=full.first("campaign_id")), data=data, headers=headers)


def tracebacks_in(log: Path) -> int:
    return log.read_text().count("Traceback")


def codes(answer: Answer) -> set[str]:
    return {answer.code, *(fault["code"] for fault in answer.content["faults"])}


@pytest.mark.parametrize("path", TAKING)
async def test_a_bad_workbook_is_refused_in_words_and_changes_nothing(
    console: Client, full: FullZone, log: Path, path: str
) -> None:
    before, tracebacks = await rows_of(full.office.zone.id), tracebacks_in(log)
    bad = [(workbook(TAKING[path], touch), code) for code, touch in TRICKS.items()]
    bad += [(data, "not_a_workbook") for data in NONE]
    bad += [(bomb(TAKING[path]), "workbook_too_large")]
    for data, code in bad:
        answer = await bring(console, full, path, data)
        assert 400 <= answer.status < 500 and code in codes(answer), (code, answer.text)
        assert any("一" <= sign <= "鿿" for sign in answer.content["detail"])
    assert await rows_of(full.office.zone.id) == before
    assert tracebacks_in(log) == tracebacks


async def test_a_workbook_longer_than_the_bound_is_cut_off(console: Client, full: FullZone) -> None:
    async def endless() -> Any:
        for _ in range(40):
            yield bytes(2**20)

    for path in TAKING:
        try:
            answer = await bring(console, full, path, endless())  # type: ignore[arg-type]
            assert (answer.status, answer.code) == (413, "body_too_large")
        except aiohttp.ClientConnectionError:  # it hung up in the middle of the body, which it may
            continue
