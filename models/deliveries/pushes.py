"""A push: everything owed to one person that leaves as one message.

A worker begins pushes (`sending`, and one consent taken, before the requests leave), sends, and concludes each.
Whatever moment it dies at, every delivery keeps exactly one outcome: what had not begun is still queued; what was being
sent is `unknown`, except where the channel knows the message's key again (`REPEATABLE`): then the same message, and
nothing else, is sent to that person once more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from models.deliveries.tables import Channel, DeliveryState
from models.deliveries.ways import Way

LEASE = timedelta(seconds=30)
"""For how long a push is one worker's; what it sends must have ended by then."""


@dataclass(frozen=True)
class Push:
    """One message to one person, over `channel`, telling of the deliveries `told`; the first of them carries it.

    `lease` fences its worker. `repeats`: it may have left already, over the same channel and under the same key.
    """

    person_id: UUID
    lease: UUID
    way: Way
    channel: Channel
    told: tuple[UUID, ...]
    repeats: bool = False

    @property
    def carrier(self) -> UUID:
        """The delivery that stands for the message; its id is the message's key."""
        return self.told[0]

    @property
    def count(self) -> int:
        """How many things the message tells of."""
        return len(self.told)


@dataclass(frozen=True)
class Conclusion:
    """How a push ended. `queued` is no end: nothing was sent, it is tried again at `again_at`."""

    push: Push
    state: DeliveryState
    reason: str | None = None
    errcode: int | None = None
    msgid: str | None = None
    again_at: datetime | None = None
