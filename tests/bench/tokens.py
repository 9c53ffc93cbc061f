"""Access tokens of the limit and the peer: the product's claims and algorithm, with who calls inside."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import jwt
import orjson

from models.accounts import Signer
from models.base import clock
from tests.bench.zones import PERSON, SIGN_IN, BenchZone, bench_id

ALGORITHM, AUDIENCE = "HS256", "mini"
LASTING = timedelta(hours=2)


def read(token: str, secret: str) -> tuple[UUID, UUID]:
    """Zone and person. Raises jwt.InvalidTokenError."""
    claims = jwt.decode(token, secret, algorithms=[ALGORITHM], audience=AUDIENCE)
    return UUID(claims["zone"]), UUID(claims["sub"])


def write(file: Path, zone: BenchZone, secret: str, *, product: bool) -> None:
    """One token for each person, in order; the product's own, or the others'."""
    until, signer = int((clock.now() + LASTING).timestamp()), Signer(secret)

    def token(number: int) -> str:
        claims = {
            "sub": str(bench_id(PERSON, number)),
            "zone": str(zone.zone_id),
            "sid": str(bench_id(SIGN_IN, number)),
        }
        if product:
            return signer.access_token(LASTING, **claims)
        return jwt.encode({**claims, "aud": AUDIENCE, "exp": until}, secret, ALGORITHM)

    file.write_bytes(orjson.dumps([token(number) for number in range(zone.people)]))
