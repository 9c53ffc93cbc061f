"""What a rule answers when it refuses. `api/wire.py` maps each once to RFC 9457 problem details.

`code` is stable and for programs; `detail` is a Chinese sentence that a cadre understands: what happened, what is
kept, what to do.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One field's fault: a JSON pointer (RFC 6901) or a sheet's place, a stable code, a Chinese sentence."""

    pointer: str
    code: str
    detail: str


class Refused(Exception):
    """A rule's refusal. Nothing was changed."""

    status = 400

    def __init__(self, code: str, detail: str, *, faults: tuple[Fault, ...] = (), **extra: Any) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.faults, self.extra = code, detail, faults, extra


class Invalid(Refused):
    """The input itself is wrong; `faults` names every field at once."""

    status = 422


class Unauthenticated(Refused):
    """Nobody is signed in, or the sign-in has ended."""

    status = 401


class Forbidden(Refused):
    """The caller may see the thing, but may not do this to it."""

    status = 403


class NotFound(Refused):
    """There is no such thing within the caller's scope; another person's or zone's row is answered alike."""

    status = 404

    def __init__(self, code: str = "not_found", detail: str = "没有找到，或者不在您的工作范围内。") -> None:
        super().__init__(code, detail)


class Conflict(Refused):
    """The thing is in another state than the request supposes."""

    status = 409


class TooLarge(Refused):
    """A body, file or list over its bound."""

    status = 413


class UnsupportedType(Refused):
    """A file or body of a type that is not taken."""

    status = 415


class Gone(Refused):
    """There was such a thing, and its time is over."""

    status = 410


class Locked(Refused):
    """Somebody else is at it; asking again in a moment may help."""

    status = 423


class Garbled(Refused):
    """What came is not what the sender's checksum is of (tus 1.0: 460)."""

    status = 460


class TooMany(Refused):
    """Asked too often; `retry_after` is in seconds."""

    status = 429

    def __init__(self, code: str, detail: str, *, retry_after: int) -> None:
        super().__init__(code, detail, retry_after=retry_after)
        self.retry_after = retry_after


class Unavailable(Refused):
    """A service that the product depends on does not answer; nothing was changed."""

    status = 503
