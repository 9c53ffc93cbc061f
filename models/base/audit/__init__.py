"""The log of every act: append-only, each row hashed in its own transaction, sealed into chained blocks per zone.

A row's hash covers its canonical form, so a changed row shows. The sealer (`seal`, every second) gives rows their
place: it takes those whose transaction can no longer be overtaken by an older one still open, and binds them into a
block that carries the previous block's hash. So rows never wait for one chain head, and a removed or inserted row shows
as well.
A tail that stays unsealed too long is an alarm (`unsealed_age`).
"""

from models.base.audit.continuing import LostPlace, carry_on, refuse_lost_place
from models.base.audit.export import export_lines, hash_of_line, line_of, verify_lines
from models.base.audit.log import AuditRow, record, record_each, row_hash, words_hash
from models.base.audit.proving import heights_of, proof_lines, rows_about
from models.base.audit.reading import acts
from models.base.audit.sealer import (
    GENESIS,
    AuditBlock,
    below,
    block_hash,
    head_of,
    rows_root,
    seal,
    sealed_by,
    unsealed_age,
)

__all__ = [
    "GENESIS",
    "AuditBlock",
    "AuditRow",
    "LostPlace",
    "acts",
    "below",
    "block_hash",
    "carry_on",
    "export_lines",
    "hash_of_line",
    "head_of",
    "heights_of",
    "line_of",
    "proof_lines",
    "record",
    "record_each",
    "refuse_lost_place",
    "row_hash",
    "rows_about",
    "rows_root",
    "seal",
    "sealed_by",
    "unsealed_age",
    "verify_lines",
    "words_hash",
]
