"""`zhuoluo pack` and `zhuoluo verify`: a pack made from the command line is checked without database or network."""

from pathlib import Path

from gateways.store import Store
from models import ledger
from models.base.audit import AuditRow
from models.organization import Zone
from tests.deploy.test_commands import zhuoluo
from tests.office import open_office
from tests.packing import closed, closed_with_evidence, opened


async def test_a_pack_is_made_and_checked_from_the_command_line(zone: Zone, database: str, tmp_path: Path) -> None:
    url, file = f"file://{tmp_path}/objects", tmp_path / "pack.zip"
    office = await open_office(zone)
    item_id = await closed_with_evidence(office, Store.open(url))
    number = (await ledger.readable(item_id, by=office.overseer)).number or ""
    told = {"ZHUOLUO_DATABASE_URL": database, "ZHUOLUO_OBJECT_STORE_URL": url}
    made = zhuoluo("pack", "kfq", number, "-o", str(file), **told)
    assert made.returncode == 0, made.stderr
    (row,) = await AuditRow.filter(zone_id=zone.id, action="pack.made")
    checked = zhuoluo("verify", str(file))
    assert checked.returncode == 0, checked.stdout
    assert row.data["manifest_sha256"] in checked.stdout
    files = opened(file.read_bytes())
    file.write_bytes(closed({**files, "README.txt": b"another"}))
    found = zhuoluo("verify", str(file))
    assert (found.returncode, "Traceback" in found.stderr) == (1, False)
    assert found.stdout == "README.txt: is not what the manifest names: its content was altered\n"


async def test_a_subject_that_is_not_there_is_said_in_a_sentence(zone: Zone, database: str, tmp_path: Path) -> None:
    file = tmp_path / "pack.zip"
    done = zhuoluo("pack", "kfq", "ZL-WT-2026-9999", "-o", str(file), ZHUOLUO_DATABASE_URL=database)
    assert (done.returncode, "Traceback" in done.stderr, file.exists()) == (1, False, False)
    assert "ZL-WT-2026-9999" in done.stderr
