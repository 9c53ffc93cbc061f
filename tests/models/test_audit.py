"""The log of every act: append-only, sealed in order, verifiable without our database."""

import asyncio
from uuid import UUID

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.exceptions import IntegrityError

from models.base import audit
from models.base import database as postgres
from models.base.audit.proving import way
from models.base.ids import new_id
from models.base.scope import Scope
from models.organization import Zone

pytestmark = pytest.mark.usefixtures("database")


async def act(zone: Zone, **data: object) -> UUID:
    subject = new_id()
    async with postgres.in_transaction():
        await audit.record(Scope.system(zone.id), "thing.done", ("thing", subject), **data)
    return subject


async def exported(zone: Zone) -> list[bytes]:
    return [line async for line in audit.export_lines(zone.id)]


async def test_an_export_of_several_blocks_verifies(zone: Zone) -> None:
    for number in range(3):
        await act(zone, number=number, words="落实")
        await audit.seal(zone.id)
    assert list(audit.verify_lines(await exported(zone))) == []


async def test_one_changed_byte_names_its_row_and_nothing_else(zone: Zone) -> None:
    for number in range(3):
        await act(zone, number=number)
    await audit.seal(zone.id)
    lines = await exported(zone)
    hit = next(place for place, line in enumerate(lines) if b'"number":1' in line)
    lines[hit] = lines[hit].replace(b'"number":1', b'"number":7')
    (mismatch,) = audit.verify_lines(lines)
    assert mismatch.line == hit + 1
    assert mismatch.name.startswith("row ")


async def test_a_removed_row_shows_in_its_block(zone: Zone) -> None:
    await act(zone, number=1)
    await act(zone, number=2)
    await audit.seal(zone.id)
    lines = await exported(zone)
    del lines[-2]
    assert [mismatch.name for mismatch in audit.verify_lines(lines)] == ["block 1", "block 1"]


async def test_rows_cannot_be_changed_removed_or_emptied(zone: Zone) -> None:
    await act(zone)
    for statement in ("update audit set actor = 'someone'", "delete from audit", "truncate audit"):
        with pytest.raises(IntegrityError, match="append-only"):
            await postgres.execute(statement)


async def test_sealing_never_passes_a_transaction_still_open(zone: Zone, database: str) -> None:
    """A row of a transaction that began earlier and commits later must not fall behind a sealed place."""
    while await audit.seal(zone.id):  # what making the zone has logged
        pass
    slow = await asyncpg.connect(database)
    try:
        open_transaction = slow.transaction()
        await open_transaction.start()
        await slow.execute("select pg_current_xact_id()")
        await act(zone, order="second")
        assert await audit.seal(zone.id) == 0
        assert await audit.unsealed_age() >= 0
        await open_transaction.rollback()
        assert await audit.seal(zone.id) > 0
    finally:
        await slow.close()


async def test_two_sealers_at_once_make_one_chain(zone: Zone) -> None:
    for _ in range(20):
        await act(zone)
    taken = await asyncio.gather(*(audit.seal(zone.id) for _ in range(4)))
    while await audit.seal(zone.id):
        pass
    assert sum(taken) >= 20
    assert list(audit.verify_lines(await exported(zone))) == []


async def test_a_few_blocks_prove_that_a_row_stands_in_a_long_chain(zone: Zone) -> None:
    subject = await act(zone, number=0)
    for number in range(70):
        await act(zone, number=number)
        await audit.seal(zone.id)
    assert list(audit.verify_lines(await exported(zone))) == []
    rows = await audit.rows_about(zone.id, [subject], limit=10)
    held = await audit.heights_of(zone.id, rows)
    head = await audit.head_of(zone.id)
    assert head is not None
    lines = [orjson.loads(line) async for line in audit.proof_lines(zone.id, head.height, {*held.values()})]
    assert len(lines) < 30  # of some 70; of a million it would be two hundred
    links = {head.height: bytes(head.hash)}
    for line in lines:
        root = bytes.fromhex(line["rows_root"]) if "rows_root" in line else root_of(line["row_hashes"])
        previous, skipped, height = bytes.fromhex(line["previous"]), bytes.fromhex(line["skipped"]), line["height"]
        assert audit.block_hash(previous, skipped, height, root) == links[height]
        links |= {height - 1: previous, audit.below(height): skipped}
    (row,) = rows
    assert bytes(row["hash"]).hex() in lines[-1]["row_hashes"]


def root_of(hashes: list[str]) -> bytes:
    return audit.rows_root(map(bytes.fromhex, hashes))


async def test_a_row_that_is_not_sealed_yet_has_no_block(zone: Zone) -> None:
    rows = await audit.rows_about(zone.id, [await act(zone)], limit=10)
    assert await audit.heights_of(zone.id, rows) == {}


@given(st.integers(1, 10**7), st.data())
def test_the_way_to_any_block_is_short(head: int, data: st.DataObject) -> None:
    target = data.draw(st.integers(1, head))
    heights = list(way(head, {target}))
    assert (heights[0], heights[-1]) == (head, target)
    assert len(heights) < head.bit_length() ** 2 + 2
