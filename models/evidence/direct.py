"""Parts that a client brings to the store itself: it is given a URL for each, and says when all are there.

What it brought is then taken in as if it came in one request: hashed, examined, sealed and attached by the same rules.
Until that moment nobody has looked at it, and it lies where nothing else is.
"""

from dataclasses import dataclass
from uuid import UUID

from models.base.errors import Conflict
from models.base.scope import Scope
from models.evidence.intake import Objects, Parts, Scan, no_scan
from models.evidence.receiving import take
from models.evidence.tables import Upload
from models.evidence.uploads import direct_key, upload_of

PART = 5 * 1024 * 1024
"""Bytes of every part but the last: the least that S3 takes, so that little is lost where a part breaks off."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part that is not there yet: PUT exactly `size` bytes, the file's from `(number - 1) * PART`, to `url`."""

    number: int
    size: int
    url: str


async def parts_of(upload_id: UUID, *, by: Scope, store: Objects) -> list[Part]:
    """The parts that are missing, each with a URL that lasts a quarter of an hour; asked again, with new ones.

    Raises NotFound, Gone, Conflict (`direct_not_offered`, `upload_begun`), Unavailable.
    """
    upload, direct = await upload_of(upload_id, by=by), _offered(store)
    if upload.evidence_id:
        return []
    key, multipart = direct_key(upload), upload.multipart or await _begun(upload, direct)
    missing = await _missing(upload, direct, multipart) or {}
    return [Part(number, size, direct.url(key, multipart, number, size)) for number, size in missing.items()]


async def finish(upload_id: UUID, *, by: Scope, store: Objects, scan: Scan = no_scan) -> Upload:
    """All parts are there: the file becomes evidence. Again answers the same.

    Raises NotFound, Gone, Conflict (`direct_not_offered`, `parts_missing` with their numbers), and as `receive`.
    """
    upload, direct = await upload_of(upload_id, by=by), _offered(store)
    if upload.evidence_id:
        return upload
    if not upload.multipart:
        raise _parts_missing(list(_sizes(upload)))
    key, missing = direct_key(upload), await _missing(upload, direct, upload.multipart)
    if missing:
        raise _parts_missing(list(missing))
    if missing is not None:  # else an earlier try got so far
        await direct.complete(key, upload.multipart)
    await take(upload, store.raw(key, upload.arrived), by=by, store=store, scan=scan)
    await store.delete(key)
    return upload


def _offered(store: Objects) -> Parts:
    if store.direct is None:
        raise Conflict("direct_not_offered", "这里不能直接传到存储，请用分段上传。")
    return store.direct


def _parts_missing(numbers: list[int]) -> Conflict:
    return Conflict("parts_missing", f"还有 {len(numbers)} 段没有传到，请补传后再完成。", missing=numbers)


async def _begun(upload: Upload, direct: Parts) -> str:
    """The store's id of it; of two requests at once one begins it. Raises Conflict."""
    multipart = await direct.begin(direct_key(upload))
    fresh = Upload.filter(zone_id=upload.zone_id, id=upload.id, multipart=None, arrived=0, holder=None)
    if await fresh.update(multipart=multipart):
        return multipart
    await direct.abandon(direct_key(upload), multipart)
    await upload.refresh_from_db(fields=["multipart"])
    if upload.multipart is None:
        raise Conflict("upload_begun", "这个文件已经开始分段上传，请接着用同一种方式传，或放弃后重新上传。")
    return str(upload.multipart)


def _sizes(upload: Upload) -> dict[int, int]:
    """Bytes of each part, by number."""
    starts = range(0, upload.length, PART)
    return {number: min(PART, upload.length - start) for number, start in enumerate(starts, 1)}


async def _missing(upload: Upload, direct: Parts, multipart: str) -> dict[int, int] | None:
    """Parts that are not there, or not whole; None where they are one object already."""
    arrived = await direct.arrived(direct_key(upload), multipart)
    if arrived is None:
        return None
    return {number: size for number, size in _sizes(upload).items() if arrived.get(number) != size}
