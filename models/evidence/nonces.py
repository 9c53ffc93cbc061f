"""The nonce of a visit: what the server gives an inspector's phone with the visit, and the phone brings back, later.

It says that what was recorded came from a phone on which that person had opened that visit. It works without a network,
and nothing depends on it: a record without one is as good as any.
"""

from uuid import UUID

from models.accounts import Signer
from models.base.errors import Unauthenticated
from models.evidence.tables import Nonce

PURPOSE = "visit nonce"
LONGEST = 400


def issue(visit_id: UUID, person_id: UUID, *, signer: Signer) -> str:
    """For this person's phone and this visit."""
    return signer.seal(PURPOSE, [str(visit_id), str(person_id)])


def examine(sealed: str | None, visit_id: UUID, person_id: UUID | None, *, signer: Signer) -> Nonce:
    """What a phone of `person_id` brought back for the visit; it is never refused."""
    if not sealed:
        return Nonce.ABSENT
    try:
        given = signer.unseal(PURPOSE, sealed)
    except Unauthenticated:
        return Nonce.FOREIGN
    return Nonce.GOOD if given == [str(visit_id), str(person_id)] else Nonce.FOREIGN
