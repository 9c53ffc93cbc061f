"""Keyset cursors: the last row's sort key, written so that a client can only hand it back."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError

from models.base.errors import Fault, Invalid

Key = str | int | UUID | date | datetime


def write_cursor(*key: Key | None) -> str:
    """The cursor that stands after the row whose sort key is `key`."""
    # default=str: the driver's UUID is a subclass, which orjson does not know
    return urlsafe_b64encode(orjson.dumps(key, default=str)).rstrip(b"=").decode()


def read_cursor(cursor: str | None, *types: Any) -> tuple[Any, ...] | None:
    """The sort key in `cursor`, each part of the type given; None without a cursor. Raises Invalid."""
    if cursor is None:
        return None
    try:
        written = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        if b"\\u0000" in written:
            raise ValueError("PostgreSQL's text cannot hold it")
        key = orjson.loads(written)
        return tuple(TypeAdapter(tuple[types]).validate_python(key))  # type: ignore[valid-type]
    except (ValueError, ValidationError) as fault:
        detail = "游标无效，请从第一页重新读取。"
        raise Invalid("invalid_cursor", detail, faults=(Fault("/after", "invalid_cursor", detail),)) from fault
