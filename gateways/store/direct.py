"""Parts of an object that a client brings to S3 itself, each by a URL signed for it alone.

What lies under such a key is the client's own bytes: they are never opened as ours are (`Store.get` would unseal what
only looks sealed), but read as they are (`Store.raw`), hashed, examined and sealed on their way to their address.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from obstore.store import S3Store

from gateways.store import requests
from gateways.store.faults import Missing, named

PART = 5 * 1024 * 1024
"""Bytes of every part but the last: the least that S3 takes."""
URL_SECONDS = 900
GONE = frozenset({"NoSuchUpload", "NoSuchKey", "404"})
"""How S3 says that an upload in parts was completed, or given up, before."""


class Direct:
    """Uploads in parts to one bucket, which clients reach at `public`. Raises Unavailable where S3 does not answer."""

    def __init__(self, objects: S3Store, public: str) -> None:
        self._objects = objects
        self._client, self._signer = requests.client(objects), requests.client(objects, public)

    async def begin(self, key: str) -> str:
        """S3's own id of a new upload to `key`."""
        told = await self._asked(key, self._client.create_multipart_upload)
        return str(told["UploadId"])

    def url(self, key: str, multipart: str, number: int, size: int) -> str:
        """Where part `number` (from 1) of exactly `size` bytes is PUT, within `URL_SECONDS`."""
        part = {"UploadId": multipart, "PartNumber": number, "ContentLength": size}
        return str(
            self._signer.generate_presigned_url(
                "upload_part", Params=requests.place(self._objects, key) | part, ExpiresIn=URL_SECONDS
            )
        )

    async def arrived(self, key: str, multipart: str) -> dict[int, int] | None:
        """Bytes of each part that is there, by its number; None where the upload was completed or given up."""
        try:
            told = await self._asked(key, self._client.list_parts, UploadId=multipart)
        except Missing:
            return None
        return {int(part["PartNumber"]): int(part["Size"]) for part in told.get("Parts", ())}

    async def complete(self, key: str, multipart: str) -> None:
        """Make one object of the parts that are there. Raises Missing where the upload is no more."""
        told = await self._asked(key, self._client.list_parts, UploadId=multipart)
        parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in told.get("Parts", ())]
        await self._asked(
            key, self._client.complete_multipart_upload, UploadId=multipart, MultipartUpload={"Parts": parts}
        )

    async def abandon(self, key: str, multipart: str) -> None:
        """Give the upload up, with the parts that are there."""
        with suppress(Missing):
            await self._asked(key, self._client.abort_multipart_upload, UploadId=multipart)

    async def _asked(self, key: str, call: Callable[..., Any], **said: Any) -> Mapping[str, Any]:
        with named(key):
            try:
                told: Mapping[str, Any] = await asyncio.to_thread(call, **requests.place(self._objects, key), **said)
            except ClientError as refused:
                if refused.response["Error"]["Code"] in GONE:
                    raise FileNotFoundError(key) from None
                raise OSError(str(refused)) from None
            except BotoCoreError as gone:
                raise OSError(str(gone)) from None
        return told
