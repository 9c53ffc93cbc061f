"""A roster of 100,000 rows, taken in by a process of its own, whose time and memory are the figures.

`python -m tests.bench.roster FILE`: imports the workbook into the database of `ZHUOLUO_DATABASE_URL`.
"""

import asyncio
import json
import os
import resource
import sys
from pathlib import Path
from time import perf_counter

import xlsxwriter

from models import organization
from models.base import database
from models.base.scope import Grant, Role, Scope

UNITS = 500
SHEETS = {
    "单位": ("单位编码", "单位名称", "单位类型", "上级单位编码"),
    "人员": ("人员编号", "姓名", "手机号"),
    "任职": ("人员编号", "单位编码", "职务", "类别", "任职起始", "任职截止", "代理"),
    "角色": ("人员编号", "角色", "单位编码"),
}


def write_roster(file: Path, people: int) -> None:
    """A workbook of so many people, each with one appointment, and a role for one in fifty."""
    rows = {
        "单位": [["u0", "示范开发区", "党工委/管委会", ""]]
        + [[f"u{n}", f"第{n}社区", "村(社区)", "u0"] for n in range(1, UNITS)],
        "人员": ([f"S{n}", f"王静{n % 1000}", str(13000000000 + n)] for n in range(people)),
        "任职": ([f"S{n}", f"u{1 + n % (UNITS - 1)}", "干事", "成员", "2024-03-01", "", ""] for n in range(people)),
        "角色": ([f"S{n}", "干部", f"u{1 + n % (UNITS - 1)}"] for n in range(0, people, 50)),
    }
    with xlsxwriter.Workbook(str(file), {"constant_memory": True}) as workbook:
        for name, header in SHEETS.items():
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate([header, *rows[name]]):
                sheet.write_row(number, 0, row)


async def _import(workbook: bytes) -> float:
    await database.connect(os.environ["ZHUOLUO_DATABASE_URL"])
    zone = await organization.create_zone(code="roster", name="名册")
    by = Scope(zone.id, "system", grants=(Grant(Role.ADMIN, "/"),))
    began = perf_counter()
    await organization.import_roster(workbook, by=by)
    seconds = perf_counter() - began
    await database.disconnect()
    return seconds


def main() -> None:
    """Import the file named, print seconds and the process's peak of resident memory in MB."""
    seconds = asyncio.run(_import(Path(sys.argv[1]).read_bytes()))
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    json.dump({"seconds": seconds, "peak": peak}, sys.stdout)


if __name__ == "__main__":
    main()
