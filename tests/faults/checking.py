"""What must hold after every fault, read from the database, the platform and what the schedule itself caused."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

from models import organization
from models.base import audit, clock, database
from models.base.calendar import Calendar, calendar_of
from models.deliveries.tables import OUTCOMES
from models.escalations.firing import REPEATING
from models.organization import ZoneSettings
from tests.faults.arena import Stuck, until
from tests.faults.stage import TODO, Owed, Stage

Kind = Literal["lost", "duplicate", "other"]
Row = dict[str, Any]
ENDED = {state.value for state in OUTCOMES}
LEFT = {"sent", "unknown"}
SEAL_SECONDS = 30.0


@dataclass(frozen=True)
class Finding:
    """Something that does not hold."""

    kind: Kind
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


@dataclass
class Facts:
    """All that is looked at. `messages` maps what the platform took to the delivery that each names as its carrier."""

    owed: list[Owed]
    reminders: list[Row]
    deliveries: dict[UUID, Row]
    timers: list[Row]
    drafts: list[Row]
    promises: list[Row]
    messages: list[Row]
    alarms: dict[str, str]
    days: Calendar
    settings: ZoneSettings
    now: datetime
    followed: dict[UUID, Row] = field(default_factory=dict)
    carried: dict[UUID, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = self.deliveries.values()
        self.followed = {row["after"]: row for row in rows if row["after"]}
        for row in rows:
            self.carried.setdefault(row["carried_by"] or row["id"], []).append(row)

    def excused(self, subject: Any, *kinds: str) -> bool:
        """Whether an open alarm names it, or one of these kinds, which count what is late, is open at all."""
        return any(kind in self.alarms for kind in kinds) or any(str(subject) in text for text in self.alarms.values())

    def earlier(self, row: Row) -> set[str]:
        """The channels over which the same was tried before."""
        before = self.deliveries.get(row["after"]) if row["after"] else None
        return {before["channel"]} | self.earlier(before) if before else set()

    def carrier(self, row: Row) -> Row | None:
        """The delivery whose message told of it."""
        return self.deliveries.get(row["carried_by"] or row["id"])


async def check(stage: Stage) -> list[Finding]:
    """Everything that does not hold in the stage's zone now, the remarks of the faults included."""
    facts = await gathered(stage)
    found = [Finding("other", remark) for remark in stage.remarks]
    for look in (unreminded, unended, unfollowed, untold, unfired, unkept, repeated, unaccounted, crowded, disturbing):
        found += look(facts)
    found += [finding async for finding in _consents(stage)]
    return found + [finding async for finding in _audit(stage)]


async def gathered(stage: Stage) -> Facts:
    """Read it all."""
    zone = stage.zone.id
    rows = {name: await database.fetch(f"select * from {name} where zone_id = $1", zone) for name in TABLES}
    return Facts(
        owed=stage.owed,
        reminders=rows["reminder"],
        deliveries={row["id"]: row for row in rows["delivery"]},
        timers=rows["escalation_timer"],
        drafts=rows["escalation_draft"],
        promises=rows["outbox"],
        messages=[_message(message) for message in await stage.messages()],
        alarms=await _open_alarms(zone),
        days=await calendar_of(zone),
        settings=await organization.settings_of(zone),
        now=clock.now(),
    )


TABLES = ("reminder", "delivery", "escalation_timer", "escalation_draft", "outbox")


def _message(message: Row) -> Row:
    """Which delivery carries it and how many things it tells of."""
    digits = "".join(sign for sign in message["data"]["thing1"] if sign.isdigit())
    return {**message, "carrier": UUID(message["page"].partition("r=")[2]), "count": int(digits)}


async def _open_alarms(zone_id: UUID) -> dict[str, str]:
    """Open alarms, as texts to look ids, jobs and channels up in, by kind; none as long as the product has none."""
    (there,) = await database.fetch("select to_regclass('alarm') is not null as known")
    if not there["known"]:
        return {}
    rows = await database.fetch(
        "select kind, string_agg(subject || ' ' || detail, ' ') as texts from alarm"
        " where zone_id = $1 and cleared_at is null group by kind",
        zone_id,
    )
    return {row["kind"]: row["texts"] for row in rows}


