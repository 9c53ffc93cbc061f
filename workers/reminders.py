"""What follows an acknowledgement."""

from uuid import UUID

from models import reminders
from workers.relay import Context, handles


@handles(reminders.ACKNOWLEDGED)
async def acknowledged(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """Withdraw what has not reached the phone; let the acknowledgement expire one day where its kind says so."""
    await reminders.after_acknowledgement(zone_id, UUID(payload["reminder_id"]))


@handles(reminders.EXPIRE)
async def expire(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """Remind again where an acknowledged matter did not move."""
    await reminders.expire(zone_id, UUID(payload["reminder_id"]))
