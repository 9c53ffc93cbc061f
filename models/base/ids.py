"""Identifiers: UUIDv7 (RFC 9562), so that rows made later sort later and indexes grow at one end."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A fresh UUIDv7. Its time part is the machine's clock, not `clock.now()`: order matters, not the hour."""
    return uuid_utils.compat.uuid7()
