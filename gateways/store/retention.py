"""Objects that nobody may alter or remove for some days, where the store offers it: S3 Object Lock."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError
from obstore.store import S3Store

from gateways.store import requests

Mode = Literal["governance", "compliance"]
"""`governance`: whoever has the bucket's permission for it may end the retention early. `compliance`: nobody."""
NOT_OFFERED = frozenset(
    {"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed", "InvalidRequest"}
)


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long an original is kept from everybody; 0 days: not at all."""

    days: int = 0
    mode: Mode = "governance"


NONE = Retention()


class ObjectLock:
    """The lock of one bucket. Raises OSError where the store does not answer or refuses."""

    def __init__(self, objects: S3Store, retention: Retention) -> None:
        self._client, self._objects, self._retention = requests.client(objects), objects, retention

    async def offered(self) -> bool:
        """Whether the bucket was made with Object Lock."""
        try:
            bucket = self._objects.config["bucket"]
            told = await asyncio.to_thread(self._client.get_object_lock_configuration, Bucket=bucket)
        except ClientError as refused:
            if refused.response["Error"]["Code"] in NOT_OFFERED:
                return False
            raise OSError(str(refused)) from None
        except BotoCoreError as gone:
            raise OSError(str(gone)) from None
        return bool(told.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    async def retain(self, key: str, now: datetime) -> None:
        """From now for the days that are set. An object that is retained longer stays so."""
        until = now + timedelta(days=self._retention.days)
        wanted = {"Mode": self._retention.mode.upper(), "RetainUntilDate": until}
        try:
            put = self._client.put_object_retention
            await asyncio.to_thread(put, **requests.place(self._objects, key), Retention=wanted)
        except (BotoCoreError, ClientError) as refused:
            raise OSError(str(refused)) from None
