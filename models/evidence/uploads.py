"""Uploads: files that come in parts over a network that breaks off, begun, found again, given up.

Processes of the API keep nothing of one, and any of them may take the next bytes (`receiving`), or the client brings
them to the store itself (`direct`). What has arrived stays for three days, and the rest follows.
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from models.base import clock, database
from models.base.database import atomic
from models.base.errors import Forbidden, Gone, NotFound
from models.base.scope import Scope
from models.evidence import allowance
from models.evidence.attaching import Submission, client_id_reused, refuse_stranger
from models.evidence.contents import SIZE_LIMITS
from models.evidence.intake import INCOMING, Objects, empty, too_large
from models.evidence.tables import Upload, UploadPart
from models.ledger.people import who

LASTS = timedelta(days=3)
MOST_SWEPT = 200


BEGUN = """
with begun as (
  insert into upload select * from json_populate_record(null::upload, $1)
  on conflict (zone_id, client_id) do nothing returning zone_id, client_id
)
select e.submitted_by, e.sha256 from begun left join evidence e using (zone_id, client_id)
"""
"""What was submitted under its `client_id` before, if anything; no row where an upload stands under it."""


@atomic()
async def begin(given: Submission, *, length: int, sha256: str | None, by: Scope) -> Upload:
    """Make room for a file of `length` bytes, to be submitted as `given`; `sha256` (hex) if the sender knows it.

    The same again answers with the first one, wherever that has come to. Raises NotFound, Forbidden, Invalid, TooLarge,
    TooMany, Conflict (`client_id_reused`).
    """
    submitter = who(by)
    if submitter is None:
        raise Forbidden("not_your_step", "佐证材料应由具体的人提交。")
    if length == 0:
        raise empty()
    if length > SIZE_LIMITS[given.kind]:
        raise too_large(SIZE_LIMITS[given.kind])
    await refuse_stranger(by=by, item_id=given.item_id, visit_id=given.visit_id)
    announced = _announced(given, length, sha256, submitter)
    upload = Upload(
        zone_id=by.zone_id,
        client_id=given.client_id,
        ends_at=clock.now() + LASTS,
        **announced,
        **asdict(given.brought),  # not announced: a repetition may bring another
    )
    while not (earlier := await database.fetch(BEGUN, database.as_json(database.columns(upload)))):
        known = await Upload.get_or_none(zone_id=by.zone_id, client_id=given.client_id)
        if known is not None and known.ends_at > clock.now():
            return _same(known, announced)
        if known is not None:
            await _forget([known.id], by.zone_id)
    _refuse_other_evidence(upload, earlier[0])
    await allowance.open_up(by.zone_id, submitter, length)
    return upload


def _announced(given: Submission, length: int, sha256: str | None, submitter: UUID) -> dict[str, Any]:
    return {
        "submitted_by": submitter,
        "kind": given.kind,
        "item_id": given.item_id,
        "visit_id": given.visit_id,
        "captured_at": given.captured_at,
        "effective_on": given.effective_on,
        "sha256": sha256.lower() if sha256 else None,
        "length": length,
    }


def _same(known: Upload, announced: dict[str, Any]) -> Upload:
    if any(getattr(known, name) != value for name, value in announced.items()):
        raise client_id_reused()
    return known


def _refuse_other_evidence(upload: Upload, earlier: dict[str, Any]) -> None:
    """Before its bytes are taken where the hash is known; `attach` has the last word."""
    if earlier["submitted_by"] is None:
        return
    if earlier["submitted_by"] != upload.submitted_by or upload.sha256 not in (None, earlier["sha256"]):
        raise client_id_reused()


async def upload_of(upload_id: UUID, *, by: Scope) -> Upload:
    """The caller's own. Raises NotFound; Gone where its time is over."""
    upload = await Upload.get_or_none(zone_id=by.zone_id, id=upload_id, submitted_by=who(by))
    if upload is None:
        raise NotFound()
    if upload.ends_at <= clock.now():
        raise Gone("upload_ended", "这次上传超过3天没有传完，已清除。手机上的文件还在，请重新上传。")
    return upload


def part_key(upload: Upload, part_id: UUID) -> str:
    """Where the bytes of a part are kept until the file is whole."""
    return f"{INCOMING}/{upload.zone_id}/{upload.id}/{part_id}"


def direct_key(upload: Upload) -> str:
    """Where what goes to the store directly becomes one object, until it is taken in."""
    return f"{INCOMING}/{upload.zone_id}/{upload.id}/direct"


async def part_keys(upload: Upload) -> list[str]:
    rows = UploadPart.filter(zone_id=upload.zone_id, upload_id=upload.id).order_by("starts_at")
    return [part_key(upload, each) for each in await rows.values_list("id", flat=True)]  # type: ignore[arg-type]


async def remove(upload: Upload, *, store: Objects) -> None:
    """Give the upload up, with what has arrived of it; evidence that it has become stays."""
    keys = await part_keys(upload)
    await _forget([upload.id], upload.zone_id)
    if upload.multipart and store.direct:
        await store.direct.abandon(direct_key(upload), upload.multipart)
        keys.append(direct_key(upload))
    for key in keys:
        await store.delete(key)


@atomic()
async def _forget(ids: list[UUID], zone_id: UUID) -> None:
    await UploadPart.filter(zone_id=zone_id, upload_id__in=ids).delete()
    await Upload.filter(zone_id=zone_id, id__in=ids).delete()


async def sweep_ended(zone_id: UUID, *, store: Objects) -> int:
    """Remove uploads whose time is over, `MOST_SWEPT` at most, and old counts; how many were not finished."""
    ended = await Upload.filter(zone_id=zone_id, ends_at__lte=clock.now()).order_by("ends_at").limit(MOST_SWEPT)
    for upload in ended:
        await remove(upload, store=store)
    await allowance.forget_days(zone_id)
    return sum(upload.evidence_id is None for upload in ended)
