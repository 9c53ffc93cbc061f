"""The consent ledger: how many one-time subscribe messages each phone still takes (wechat.md).

The platform keeps its own count and does not tell it; ours is credited by its events, and set to none where it says so.
"""

from datetime import datetime, timedelta
from uuid import UUID

from models import organization
from models.base import audit, clock, database, outbox
from models.base.database import atomic
from models.base.errors import Conflict
from models.base.ids import new_id
from models.base.scope import Scope
from models.deliveries.tables import Consent

CREDIT_REPORT = outbox.job("deliveries.credit_report")
EVENT_WAITS = timedelta(minutes=1)
ENOUGH = 20
"""No more than this is kept: whoever taps on forever fills no ledger."""


CREDIT = """
insert into consent as c (id, zone_id, openid, template, remaining, accepted, credited_at)
values ($1, $2, $3, $4, 1, array[$5::timestamptz], $6)
on conflict (zone_id, openid, template) do update set credited_at = $6,
  accepted = (array(select a from unnest(c.accepted || $5::timestamptz) a order by a desc))[1:$7],
  remaining = least($7, c.remaining + 1)
where coalesce(c.revoked_at, '-infinity') < $5
"""


async def credit(zone_id: UUID, openid: str, template: str, at: datetime | None = None) -> None:
    """The phone accepted one more message `at` (default: now), within the transaction that ends the event.

    Nothing, where the phone has refused since: events may come in another order than they happened.
    """
    now = clock.now()
    await database.execute(CREDIT, [new_id(), zone_id, openid, template, at or now, now, ENOUGH])


REVOKE = """
insert into consent as c (id, zone_id, openid, template, remaining, accepted, revoked_at)
values ($1, $2, $3, $4, 0, '{}', $5)
on conflict (zone_id, openid, template) do update set revoked_at = greatest(c.revoked_at, $5),
  remaining = least(c.remaining, (select count(*) from unnest(c.accepted) a where a > $5)),
  accepted = array(select a from unnest(c.accepted) a where a > $5 order by a desc)
"""


async def revoke(zone_id: UUID, openid: str, template: str, at: datetime | None = None) -> None:
    """The phone's settings refused the template `at` (default: now): what was accepted before counts no more."""
    await database.execute(REVOKE, [new_id(), zone_id, openid, template, at or clock.now()])


async def remaining(template: str, *, by: Scope) -> int:
    """How many more messages of the template the caller's phone takes."""
    binding = await organization.binding_of(by.zone_id, by.person_id) if by.person_id else None
    if binding is None:
        return 0
    consent = await Consent.get_or_none(zone_id=by.zone_id, openid=binding.openid, template=template)
    return consent.remaining if consent else 0


@atomic()
async def report(report_id: UUID, template: str, *, by: Scope) -> None:
    """The phone says that its user accepted; the platform's event counts, and this only if none comes in a minute.

    Raises Conflict (`not_bound`).
    """
    binding = await organization.binding_of(by.zone_id, by.person_id) if by.person_id else None
    if binding is None:
        raise Conflict("not_bound", "您还没有绑定微信，请先完成绑定。")
    now = clock.now()
    await audit.record(by, "consent.reported", ("person", binding.person_id), template=template)  # type: ignore[attr-defined]
    await outbox.promise(
        by.zone_id,
        CREDIT_REPORT,
        due_at=now + EVENT_WAITS,
        key=f"consent:{report_id}",
        openid=binding.openid,
        template=template,
        since=(now - EVENT_WAITS).isoformat(),
        reported=now.isoformat(),
    )


@atomic()
async def credit_report(zone_id: UUID, openid: str, template: str, since: str, reported: str) -> bool:
    """Credit a report that no event has confirmed since; once, however often it is asked. Whether it did."""
    rows = await database.fetch(
        "insert into consent as c (id, zone_id, openid, template, remaining, accepted, credited_at)"
        " values ($1, $2, $3, $4, 1, array[$5::text::timestamptz],"
        "  $5::text::timestamptz + interval '1 microsecond')"
        " on conflict (zone_id, openid, template) do update set remaining = least($7, c.remaining + 1),"
        "  accepted = (excluded.accepted || c.accepted)[1:$7], credited_at = excluded.credited_at"
        " where coalesce(c.credited_at, '-infinity') < $6::text::timestamptz"
        "  and coalesce(c.revoked_at, '-infinity') < $5::text::timestamptz returning id",
        new_id(),
        zone_id,
        openid,
        template,
        reported,
        since,
        ENOUGH,
    )
    return bool(rows)
