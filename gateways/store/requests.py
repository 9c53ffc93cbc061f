"""The requests to S3 for which obstore has no word: botocore's client of the bucket that obstore was opened with."""

import os
from typing import Any

import botocore.session
from botocore.client import Config
from obstore.store import S3Store


def client(objects: S3Store, endpoint: str | None = None) -> Any:
    """With the same keys and `AWS_*` variables; `endpoint` where requests are signed for another way to the bucket."""
    config = objects.config
    explicit = {
        "region_name": config.get("region") or os.environ.get("AWS_REGION"),  # which botocore itself does not read
        "endpoint_url": endpoint or config.get("endpoint"),
        "aws_access_key_id": config.get("access_key_id"),
        "aws_secret_access_key": config.get("secret_access_key"),
    }
    patience = Config(retries={"total_max_attempts": 3}, connect_timeout=5, read_timeout=10, signature_version="s3v4")
    session = botocore.session.get_session()
    return session.create_client("s3", config=patience, **{name: told for name, told in explicit.items() if told})


def place(objects: S3Store, key: str) -> dict[str, str]:
    """Which object is meant, as botocore wants to be told."""
    prefix = f"{objects.prefix}/" if objects.prefix else ""
    return {"Bucket": objects.config["bucket"], "Key": f"{prefix}{key}"}
