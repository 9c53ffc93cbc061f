"""The one place for reading requests, knowing the caller, answering and refusing. Handlers only call a rule.

A concept declares `routes = Routes("mini", "/items", tag="事项")` and decorates its handlers; `api.app` collects them.
"""

from api.wire.callers import Caller
from api.wire.cursors import read_cursor, write_cursor
from api.wire.routes import ANYONE_BOUND, PUBLIC, SIGNED_IN, Header, Route, Routes
from api.wire.schemas import Listing, Page, Schema
from api.wire.versions import etag, expected_version

__all__ = [
    "ANYONE_BOUND",
    "PUBLIC",
    "SIGNED_IN",
    "Caller",
    "Header",
    "Listing",
    "Page",
    "Route",
    "Routes",
    "Schema",
    "etag",
    "expected_version",
    "read_cursor",
    "write_cursor",
]
