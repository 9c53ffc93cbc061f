"""Pausing a channel: its messages take the next way that is open, and wait where there is none."""

from collections.abc import Sequence
from uuid import UUID

from models.base import audit, clock, database
from models.base.database import atomic
from models.base.errors import Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.deliveries.tables import Channel, Pause

READERS = (Role.ADMIN, Role.OVERSIGHT, Role.AUDITOR)


async def paused_channels(zone_id: UUID) -> frozenset[Channel]:
    """The channels that the zone sends nothing over for now."""
    rows = await database.fetch("select channel from channel_pause where zone_id = $1 and resumed_at is null", zone_id)
    return frozenset(Channel(row["channel"]) for row in rows)


async def pauses(*, by: Scope) -> Sequence[Pause]:
    """The zone's channels that are paused, and why. Raises Forbidden."""
    by.require(*READERS)
    return await Pause.filter(zone_id=by.zone_id, resumed_at__isnull=True).order_by("paused_at")


@atomic()
async def pause(channel: Channel, reason: str, *, by: Scope) -> Pause:
    """Send nothing more over `channel` until it is resumed; what is on its way still ends as it would.

    Again answers the pause that holds. Raises Forbidden, Invalid (`reason_missing`, `channel_not_pausable`).
    """
    by.require(Role.ADMIN)
    if channel is Channel.IN_APP:
        raise Invalid("channel_not_pausable", "收件箱不能停用：它保证每一项都有处可看。")
    if not reason.strip():
        raise Invalid("reason_missing", "请填写原因。")
    rows = await database.fetch(
        "insert into channel_pause (id, zone_id, channel, reason, paused_by, paused_at) values ($1, $2, $3, $4, $5, $6)"
        " on conflict do nothing returning id",
        new_id(),
        by.zone_id,
        channel.value,
        reason.strip()[:200],
        by.actor,
        clock.now(),
    )
    held = await Pause.get(zone_id=by.zone_id, channel=channel, resumed_at__isnull=True)
    if rows:
        await audit.record(by, "channel.paused", ("channel_pause", held.id), channel=channel.value)
    return held


@atomic()
async def resume(channel: Channel, *, by: Scope) -> Pause:
    """Send over `channel` again; what waited for it leaves now, one message a person. Raises Forbidden, NotFound."""
    by.require(Role.ADMIN)
    held = await Pause.filter(zone_id=by.zone_id, channel=channel, resumed_at__isnull=True).select_for_update().first()
    if held is None:
        raise NotFound("channel_not_paused", "这个渠道没有停用。")
    held.resumed_at = clock.now()
    await held.save(update_fields=["resumed_at"])
    await database.execute(
        "update delivery set not_before = $2 where id in (select id from delivery where zone_id = $1"
        " and reason = 'channel_paused' and state = 'queued' order by id for update)",
        [by.zone_id, clock.now()],
    )
    await audit.record(by, "channel.resumed", ("channel_pause", held.id), channel=channel.value)
    return held
