"""The two hot statements, written for one caller as anybody would by hand: what the limit and pgbench run."""

from tests.bench.zones import PERSON, REMINDER

INBOX = """
select id, kind, subject_type, subject_id, summary, due_on, urgent, made_at, (
  select json_object_agg(kind, open) from (
    select kind, count(*) as open from reminder where zone_id = $1 and person_id = $2 and state = 'open' group by kind
  ) k) as counts
from reminder where zone_id = $1 and person_id = $2 and state = 'open' order by id desc limit $3
"""
ACKNOWLEDGE = """
with locked as (
  select id, zone_id from reminder
  where id = $1 and zone_id = $2 and person_id = $3 and state = 'open' and kind <> 'to_receive' for update
), changed as (
  update reminder r set state = 'acknowledged', acknowledged_at = $4, note = $5 from locked l where r.id = l.id
), logged as (
  insert into audit (id, zone_id, tx, at, actor, action, subject_type, subject_id, data, hash)
  select $6, zone_id, audit_tx(), $4, $7, 'reminder.acknowledged', 'reminder', id, $8, $9
  from locked
), promised as (
  insert into outbox (id, zone_id, job, payload, key, state, due_at, next_at, attempts, made_at)
  select $10, zone_id, 'reminders.acknowledged', $11, $12, 'waiting', $4, $4, 0, $4 from locked
  on conflict (zone_id, key) do nothing
)
select count(*) from locked
"""

# The same for pgbench, which knows numbers only. Each client walks through reminders of its own.
WALK = """
\\set i :i + 1
\\set n :first + :client_id + :clients * :i
\\set person :n % :people
"""
VALUES = {
    "$10": "bench_id(:salt + 1, :n)",
    "$11": "jsonb_build_object('reminder_id', {reminder})",
    "$12": "'acknowledged:' || {reminder}",
    "$1": "{reminder}",
    "$2": ":zone::uuid",
    "$3": f"bench_id({PERSON}, :person)",
    "$4": "now()",
    "$5": "null",
    "$6": "bench_id(:salt, :n)",
    "$7": f"'person:' || bench_id({PERSON}, :person)",
    "$8": "'{{\"noted\": false}}'::jsonb",
    "$9": "decode(repeat('ab', 32), 'hex')",
}


def _for_pgbench(statement: str) -> str:
    for place, value in VALUES.items():
        statement = statement.replace(place, value.format(reminder=f"bench_id({REMINDER}, :n)"))
    return statement.strip() + ";\n"


ONE_STATEMENT = WALK + _for_pgbench(ACKNOWLEDGE)
FOUR_STATEMENTS = (
    WALK
    + "begin;\n"
    + _for_pgbench(
        "select id, zone_id, state from reminder where id = $1 and zone_id = $2 and person_id = $3 for update"
    )
    + _for_pgbench("update reminder set state = 'acknowledged', acknowledged_at = $4, note = $5 where id = $1")
    + _for_pgbench(
        "insert into audit (id, zone_id, tx, at, actor, action, subject_type, subject_id, data, hash) values"
        " ($6, $2, audit_tx(), $4, $7, 'reminder.acknowledged', 'reminder', $1, $8, $9)"
    )
    + _for_pgbench(
        "insert into outbox (id, zone_id, job, payload, key, state, due_at, next_at, attempts, made_at) values"
        " ($10, $2, 'reminders.acknowledged', $11, $12, 'waiting', $4, $4, 0, $4)"
        " on conflict (zone_id, key) do nothing"
    )
    + "end;\n"
)
