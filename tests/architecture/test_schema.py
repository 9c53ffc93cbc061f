"""The database holds what the models declare: Tortoise forgets constraints of a new table and says nothing."""

from tortoise import Tortoise
from tortoise.indexes import Index
from tortoise.models import Model

from deploy import migrations
from models.base import database as postgres


def every_table() -> list[type[Model]]:
    assert Tortoise.apps is not None
    return list(Tortoise.apps["models"].values())


async def names(sql: str) -> set[str]:
    return {row["name"] for row in await postgres.fetch(sql)}


async def test_every_constraint_and_index_of_the_models_exists(database: str) -> None:
    present = await names("select conname as name from pg_constraint") | await names(
        "select indexname as name from pg_indexes where schemaname = 'public'"
    )
    declared = {
        rule.name
        for table in every_table()
        for rule in (*table._meta.constraints, *table._meta.indexes)
        if getattr(rule, "name", None)
    }
    assert declared, "the models declare nothing: the test looks in the wrong place"
    assert declared - present == set()


async def test_every_table_carries_its_zone(database: str) -> None:
    """Except the zone itself, and what comes from outside before its zone is known."""
    without = {table._meta.db_table for table in every_table() if "zone_id" not in table._meta.fields_map}
    assert without <= {"zone", "callback"}


async def test_every_index_of_our_own_begins_with_the_zone_and_says_what_it_answers(database: str) -> None:
    unruly = []
    for table in every_table():
        for index in table._meta.indexes:
            named = isinstance(index, Index) and index.name
            first = (index.fields or [""])[0] if isinstance(index, Index) else index[0]
            if "zone_id" in table._meta.fields_map and (not named or first != "zone_id"):
                unruly.append(f"{table._meta.db_table}: {index.describe() if isinstance(index, Index) else index}")
    assert unruly == []


async def test_the_history_has_everything_that_the_models_have() -> None:
    """`make migrations` would find nothing to write."""
    assert await migrations.missing() == []


async def test_the_database_itself_keeps_the_log(database: str) -> None:
    triggers = await names("select tgname as name from pg_trigger where not tgisinternal")
    assert {"audit_is_append_only", "audit_is_never_emptied", "audit_block_is_append_only"} <= triggers
