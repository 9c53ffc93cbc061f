"""The log as an auditor reads it."""

from uuid import UUID

from tortoise.expressions import Q

from models.base.audit.log import AuditRow
from models.base.scope import Role, Scope


async def acts(
    *, by: Scope, subject_id: UUID | None = None, after: tuple[int, UUID] | None = None, limit: int = 50
) -> list[AuditRow]:
    """What was done in the zone, or to one thing in it, newest first; keyset by `(tx, id)`. Raises Forbidden."""
    by.require(Role.AUDITOR)
    rows = AuditRow.filter(zone_id=by.zone_id)
    if subject_id:
        rows = rows.filter(subject_id=subject_id)
    if after:
        tx, row_id = after
        rows = rows.filter(Q(tx__lt=tx) | Q(tx=tx, id__lt=row_id), tx__lte=tx)
    return await rows.order_by("-tx", "-id").limit(limit)
