"""What the ledger does by itself: suspensions that end, stages to review, deadlines that a new holiday notice moves."""

from datetime import date
from uuid import UUID

from models import ledger
from models.base import calendar
from workers.relay import Context, handles


@handles(ledger.SUSPENSION_ENDS)
async def end_suspension(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """The day until which an item was suspended has come."""
    await ledger.end_suspension(zone_id, UUID(payload["item"]), date.fromisoformat(payload["until"]))


@handles(ledger.STAGE_REVIEW)
async def call_stage_review(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """The day on which a stage of long-term rectification is to be reviewed has come."""
    await ledger.call_stage_review(zone_id, UUID(payload["item"]), date.fromisoformat(payload["on"]))


@handles(calendar.CHANGED)
async def recount_deadlines(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """A year's holiday notice is new: open deadlines given in working days are counted anew."""
    await ledger.recount(zone_id)
