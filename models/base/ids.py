"""Identifiers: UUIDv7 (RFC 9562), so that rows made later sort later and indexes grow at one end."""

import time
from uuid import UUID

import uuid_utils.compat

NO_ZONE = UUID(int=0)
"""Of rows that belong to no zone, where every row has one."""


def new_id() -> UUID:
    """A fresh UUIDv7. Its time part is the machine's clock, not `clock.now()`: order matters, not the hour."""
    return uuid_utils.compat.uuid7()


def since(seconds: float) -> UUID:
    """Below every id made in the last so many `seconds` of the machine's clock, above every older one."""
    return UUID(int=int((time.time() - seconds) * 1000) << 80)
