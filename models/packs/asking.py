"""Asking for a pack, watching it grow, taking it."""

import os.path
from datetime import timedelta
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.queryset import QuerySet

from models import ledger
from models.base import audit, clock, database
from models.base.database import atomic, locked
from models.base.errors import Conflict, Invalid, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.ledger import Item, State
from models.packs.manifest import MOST_FILES
from models.packs.tables import UNDER_WAY, Pack, PackState, PackSubject

KEPT = timedelta(days=7)
FOLDER = "packs"
MOST_UNDER_WAY = 20
"""In a zone: a pack may take minutes, and workers have other things to do."""

COUNTED = """
select count(*) filter (where e.sha256 is not null) as originals, count(v.id) as views from evidence e
left join derivation v on v.zone_id = $1 and v.evidence_id = e.id and v.form = 'view' and v.state = 'done'
where e.zone_id = $1 and (e.item_id = any($2::uuid[]) or e.visit_id in (
  select id from visit where zone_id = $1 and item_id = any($2::uuid[])))
"""
FILES_OF_AN_ITEM = 3
"""Its facts, its timeline, its rows of the log; beside originals and views."""
FILES_OF_A_PACK = 3
"""README, proof, manifest."""


def seen_by(by: Scope) -> "QuerySet[Pack]":
    """Packs whose every item lies within the caller's oversight."""
    return Pack.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)


def items_in(pack: Pack) -> "QuerySet[Item]":
    """The pack's items: those that have been issued, within its subtree."""
    issued = Item.filter(zone_id=pack.zone_id, unit_path__startswith=pack.unit_path).exclude(state=State.DRAFT)
    if pack.subject_type is PackSubject.ITEM:
        return issued.filter(id=pack.subject_id)
    return issued.filter(campaign_id=pack.subject_id)


@atomic()
async def ask(subject: PackSubject, subject_id: UUID, *, by: Scope) -> Pack:
    """Have an item's or a campaign's file packed; the same again, while it is under way, is the same pack.

    A campaign's holds what of it lies within the caller's oversight. Raises NotFound, Forbidden, Conflict
    (`nothing_to_pack`, `too_many_packs`), Invalid (`pack_too_large`, `pack_of_parts`).
    """
    by.require(Role.OVERSIGHT)
    asked = await drawn_up(subject, subject_id, by=by)
    under_way = await Pack.get_or_none(
        zone_id=by.zone_id, subject_id=subject_id, asked_by=by.actor, state__in=list(UNDER_WAY)
    )
    if under_way is not None:
        return under_way
    if await Pack.filter(zone_id=by.zone_id, state__in=list(UNDER_WAY)).count() >= MOST_UNDER_WAY:
        raise Conflict("too_many_packs", f"已有 {MOST_UNDER_WAY} 个证据包在制作，请等其中一些完成后再申请。")
    try:
        await asked.save(force_create=True)
    except IntegrityError:  # asked twice at the same instant
        raise Conflict("pack_under_way", "这个证据包正在制作，请刷新查看。") from None
    await audit.record(by, "pack.asked", ("pack", asked.id), **{subject.value: str(subject_id)})
    return asked


async def drawn_up(subject: PackSubject, subject_id: UUID, *, by: Scope) -> Pack:
    """A pack as it would be asked for, not stored. Raises as `ask`."""
    asked = Pack(
        id=new_id(),
        zone_id=by.zone_id,
        subject_type=subject,
        subject_id=subject_id,
        asked_by=by.actor,
        asked_at=clock.now(),
    )
    if subject is PackSubject.ITEM:
        item = await ledger.readable(subject_id, by=by)
        by.require(Role.OVERSIGHT, path=item.unit_path)
        paths, asked.name = {item.unit_path}, item.number or ""
    else:
        campaign = await ledger.campaign_of(subject_id, by=by)
        overseen = by.within("unit_path", Role.OVERSIGHT)
        mine = Item.filter(overseen, zone_id=by.zone_id, campaign_id=subject_id).exclude(state=State.DRAFT)
        paths = set(await mine.distinct().values_list("unit_path", flat=True))  # type: ignore[arg-type]
        asked.name = campaign.name
    asked.unit_path = _common(paths)
    asked.files_total = await _count(asked)
    if not by.may(Role.OVERSIGHT, path=asked.unit_path):
        raise Invalid("pack_of_parts", "您监督的单位不在同一个上级之下，请按单位分别制作事项的证据包。")
    return asked


def _common(paths: set[str]) -> str:
    """The lowest unit above all of these."""
    if not paths:
        raise Conflict("nothing_to_pack", "还没有交办过的事项，没有可以打包的内容。")
    return os.path.commonpath(paths).rstrip("/") + "/"


async def _count(pack: Pack) -> int:
    ids = [row["id"] for row in await items_in(pack).limit(MOST_FILES + 1).values("id")]
    if not ids:
        raise Conflict("nothing_to_pack", "还没有交办过的事项，没有可以打包的内容。")
    (row,) = await database.fetch(COUNTED, pack.zone_id, ids)
    files: int = FILES_OF_A_PACK + FILES_OF_AN_ITEM * len(ids) + row["originals"] + row["views"]
    if files > MOST_FILES:
        raise Invalid("pack_too_large", f"内容超过 {MOST_FILES} 个文件，请按事项分别制作。")
    return files


async def packs(*, by: Scope, after: UUID | None = None, limit: int = 50) -> list[Pack]:
    """The packs that the caller may see, newest first, after `after`."""
    mine = seen_by(by)
    return await (mine.filter(id__lt=after) if after else mine).order_by("-id").limit(limit)


async def pack_of(pack_id: UUID, *, by: Scope) -> Pack:
    """Raises NotFound."""
    pack = await seen_by(by).get_or_none(id=pack_id)
    if pack is None:
        raise NotFound()
    return pack


@atomic()
async def cancel(pack_id: UUID, *, by: Scope) -> Pack:
    """Stop it where it has not ended yet; whoever builds it notices within seconds. Raises NotFound."""
    pack = await locked(seen_by(by), pack_id)
    if pack.state in UNDER_WAY:
        pack.state, pack.lease, pack.ended_at = PackState.CANCELLED, None, clock.now()
        await pack.save(update_fields=["state", "lease", "ended_at"])
        await audit.record(by, "pack.cancelled", ("pack", pack.id))
    return pack


@atomic()
async def take(pack_id: UUID, *, by: Scope) -> Pack:
    """The pack, to be read from the store; the log names who took it. Raises NotFound, Conflict (`pack_not_ready`)."""
    pack = await pack_of(pack_id, by=by)
    if pack.state is not PackState.DONE or pack.expires_at <= clock.now():
        raise Conflict("pack_not_ready", f"证据包现在是「{pack.state.label}」，不能下载。", state=pack.state.value)
    await audit.record(by, "pack.taken", ("pack", pack.id), sha256=pack.sha256)
    return pack


def address(pack: Pack) -> str:
    """The pack's key in the store: of this try alone, so that a builder who lost the lease writes over nobody's."""
    return f"{FOLDER}/{pack.zone_id}/{pack.id}-{pack.attempts}.zip"
