"""站点码: a printed mini-program code at a unit's site that opens the visit form. It proves nothing alone.

The code holds an opaque scene; a phone finds the visits that it stands for among its inspector's own. Whoever else
scans it finds nothing. Who scanned it, and when, is not known to anybody.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from tortoise.queryset import QuerySet

from models.base import audit, clock, outbox
from models.base.database import atomic, locked
from models.base.errors import Conflict, NotFound
from models.base.ids import new_id
from models.base.scope import Role, Scope
from models.lookbacks.tables import SiteCode
from models.organization import Unit

DRAW_SITE_CODE = outbox.job("lookbacks.draw_site_code")
SITE_PAGE = "pages/lookbacks/visits"
SCENE_BYTES = 16
"""In hex the 32 characters that the platform allows a scene."""
MOST_POSTERS = 50
MOST_SCENES = 2_000
"""That a page of visits carries along: of a hundred visits' units, twenty sites each."""


@dataclass(frozen=True)
class Sign:
    """What a poster says of its site: the two lines, and under which key of the store the code's picture is."""

    site: str
    unit: str
    picture_key: str


def picture_key(zone_id: UUID, site_id: UUID) -> str:
    """Where the picture of a site's code is kept."""
    return f"{zone_id}/site_codes/{site_id}"


@atomic()
async def issue_site_code(unit_id: UUID, name: str, *, by: Scope) -> SiteCode:
    """A code for the site `name` (≤ 60 characters) of a unit; the same again answers the one in force.

    Its picture is fetched from the platform a moment later. Raises Forbidden, NotFound (`unit_not_found`).
    """
    unit = await Unit.get_or_none(zone_id=by.zone_id, id=unit_id, active=True)
    if unit is None or not by.may(Role.OVERSIGHT, path=unit.path):
        raise NotFound("unit_not_found", "没有找到这个单位，或者不在您的监督范围内。")
    await Unit.filter(zone_id=by.zone_id, id=unit_id).select_for_update().first()  # the same asked twice at once
    same = SiteCode.filter(zone_id=by.zone_id, unit_id=unit.id, name=name.strip(), revoked_at__isnull=True)
    if (existing := await same.select_related("unit").first()) is not None:
        return existing
    made = SiteCode(id=new_id(), zone_id=by.zone_id, unit=unit, unit_path=unit.path, name=name.strip())
    made.scene, made.made_by, made.made_at = secrets.token_hex(SCENE_BYTES), by.actor, clock.now()
    await made.save(force_create=True)
    await outbox.promise(by.zone_id, DRAW_SITE_CODE, key=f"site_code:{made.id}", site=str(made.id))
    await audit.record(by, "site_code.issued", ("site_code", made.id), unit=str(unit.id))
    return made


async def site_to_draw(zone_id: UUID, site_id: UUID) -> SiteCode | None:
    """The site, if its picture is still wanted: the platform keeps count of the codes it makes."""
    return await SiteCode.get_or_none(zone_id=zone_id, id=site_id, drawn_at=None, revoked_at=None)


async def site_drawn(zone_id: UUID, site_id: UUID) -> None:
    """The picture is in the store."""
    await SiteCode.filter(zone_id=zone_id, id=site_id, drawn_at=None).update(drawn_at=clock.now())


@atomic()
async def revoke_site_code(site_id: UUID, *, by: Scope) -> SiteCode:
    """Its poster opens nothing any more; once revoked, a code stays so. Raises NotFound."""
    site = await locked(_overseen(by), site_id)
    if site.revoked_at is None:
        site.revoked_at = clock.now()
        await site.save(update_fields=["revoked_at"])
        await audit.record(by, "site_code.revoked", ("site_code", site.id))
    await site.fetch_related("unit")
    return site


async def site_codes(
    *, by: Scope, unit_id: UUID | None = None, after: UUID | None = None, limit: int = 50
) -> list[SiteCode]:
    """Newest first with their units, after `after`, those revoked included; of one unit or of all overseen."""
    mine = _overseen(by).filter(unit_id=unit_id) if unit_id else _overseen(by)
    return await (mine.filter(id__lt=after) if after else mine).order_by("-id").limit(limit).select_related("unit")


async def signs(site_ids: Iterable[UUID], *, by: Scope) -> list[Sign]:
    """What posters of these sites say, in the order asked for.

    Raises NotFound where one is not the caller's, Conflict (`site_code_revoked`, `site_code_not_drawn`).
    """
    asked = list(dict.fromkeys(site_ids))
    found = {site.id: site for site in await _overseen(by).filter(id__in=asked).select_related("unit")}
    if len(found) < len(asked):
        raise NotFound()
    for site in found.values():
        _refuse_unprintable(site)
    ordered = (found[site_id] for site_id in asked)
    return [Sign(site.name, site.unit.name, picture_key(by.zone_id, site.id)) for site in ordered]


def _refuse_unprintable(site: SiteCode) -> None:
    if site.revoked_at is not None:
        raise Conflict("site_code_revoked", f"「{site.name}」的站点码已作废，请另发一个。")
    if site.drawn_at is None:
        raise Conflict("site_code_not_drawn", f"「{site.name}」的站点码还在生成，请过一会儿再取。")


def _overseen(by: Scope) -> "QuerySet[SiteCode]":
    return SiteCode.filter(by.within("unit_path", Role.OVERSIGHT), zone_id=by.zone_id)


async def scenes_of(zone_id: UUID, unit_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """Of each unit, the scenes of its codes in force, in one statement; the newest 2,000 at most."""
    scenes: dict[UUID, list[str]] = {}
    rows = SiteCode.filter(zone_id=zone_id, unit_id__in={*unit_ids}, revoked_at__isnull=True).order_by("-id")
    for unit_id, scene in await rows.limit(MOST_SCENES).values_list("unit_id", "scene"):
        scenes.setdefault(unit_id, []).append(scene)
    return scenes