def unreminded(facts: Facts) -> Iterator[Finding]:
    """What was caused is in the inbox, and each reminder has its delivery."""
    known = Counter((row["person_id"], row["kind"], row["subject_id"]) for row in facts.reminders)
    for owed in facts.owed:
        if not known[owed.person_id, owed.kind.value, owed.subject_id] and not facts.excused(owed.subject_id):
            yield Finding("lost", f"nobody was reminded: {owed.kind.value} of {owed.subject_id}")
    delivered = {row["reminder_id"] for row in facts.deliveries.values()}
    for row in facts.reminders:
        if row["id"] not in delivered and not facts.excused(row["id"]):
            yield Finding("lost", f"reminder {row['id']} ({row['kind']}) has no delivery")


def unended(facts: Facts) -> Iterator[Finding]:
    """Every delivery has an outcome."""
    for row in facts.deliveries.values():
        if row["state"] not in ENDED and not facts.excused(row["id"], "deliveries_late", "delivery_stuck"):
            yield Finding("lost", f"delivery {row['id']} is {row['state']}, not before {row['not_before']:%m-%d %H:%M}")


def unfollowed(facts: Facts) -> Iterator[Finding]:
    """What did not, or may not have, arrived over subscribe is owed once more over the next channel."""
    for row in facts.deliveries.values():
        carrier = facts.carrier(row)
        failed = row["channel"] == "subscribe" and carrier is not None and carrier["state"] in ("failed", "unknown")
        if failed and row["id"] not in facts.followed and not facts.excused(row["id"]):
            yield Finding("lost", f"delivery {row['id']} did not arrive and is not owed over the next channel")


def untold(facts: Facts) -> Iterator[Finding]:
    """What is called sent left, and told of everything that it is said to have told."""
    by_carrier = {message["carrier"]: message for message in facts.messages}
    for carrier, told in facts.carried.items():
        row = facts.deliveries.get(carrier)
        if row is None or row["state"] not in ENDED or row["carried_by"]:
            yield Finding("lost", f"{len(told)} deliveries merged into {carrier}, which tells of nothing")
            continue
        message = by_carrier.get(carrier)
        if row["state"] == "sent" and row["channel"] != "in_app" and message is None:
            yield Finding("lost", f"delivery {carrier} is called sent, and the platform never took it")
        if message is not None and row["state"] in LEFT and message["count"] != len(told):
            kind: Kind = "lost" if message["count"] < len(told) else "other"
            yield Finding(kind, f"message {carrier} tells of {message['count']} things and stands for {len(told)}")


def unfired(facts: Facts) -> Iterator[Finding]:
    """Steps that are due have fired, and what has fired said or drafted something."""
    spoken = {row["key"].split(":")[1] for row in facts.reminders if row["key"].startswith("escalation:")}
    spoken |= {str(row["timer_id"]) for row in facts.drafts}
    for row in facts.timers:
        due = row["state"] == "waiting" and row["due_at"] and row["due_at"] <= facts.now
        if due and not facts.excused(row["id"], "timers_late"):
            yield Finding("lost", f"step {row['policy_code']}.{row['step']} is due and has not fired")
        if row["state"] == "fired" and str(row["id"]) not in spoken:
            yield Finding("lost", f"step {row['policy_code']}.{row['step']} fired and told nobody")


def unkept(facts: Facts) -> Iterator[Finding]:
    """Promises that are due are kept, and each acknowledgement has left its promise."""
    for row in facts.promises:
        due = row["state"] == "quarantined" or (row["state"] == "waiting" and row["next_at"] <= facts.now)
        if due and not facts.excused(row["job"], "promises_late"):
            yield Finding("lost", f"promise {row['job']} is {row['state']} ({row['last_error']})")
    keys = {row["key"] for row in facts.promises}
    for row in facts.reminders:
        if row["state"] == "acknowledged" and f"acknowledged:{row['id']}" not in keys:
            yield Finding("lost", f"reminder {row['id']} was acknowledged and nothing follows")


