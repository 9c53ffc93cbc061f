"""The zone that everybody is measured on, made by PostgreSQL itself: every id follows from its number.

A reminder's number is `person + people * place`, so neighbours in the table belong to different people, and each
person's inbox has the same shape: 30 open reminders at the newest places. Every reply of a route is then equally long.
"""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from deploy import local, migrations
from models import organization
from models.base import database
from models.reminders import ReminderKind

REMINDER, PERSON, SIGN_IN, BINDING, ITEM, CYCLE, UNIT, CAMPAIGN, GRANT = range(1, 10)
TEMPLATE = "bench_template"
OPEN_EACH = 30
ITEMS_EACH = 10
UNITS = 100
KINDS = [kind.value for kind in ReminderKind if kind is not ReminderKind.TO_RECEIVE]
"""What can be acknowledged; the other kind is received."""

ID = """
create function bench_id(kind int, number bigint) returns uuid language sql immutable parallel safe as $$
  select ('018f0000-' || lpad(to_hex(kind), 4, '0') || '-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid $$
"""
PEOPLE = f"""
insert into unit (id, zone_id, code, name, kind, parent_id, path, active)
  select bench_id({UNIT}, n), $1, 'u' || n, '第' || lpad(n::text, 3, '0') || '局', 'department',
    case when n > 0 then bench_id({UNIT}, 0) end, case when n > 0 then '/u0/u' || n || '/' else '/u0/' end, true
  from generate_series(0, {UNITS}) n;
insert into person (id, zone_id, staff_no, name, phone, active)
  select bench_id({PERSON}, n), $1, 'S' || n, '王静' || lpad(n::text, 5, '0'), (13000000000 + n)::text, true
  from generate_series(0, $2 - 1) n;
insert into binding (id, zone_id, person_id, openid, bound_at)
  select bench_id({BINDING}, n), $1, bench_id({PERSON}, n), 'openid-' || n, now() from generate_series(0, $2 - 1) n;
insert into sign_in (id, zone_id, person_id, binding_id, generation, token_hash, began_at, ends_at)
  select bench_id({SIGN_IN}, n), $1, bench_id({PERSON}, n), bench_id({BINDING}, n), 0, ''::bytea, now(),
    now() + interval '30 days' from generate_series(0, $2 - 1) n;
insert into role_grant (id, zone_id, person_id, role, unit_id)
  select bench_id({GRANT}, n), $1, bench_id({PERSON}, n), 'cadre', bench_id({UNIT}, 1 + n % {UNITS})
  from generate_series(0, $2 - 1) n
"""
REMINDERS = f"""
insert into reminder (id, zone_id, person_id, kind, subject_type, subject_id, summary, due_on, urgent, escalation, key,
    alerts, state, made_at, acknowledged_at)
  select bench_id({REMINDER}, n), $1, bench_id({PERSON}, n % $2),
    ('{{{",".join(KINDS)}}}'::text[])[1 + ($3::bigint - 1 - n) / $2 % {len(KINDS)}],
    'item', bench_id({ITEM}, n % ($2 * {ITEMS_EACH})),
    '“长河路雨污分流工程款核对”临近期限，请在期限前办理。', date '2026-12-15', false, false, 'bench:' || n, 1,
    case when n >= ($3::bigint - {OPEN_EACH} * $2) then 'open' else 'acknowledged' end,
    timestamptz '2026-11-02 01:00:00Z' + n / $2 * interval '1 minute',
    case when n < ($3::bigint - {OPEN_EACH} * $2) then timestamptz '2026-11-03 01:00:00Z' end
  from generate_series(0::bigint, $3::bigint - 1) n
"""
ITEMS = f"""
insert into campaign (id, zone_id, name, purpose, default_policies, created_by, created_at)
  values (bench_id({CAMPAIGN}, 0), $1, '2026年重点任务', '', '{{}}', 'system', now());
insert into item (id, zone_id, campaign_id, number, list, title, requirement, basis, area, classification, owner_id,
    unit_id, unit_path, chain, state, cycle, due_on, due_provisional, immediate_fix, urgent, policy_codes, stage_goal,
    last_step, drafted_at, issued_at, version)
  select bench_id({ITEM}, n), $1, bench_id({CAMPAIGN}, 0), 'ZL-RW-2026-' || lpad(n::text, 6, '0'), 'task',
    '完成长河路雨污分流工程款核对', '逐笔核对工程款，形成台账并公示。', '管委会第十二次会议', '工程建设', 'internal',
    bench_id({PERSON}, n % $2), bench_id({UNIT}, 1 + n % $2 % {UNITS}), '/u0/u' || (1 + n % $2 % {UNITS}) || '/',
    jsonb_build_object('owner', bench_id({PERSON}, n % $2), 'unit_leader', bench_id({PERSON}, (n + 1) % $2),
      'upward', jsonb_build_array(bench_id({PERSON}, $2)), 'oversight', jsonb_build_array(bench_id({PERSON}, $2 + 1))),
    'in_progress', 1, date '2099-12-15', false, false, false, '["near_due"]', '', '', now(), now(), 1
  from generate_series(0, $2 * {ITEMS_EACH} - 1) n;
insert into cycle (id, zone_id, item_id, number, opening, opened_at, reason, basis, due_on, owner_id, received_at,
    evidence_count, returned_times)
  select bench_id({CYCLE}, n), $1, bench_id({ITEM}, n), 1, 'issue', timestamptz '2026-11-02 01:00:00Z', '', '',
    date '2099-12-15', bench_id({PERSON}, n % $2), timestamptz '2026-11-02 02:00:00Z', 2, 0
  from generate_series(0, $2 * {ITEMS_EACH} - 1) n
"""
REOPEN = (
    "update reminder set state = 'open', acknowledged_at = null where state = 'acknowledged' and made_at >= $1",
    "truncate outbox",
    "vacuum analyze reminder",
    "vacuum audit",
)


