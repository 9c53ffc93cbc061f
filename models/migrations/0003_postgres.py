"""What only PostgreSQL can keep: written by hand."""

from tortoise import migrations
from tortoise.migrations import operations as ops

REFUSE_CHANGE = """
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end $$
"""


AUDIT_TX = """
create function audit_tx() returns bigint language sql volatile
  as 'select pg_current_xact_id()::text::bigint'
"""
AUDIT_HORIZON = """
create function audit_horizon() returns bigint language sql stable
  as 'select pg_snapshot_xmin(pg_current_snapshot())::text::bigint'
"""
CLOSED_CYCLE_STAYS = """
create function refuse_change_of_closed_cycle() returns trigger language plpgsql as $$
begin
  if old.closed_at is not null then
    raise exception 'a closed cycle is never rewritten' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$
"""
KEEP_CLOSED_CYCLES = (
    "create trigger cycle_stays_when_closed before update on cycle"
    " for each row execute function refuse_change_of_closed_cycle()"
)


def append_only(table: str) -> list[str]:
    """Nobody changes or removes a row of `table`, whoever is connected."""
    return [
        f"create trigger {table}_is_append_only before update or delete on {table}"
        " for each row execute function refuse_change()",
        f"create trigger {table}_is_never_emptied before truncate on {table}"
        " for each statement execute function refuse_change()",
    ]


def unchecked(table: str, *columns: str) -> list[str]:
    """What `db_constraint=False` says and Tortoise's migrations do not heed: no foreign key on these columns."""
    return [f"alter table {table} drop constraint if exists {table}_{column}_fkey" for column in columns]


STATEMENTS = [
    REFUSE_CHANGE,
    AUDIT_TX,
    AUDIT_HORIZON,
    *append_only("audit"),
    *append_only("audit_block"),
    *append_only("visit_record"),
    *append_only("month_figure"),
    *append_only("month_restatement"),
    *unchecked("appointment", "person_id", "post_id"),
    *unchecked("role_grant", "person_id", "unit_id"),
    CLOSED_CYCLE_STAYS,
    KEEP_CLOSED_CYCLES,
    "create index item_of_subtree on item (zone_id, unit_path text_pattern_ops, id)",
    # Of what has ended only: a delivery passes through two states before, and would leave an entry in each.
    "create index delivery_by_outcome on delivery (zone_id, state, id)"
    " where state in ('sent', 'failed', 'unknown', 'superseded', 'merged')",
    # `is not null` keeps the next two for questions about reminders and instants. While PostgreSQL believes that
    # nothing is queued, all indexes look alike to it, and it took them for a person's: the whole queue for each.
    # By its reminder only what has not left is looked up, to withdraw it.
    "create index delivery_waiting_of_reminder on delivery (zone_id, reminder_id)"
    " where state = 'queued' and reminder_id is not null",
    "create index delivery_due on delivery (zone_id, not_before) where state = 'queued' and not_before is not null",
    # An address is written as a message begins: what only waits has no entry.
    "create index delivery_last_to_phone on delivery (zone_id, openid, begun_at) where openid is not null",
    # Room for the next count beside the last one, so that taking a consent touches no index.
    "alter table consent set (fillfactor = 70)",
]


class Migration(migrations.Migration):
    """Append-only tables."""

    dependencies = [("models", "0002_constraints")]

    operations = [ops.RunSQL(STATEMENTS)]  # one operation: before each Tortoise copies the state of all models
