"""Objects that nobody may alter or remove for some days, where the store offers it: S3 Object Lock.

obstore has no word for it, so this one request is botocore's. It reads the same `AWS_*` variables.
"""

import asyncio
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import botocore.session
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError
from obstore.store import S3Store

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
        config = objects.config
        self._client = _client(config)
        self._bucket, self._retention = config["bucket"], retention
        self._prefix = f"{objects.prefix}/" if objects.prefix else ""

    async def offered(self) -> bool:
        """Whether the bucket was made with Object Lock."""
        try:
            told = await asyncio.to_thread(self._client.get_object_lock_configuration, Bucket=self._bucket)
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
        named = {"Bucket": self._bucket, "Key": f"{self._prefix}{key}"}
        try:
            await asyncio.to_thread(self._client.put_object_retention, **named, Retention=wanted)
        except (BotoCoreError, ClientError) as refused:
            raise OSError(str(refused)) from None


def _client(config: Any) -> Any:
    """botocore's client for the bucket that obstore was opened with."""
    explicit = {
        "region_name": config.get("region") or os.environ.get("AWS_REGION"),  # which botocore itself does not read
        "endpoint_url": config.get("endpoint"),
        "aws_access_key_id": config.get("access_key_id"),
        "aws_secret_access_key": config.get("secret_access_key"),
    }
    patience = Config(retries={"total_max_attempts": 3}, connect_timeout=5, read_timeout=10)
    session = botocore.session.get_session()
    return session.create_client("s3", config=patience, **{name: told for name, told in explicit.items() if told})
