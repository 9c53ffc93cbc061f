"""Originals that nobody may remove for some days, where the bucket offers it; and what is said where it does not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from structlog.testing import capture_logs

from gateways.store import opened
from models.base.settings import Settings, StoreSettings
from tests.s3 import S3, Bucket

DAYS = 30


def told(url: str, mode: str = "governance") -> Settings:
    return Settings(mode="test", object_store_url=url, store=StoreSettings(retention_days=DAYS, retention_mode=mode))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    """`environment(bucket)`: as a process of the product has it."""

    def tell(bucket: Bucket) -> None:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)

    return tell


@pytest.mark.parametrize("mode", ["governance", "compliance"])
@pytest.mark.parametrize("prefix", ["", "/evidence/here"])
async def test_an_original_is_retained_for_the_days_that_are_set(s3: S3, environment, mode, prefix):
    bucket = s3.bucket(locking=True)
    environment(bucket)
    store = await opened(told(bucket.url + prefix, mode))
    assert await store.retains()
    await store.put("incoming/1", b"original")
    await store.promote("incoming/1", "z/a")
    object_ = {"Bucket": bucket.name, "Key": f"{prefix}/z/a".lstrip("/")}
    retention = s3.client.get_object_retention(**object_)["Retention"]
    assert retention["Mode"] == mode.upper()
    assert abs(retention["RetainUntilDate"] - datetime.now(UTC) - timedelta(days=DAYS)) < timedelta(minutes=5)
    version = s3.client.head_object(**object_)["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.client.delete_object(**object_, VersionId=version)


async def test_a_bucket_without_locks_keeps_originals_all_the_same_and_that_is_said(s3: S3, environment):
    bucket = s3.bucket()
    environment(bucket)
    with capture_logs() as logs:
        store = await opened(told(bucket.url))
    assert "store.not_retained" in [line["event"] for line in logs]
    await store.put("incoming/1", b"original")
    assert await store.promote("incoming/1", "z/a")
    assert await store.read("z/a") == b"original"


async def test_the_local_disk_offers_no_retention_and_that_is_said(tmp_path: Path):
    with capture_logs() as logs:
        store = await opened(told(f"file://{tmp_path}/objects"))
    assert "store.not_retained" in [line["event"] for line in logs]
    assert not await store.retains()


async def test_a_store_that_does_not_answer_keeps_nobody_from_starting(environment):
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}
    environment(Bucket("b", {**nowhere, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}))
    with capture_logs() as logs:
        await opened(told("s3://b"))
    assert "store.retention_not_known" in [line["event"] for line in logs]
