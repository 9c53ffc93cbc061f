"""Every message that the platform accepted, in a ring that forgets the oldest, with totals that never do."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from itertools import islice


@dataclass(slots=True)
class SentMessage:
    """One accepted message; `answered` says whether the caller was told so."""

    seq: int
    channel: str
    openid: str
    template_id: str
    data: dict[str, str]
    page: str
    at: float
    client_msg_id: str | None
    msgid: int
    state: str
    answered: bool = False

    def described(self) -> dict[str, object]:
        """All fields, as JSON."""
        return asdict(self)


class Mailbox:
    """Accepted messages in order; `seq` starts at 1 and has no gaps."""

    def __init__(self, keep: int) -> None:
        self._ring: deque[SentMessage] = deque(maxlen=keep)
        self.totals = {"subscribe": 0, "template": 0, "wecom": 0}
        self._seq = 0

    def accept(
        self,
        channel: str,
        *,
        openid: str,
        template_id: str,
        data: dict[str, str],
        page: str,
        at: float,
        client_msg_id: str | None = None,
        state: str = "",
    ) -> SentMessage:
        """Record a message that will be delivered."""
        self._seq += 1
        self.totals[channel] += 1
        msgid = 3_000_000_000_000_000_000 + self._seq
        message = SentMessage(self._seq, channel, openid, template_id, data, page, at, client_msg_id, msgid, state)
        self._ring.append(message)
        return message

    @property
    def oldest(self) -> int:
        """The first `seq` still remembered; one past the last when empty."""
        return self._ring[0].seq if self._ring else self._seq + 1

    @property
    def total(self) -> int:
        """Messages ever accepted."""
        return self._seq

    def after(self, seq: int, limit: int, wanted: dict[str, str]) -> tuple[list[SentMessage], int | None]:
        """Up to `limit` messages past `seq` whose attributes equal `wanted`, and the `seq` to continue after."""
        start = max(0, seq + 1 - self.oldest)
        found: list[SentMessage] = []
        for message in islice(self._ring, start, None):
            if all(getattr(message, name) == value for name, value in wanted.items()):
                found.append(message)
                if len(found) == limit:
                    return found, message.seq if message.seq < self._seq else None
        return found, None
