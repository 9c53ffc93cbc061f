"""Chapter 8: the log proves itself: it verifies as exported, names a row with one byte changed, and an item's pack."""

from collections import Counter
from pathlib import Path

import orjson

from deploy.story.world import ZONE, Json, World

POLICY = "CL-QS"


async def prove(world: World) -> None:
    """Export, verify, change a byte, verify again; and what the log says of the climbing."""
    tell, whole = world.tell, world.folder / "audit.jsonl"
    tell.chapter("The log proves itself")
    await tell.until("seconds that the log is unsealed", lambda: _unsealed(world), lambda age: age == 0, expected=0)
    status, output = await world.command("audit", "export", ZONE, str(whole))
    tell.require("zhuoluo audit export", status == 0, output.split(" lines")[0] + " lines", "exit status 0")
    status, output = await world.command("audit", "verify", str(whole))
    tell.require("zhuoluo audit verify: exit status", status == 0, status, 0)
    lines = whole.read_bytes().splitlines(keepends=True)
    rows = [orjson.loads(line) for line in lines]
    _climbed_once(world, rows)
    place = next(number for number, row in enumerate(rows) if row.get("action") == "item.closed")
    changed = _with_one_byte_changed(world.folder, lines, place)
    status, output = await world.command("audit", "verify", str(changed))
    tell.expect("one byte changed, zhuoluo audit verify: exit status", status, 1)
    tell.require("the row is named", rows[place]["id"] in output, f"line {place + 1}, row {rows[place]['id']}", output)
    await _pack_proves_itself(world, rows[place]["subject_id"])


async def _pack_proves_itself(world: World, item_id: str) -> None:
    tell, pack = world.tell, world.folder / "pack.zip"
    number = (await world.office.read(f"/items/{item_id}"))["number"]
    status, output = await world.command("pack", ZONE, number, "-o", str(pack))
    tell.require(f"zhuoluo pack {number}: exit status", status == 0, status, output)
    status, output = await world.command("verify", str(pack))
    tell.require("zhuoluo verify: exit status", status == 0, status, output)


async def _unsealed(world: World) -> float:
    return sum((await world.metric("zhuoluo_audit_unsealed_seconds")).values())


def _with_one_byte_changed(folder: Path, lines: list[bytes], place: int) -> Path:
    changed = folder / "audit-changed.jsonl"
    line = lines[place].replace(b'"cycle":1', b'"cycle":7', 1)
    assert line != lines[place]
    changed.write_bytes(b"".join([*lines[:place], line, *lines[place + 1 :]]))
    return changed


def _climbed_once(world: World, rows: list[Json]) -> None:
    """Every rung of every silent item fired once, by the log."""
    fired = Counter(
        (row["subject_id"], row["data"]["step"])
        for row in rows
        if row.get("action") == "escalation.fired" and row["data"]["policy"] == POLICY
    )
    wanted = Counter((item, step) for item in world.silent for step in (1, 2, 3))
    of_silent = Counter({rung: count for rung, count in fired.items() if rung[0] in world.silent})
    world.tell.require("rungs that fired, once each by the log", of_silent == wanted, sum(of_silent.values()), wanted)