def repeated(facts: Facts) -> Iterator[Finding]:
    """One message a push and channel, and on subscribe never again what is unknown there."""
    for (channel, carrier), times in Counter((m["channel"], m["carrier"]) for m in facts.messages).items():
        if times > 1:
            yield Finding("duplicate", f"{times} {channel} messages of delivery {carrier}")
    for message in facts.messages:
        told = facts.carried.get(message["carrier"], [])
        if message["channel"] == "subscribe" and told and all("subscribe" in facts.earlier(row) for row in told):
            yield Finding("duplicate", f"delivery {message['carrier']} went over subscribe again")


def unaccounted(facts: Facts) -> Iterator[Finding]:
    """Each message that left is one that we know of: whatever else was told, was told by another one as well."""
    for message in facts.messages:
        row = facts.deliveries.get(message["carrier"])
        known = row is not None and row["state"] in LEFT and row["channel"] == message["channel"]
        if not known:
            seen = f"{row['state']} over {row['channel']}" if row else "unknown to us"
            yield Finding("duplicate", f"{message['channel']} message of {message['carrier']} left; it is {seen}")


def crowded(facts: Facts) -> Iterator[Finding]:
    """In the inbox a later reminder of the same matter has taken the place of an earlier one."""
    kinds = {kind.value for kind in REPEATING}
    open_now = Counter(
        (row["person_id"], row["kind"], row["subject_id"])
        for row in facts.reminders
        if row["state"] == "open" and row["kind"] in kinds
    )
    for (_, kind, subject), times in open_now.items():
        if times > 1:
            yield Finding("duplicate", f"{times} open reminders {kind} of {subject} to one person")


def disturbing(facts: Facts) -> Iterator[Finding]:
    """Phones rest in quiet hours, except for the urgent, and ring no oftener a day than the zone's budget."""
    rung = []
    for carrier, told in facts.carried.items():
        row = facts.deliveries.get(carrier)
        if row is None or row["channel"] in (None, "in_app") or row["state"] not in LEFT:
            continue
        quiet = facts.days.quiet(row["begun_at"], facts.settings.quiet_from, facts.settings.quiet_until)
        if quiet and not any(one["urgent"] for one in told):
            yield Finding("other", f"delivery {carrier} left in quiet hours, {clock.local(row['begun_at']):%a %H:%M}")
        if not any(one["escalation"] for one in told):
            rung.append((str(row["person_id"]), clock.local(row["begun_at"]).date()))
    for (person, day), pushes in groupby(sorted(rung)):
        if (times := len(list(pushes))) > facts.settings.daily_budget:
            yield Finding("other", f"{times} messages to {person} on {day}")


async def _consents(stage: Stage) -> Any:
    """Never below zero, and never more than the platform would take where it has told us everything."""
    for phone in stage.phones.values():
        ours = await stage.consents(phone.openid)
        theirs = (await stage.arena.platform.ask("GET", f"/_phone/{phone.openid}"))["consents"].get(TODO, 0)
        if ours < 0 or (stage.known_consents and ours > theirs):
            yield Finding("other", f"consent of a phone is {ours}, the platform takes {theirs}")


async def _audit(stage: Stage) -> Any:
    """All is sealed within seconds, and the export verifies."""

    async def sealed() -> bool:
        (row,) = await database.fetch(UNSEALED, stage.zone.id)
        return not row["open"]

    try:
        await until("the log is sealed", sealed, SEAL_SECONDS)
    except Stuck:
        yield Finding("other", "rows of the log stay unsealed")
    lines = [line async for line in audit.export_lines(stage.zone.id)]
    for mismatch in audit.verify_lines(lines):
        yield Finding("other", f"log, line {mismatch.line}: {mismatch.name}: {mismatch.reason}")


UNSEALED = """
select exists (
  select from audit a where zone_id = $1 and (tx, id) > (
    select coalesce(max(last_tx), -1), coalesce((array_agg(last_id order by height desc))[1],
      '00000000-0000-0000-0000-000000000000') from audit_block where zone_id = $1)) as open
"""