def bench_id(kind: int, number: int) -> UUID:
    """The id of the thing so numbered, as PostgreSQL's function of that name gives it."""
    return UUID(f"018f0000-{kind:04x}-7000-8000-{number:012x}")


@dataclass(frozen=True)
class BenchZone:
    """A loaded zone in a database of its own."""

    url: str
    zone_id: UUID
    people: int
    reminders: int

    @property
    def first_open(self) -> int:
        """The lowest number of an open reminder; all after it are open."""
        return self.reminders - OPEN_EACH * self.people

    @property
    def fuel(self) -> int:
        """How many reminders can be acknowledged before `reopen`."""
        return OPEN_EACH * self.people

    async def reopen(self) -> None:
        """As if nothing had been acknowledged: the inboxes are full again."""
        connection = await asyncpg.connect(self.url)
        try:
            begun = await connection.fetchval("select made_at from reminder where id = $1", self._oldest_open())
            await connection.execute(REOPEN[0], begun)
            for statement in REOPEN[1:]:
                await connection.execute(statement)
        finally:
            await connection.close()

    def _oldest_open(self) -> UUID:
        return bench_id(REMINDER, self.first_open)


async def migrated(services: local.Services, name: str) -> str:
    """Database `name` anew, with the product's schema; its URL. The schema is laid once a run and copied."""
    await local.drop_database(services, name)
    return await local.create_database(services, name, template=TEMPLATE)


async def lay_schema(services: local.Services) -> None:
    """The template of `migrated`."""
    await local.drop_database(services, TEMPLATE)
    await migrations.upgrade(await local.create_database(services, TEMPLATE))
    await database.disconnect()


async def load(services: local.Services, name: str, *, people: int, reminders: int) -> BenchZone:
    """A zone of that size in database `name`."""
    url = await migrated(services, name)
    await database.connect(url)
    zone = await organization.create_zone(code="bench", name="示范开发区")
    await database.disconnect()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(ID)
        for script in (PEOPLE, REMINDERS, ITEMS):
            await run_script(connection, script, zone.id, people, reminders)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return BenchZone(url, zone.id, people, reminders)


async def run_script(connection: asyncpg.Connection, script: str, *values: object) -> None:
    """Statement by statement, each with as many of the values as it takes: PostgreSQL takes parameters for one."""
    for statement in script.split(";\n"):
        taken = max(number for number in range(len(values) + 1) if f"${number}" in statement)
        await connection.execute(statement, *values[:taken])
