"""The services of a single machine: PostgreSQL and Valkey from wheels, for a demo, tests and small zones.

They listen on loopback only, on ports of their own choosing, behind generated passwords, and run as an
unprivileged user in sessions of their own, so that they outlive whoever started them. Each data directory
is an independent installation. ``ZHUOLUO_DATABASE_URL`` and ``ZHUOLUO_REDIS_URL`` put existing servers in
their place.
"""

from deploy.local.databases import create_database, drop_database
from deploy.local.processes import ServiceError
from deploy.local.services import (
    Services,
    ServiceStatus,
    Status,
    data_directory,
    start,
    status,
    stop,
)

__all__ = [
    "ServiceError",
    "ServiceStatus",
    "Services",
    "Status",
    "create_database",
    "data_directory",
    "drop_database",
    "start",
    "status",
    "stop",
]
