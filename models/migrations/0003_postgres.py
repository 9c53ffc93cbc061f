"""What only PostgreSQL can keep: written by hand."""

from tortoise import migrations
from tortoise.migrations import operations as ops

REFUSE_CHANGE = """
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end $$
"""


def append_only(table: str) -> list[ops.RunSQL]:
    """Nobody changes or removes a row of `table`, whoever is connected."""
    return [
        ops.RunSQL(
            f"create trigger {table}_is_append_only before update or delete on {table}"
            " for each row execute function refuse_change()",
            f"drop trigger {table}_is_append_only on {table}",
        ),
        ops.RunSQL(
            f"create trigger {table}_is_never_emptied before truncate on {table}"
            " for each statement execute function refuse_change()",
            f"drop trigger {table}_is_never_emptied on {table}",
        ),
    ]


class Migration(migrations.Migration):
    """Append-only tables."""

    dependencies = [("models", "0002_constraints")]

    operations = [
        ops.RunSQL(REFUSE_CHANGE, "drop function refuse_change()"),
        *append_only("audit"),
        *append_only("audit_block"),
    ]
