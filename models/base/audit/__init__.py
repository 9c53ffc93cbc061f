"""The log of every act: append-only, each row hashed in its own transaction, sealed into chained blocks per zone.

A row's hash covers its canonical form, so a changed row shows. The sealer (`seal`, every second) gives rows their
place: it takes those whose transaction can no longer be overtaken by an older one still open, and binds them into a
block that carries the previous block's hash. So rows never wait for one chain head, and a removed or inserted row shows
as well.
A tail that stays unsealed too long is an alarm (`unsealed_age`).
"""

from models.base.audit.continuing import LostPlace, carry_on, refuse_lost_place
from models.base.audit.export import export_lines, verify_lines
from models.base.audit.log import AuditRow, record, row_hash
from models.base.audit.reading import acts
from models.base.audit.sealer import AuditBlock, head_of, seal, sealed_by, unsealed_age

__all__ = [
    "AuditBlock",
    "AuditRow",
    "LostPlace",
    "acts",
    "carry_on",
    "export_lines",
    "head_of",
    "record",
    "refuse_lost_place",
    "row_hash",
    "seal",
    "sealed_by",
    "unsealed_age",
    "verify_lines",
]
